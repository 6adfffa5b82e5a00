// A folder loads whole or not at all, and whether it does depends on its bytes only.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPolicies, type Load } from '../../../src/policy-file/load.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-policies-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const policy = (route: string, host = `${route}.example.com`): string =>
  `apiVersion: postern/v1\nroute: ${route}\nhosts: [${host}]\nsections:\n- path: /\n  allow:\n  - {id: view, groups: [eng]}\n`

const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text)

const codes = (load: Load): readonly string[] =>
  load.kind === 'refused'
    ? load.issues.map((issue) => `${issue.code} ${issue.file.slice(folder.length + 1)}`)
    : []

describe('a policy folder', () => {
  it('loads every YAML file but those with a name of their own', async () => {
    write('wiki.yaml', policy('wiki'))
    write('grafana.yaml', policy('grafana'))
    write('acks.yaml', 'anything: at all\n')
    write('directory.yaml', 'groups: [eng]\n')
    write('README.md', '# not a policy')
    write('.wiki.yaml.swp', 'half a file')
    const load = await loadPolicies(folder)
    expect(load.kind === 'loaded' && [...load.set.routes.keys()]).toEqual(['grafana', 'wiki'])
    expect(load.kind === 'loaded' && load.directory.groups).toEqual(new Set(['eng']))
  })

  it('is refused as a whole for one broken file, and names it', async () => {
    write('wiki.yaml', policy('wiki'))
    write('grafana.yaml', policy('grafana').replace('groups:', 'grops:'))
    expect(codes(await loadPolicies(folder))).toEqual(['E01 grafana.yaml'])
  })

  it.each([
    ['is empty', () => undefined],
    ['holds a directory and nothing else', () => write('directory.yaml', 'groups: [eng]\n')],
    ['is not there', () => rmSync(folder, { recursive: true })],
    ['is a file', () => (rmSync(folder, { recursive: true }), writeFileSync(folder, policy('wiki')))],
    ['has a folder where a file belongs', () => mkdirSync(join(folder, 'wiki.yaml'))],
    ['has a symlink that leads nowhere', () => symlinkSync('gone', join(folder, 'wiki.yaml'))],
  ])('is refused when it %s', async (_, prepare) => {
    prepare()
    const load = await loadPolicies(folder)
    expect(load.kind === 'refused' && load.issues.map(({ code, line }) => [code, line])).toEqual([['E00', 0]])
  })

  it('warns about names that are read by nobody', async () => {
    write('wiki.yaml', policy('wiki'))
    write('grafana.yml', policy('grafana'))
    const load = await loadPolicies(folder)
    expect(load.kind === 'loaded' && load.warnings.map(({ code, file }) => [code, file])).toEqual([
      ['W24', join(folder, 'grafana.yml')],
    ])
  })

  it('reads a ConfigMap volume through its symlinks, once', async () => {
    mkdirSync(join(folder, '..2026_11_24'))
    writeFileSync(join(folder, '..2026_11_24', 'wiki.yaml'), policy('wiki'))
    symlinkSync('..2026_11_24', join(folder, '..data'))
    symlinkSync('..data/wiki.yaml', join(folder, 'wiki.yaml'))
    const load = await loadPolicies(folder)
    expect(load.kind === 'loaded' && [...load.set.routes.keys()]).toEqual(['wiki'])
  })
})

describe('two files', () => {
  it('share a host when their sections differ', async () => {
    write('a.yaml', policy('a', 'app.example.com'))
    write('b.yaml', policy('b', 'app.example.com').replace('path: /', 'path: /b'))
    expect((await loadPolicies(folder)).kind).toBe('loaded')
  })

  it.each([
    ['one host and path', policy('b', 'a.example.com'), 'E02 b.yaml'],
    ['one host and path in another spelling', policy('b', 'a.example.com.'), 'E02 b.yaml'],
    ['one route id', policy('a', 'b.example.com'), 'E02 b.yaml'],
  ])('do not share %s', async (_, second, expected) => {
    write('a.yaml', policy('a'))
    write('b.yaml', second)
    expect(codes(await loadPolicies(folder))).toEqual([expected])
  })

  it('do not share a path by its case or its last slash', async () => {
    write('a.yaml', policy('a', 'app.example.com').replace('path: /', 'path: /Docs/'))
    write('b.yaml', policy('b', 'app.example.com').replace('path: /', 'path: /docs'))
    expect(codes(await loadPolicies(folder))).toEqual(['E02 b.yaml'])
  })
})

describe('a revision', () => {
  const revision = async (): Promise<string | undefined> => {
    const load = await loadPolicies(folder)
    return load.kind === 'loaded' ? load.set.revision : load.revision
  }

  it('is the same for the same bytes, wherever the folder is', async () => {
    write('wiki.yaml', policy('wiki'))
    const before = await revision()
    const copy = `${folder}-copy`
    cpSync(folder, copy, { recursive: true })
    rmSync(folder, { recursive: true })
    renameSync(copy, folder)
    expect(await revision()).toBe(before)
    expect(before).toMatch(/^p:[0-9a-f]{16}$/)
  })

  it.each([
    ['a byte of a policy', () => write('wiki.yaml', `${policy('wiki')}#`)],
    ['the directory', () => write('directory.yaml', 'groups: [eng, sre]\n')],
    ['a name', () => renameSync(join(folder, 'wiki.yaml'), join(folder, 'docs.yaml'))],
  ])('changes with %s', async (_, change) => {
    write('wiki.yaml', policy('wiki'))
    write('directory.yaml', 'groups: [eng]\n')
    const before = await revision()
    change()
    expect(await revision()).not.toBe(before)
  })
})

describe('what is not built yet', () => {
  it('is refused where it would silently not be applied', async () => {
    write('wiki.yaml', policy('wiki'))
    mkdirSync(join(folder, 'candidate'))
    expect((await loadPolicies(folder)).kind).toBe('loaded')
    write('candidate/wiki.yaml', policy('wiki'))
    expect(codes(await loadPolicies(folder))).toEqual(['E18 candidate/wiki.yaml'])
  })

  it.each(['', '# nothing yet\n', 'apiVersion: postern/v1\nroutes: {}\n', 'routes:\n'])(
    'may be there without saying anything: %j',
    async (text) => {
      write('wiki.yaml', policy('wiki'))
      write('stages.yaml', text)
      expect((await loadPolicies(folder)).kind).toBe('loaded')
    },
  )

  it.each(['routes:\n  wiki: {stage: enforce}\n', 'routes: [', 'wiki: {stage: off}\n'])(
    'is refused when it says something: %j',
    async (text) => {
      write('wiki.yaml', policy('wiki'))
      write('stages.yaml', text)
      expect(codes(await loadPolicies(folder))).toEqual(['E18 stages.yaml'])
    },
  )
})

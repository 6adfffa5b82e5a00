// A load that judges only what changed ends as a load from nothing does, and keeps the routes that did not change.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { makeFolderLoads, type NextLoad } from '../../../src/policy-file/folder-loads.ts'
import { makeLoadThread } from '../../../src/policy-file/load-thread.ts'
import { loadPolicies, type LoadedPolicies } from '../../../src/policy-file/load.ts'
import type { Route } from '../../../src/policy/route.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-loads-'))
  folders.push(folder)
  return folder
}

const policy = (route: string, rule: string, host = `${route}.example.com`, path = '/'): string =>
  `apiVersion: postern/v1\nroute: ${route}\nhosts: ["${host}"]\nsections:\n- path: ${path}\n  allow:\n  - ${rule}\n`

const VIEW = '{id: view, groups: [eng]}'

const anyRoute = fc.constantFrom('app', 'wiki', 'shop')
const anyRule = fc.constantFrom(
  VIEW,
  '{id: view, groups: [eng, ops]}',
  '{id: view, claims: {team: red}}',
  '{id: net, groups: [eng], from_networks: [office], why: x, until: 2030-01-01}',
  '{id: dated, groups: [zed], why: x, until: 2030-01-01}',
  '{id: nobody}',
  '{id: view, grops: [eng]}',
)
const anyPolicy = fc
  .record({
    route: anyRoute,
    rule: anyRule,
    host: fc.constantFrom('app.example.com', 'wiki.example.com', '*.example.com', 'Not A Host'),
    path: fc.constantFrom('/', '/a', '/b'),
  })
  .map(({ route, rule, host, path }) => policy(route, rule, host, path))

const anyText = fc.oneof(
  { weight: 8, arbitrary: anyPolicy },
  { weight: 1, arbitrary: fc.constantFrom('', 'a: [', 'a: *b\n', '\uFEFFroute: x\n') },
)

interface Edit {
  readonly name: string
  /** Undefined removes the file. */
  readonly content: string | Uint8Array | undefined
}

const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      name: fc.constantFrom('a.yaml', 'b.yaml', 'c.yaml', 'd.yaml'),
      content: fc.option(anyText, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      name: fc.constant('directory.yaml'),
      content: fc.constantFrom(
        undefined,
        'networks: {office: [10.0.0.0/8]}\n',
        'networks: {office: [192.0.2.0/24]}\ngroups: [eng]\n',
        'networks: {office: [10.0.0.1/8]}\n',
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Edit>(
      { name: 'stages.yaml', content: 'routes: {app: {}}\n' },
      { name: 'stages.yaml', content: '# none\n' },
      { name: 'stages.yaml', content: undefined },
      { name: 'candidate/a.yaml', content: policy('app', VIEW) },
      { name: 'candidate/a.yaml', content: undefined },
      { name: 'late.yml', content: 'not read' },
      { name: 'late.yml', content: undefined },
      { name: 'bytes.yaml', content: new Uint8Array([0x61, 0xff]) },
      { name: 'bytes.yaml', content: undefined },
    ),
  },
)

const apply = (folder: string, { name, content }: Edit): void => {
  const path = join(folder, name)
  if (content === undefined) return rmSync(path, { force: true })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const loadedFrom = async (folder: string): Promise<LoadedPolicies> => {
  const load = await loadPolicies(folder)
  if (load.kind === 'refused') throw new Error(load.issues.map((issue) => issue.what).join())
  return load
}

const thread = makeLoadThread()

/** What a service whose last good set is `inForce` makes of a folder, by a load from nothing. */
const fromNothing = async (folder: string, inForce: string): Promise<unknown> => {
  const load = await loadPolicies(folder)
  if (load.kind === 'refused') return { kind: 'refused', issues: load.issues }
  const { set, files, judged, warnings } = load
  return set.revision === inForce
    ? { kind: 'unchanged', revision: inForce }
    : { kind: 'loaded', set, files, judged, warnings }
}

const routesByText = (load: Extract<NextLoad, { kind: 'loaded' }>): ReadonlyMap<string, Route | undefined> =>
  new Map(load.judged.map(({ key, route }) => [key, route]))

describe('a folder that is edited again and again', () => {
  it('loads as from nothing, issues and all, and keeps every route whose file did not change', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyEdit, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
        async (rounds) => {
          const folder = newFolder()
          apply(folder, { name: 'a.yaml', content: policy('app', VIEW) })
          const first = await loadedFrom(folder)
          const loads = makeFolderLoads(folder, thread, first)
          let inForce: Extract<NextLoad, { kind: 'loaded' }> = first
          for (const edits of rounds) {
            for (const edit of edits) apply(folder, edit)
            const next = await loads()
            expect(next).toEqual(await fromNothing(folder, inForce.set.revision))
            if (next.kind !== 'loaded') continue
            const before = routesByText(inForce)
            for (const [key, route] of routesByText(next))
              if (before.has(key)) expect(route).toBe(before.get(key))
            inForce = next
          }
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)
})

describe('a load', () => {
  it('judges again what the directory may have changed', async () => {
    const folder = newFolder()
    const rule = '{id: net, groups: [eng], from_networks: [office], why: x, until: 2030-01-01}'
    apply(folder, { name: 'a.yaml', content: policy('app', rule) })
    apply(folder, { name: 'directory.yaml', content: 'networks: {office: [10.0.0.0/8]}\n' })
    const first = await loadedFrom(folder)
    const loads = makeFolderLoads(folder, thread, first)
    apply(folder, { name: 'directory.yaml', content: 'networks: {home: [10.0.0.0/8]}\n' })
    expect(await loads()).toMatchObject({ kind: 'refused', issues: [{ code: 'E05' }] })
    apply(folder, { name: 'directory.yaml', content: 'networks: {office: [192.0.2.0/24]}\n' })
    const next = await loads()
    expect(next.kind === 'loaded' && next.set.routes.get('app')).not.toEqual(first.set.routes.get('app'))
  })

  it('asks for the files that are new alone, those of a folder that was refused included', async () => {
    const folder = newFolder()
    apply(folder, { name: 'a.yaml', content: policy('app', VIEW) })
    const asked: number[] = []
    const loads = makeFolderLoads(
      folder,
      async (order) => {
        const news = await thread(order)
        if ('judged' in news) asked.push(news.judged.length)
        return news
      },
      await loadedFrom(folder),
    )
    apply(folder, { name: 'b.yaml', content: policy('wiki', '{id: nobody}') })
    expect((await loads()).kind).toBe('refused')
    apply(folder, { name: 'c.yaml', content: policy('shop', VIEW) })
    expect((await loads()).kind).toBe('refused')
    apply(folder, { name: 'b.yaml', content: policy('wiki', VIEW) })
    expect((await loads()).kind).toBe('loaded')
    expect(asked).toEqual([1, 1, 1])
  })

  it('whose thread leaves a file out is refused', async () => {
    const folder = newFolder()
    apply(folder, { name: 'a.yaml', content: policy('app', VIEW) })
    const loads = makeFolderLoads(
      folder,
      async () => ({ kind: 'end', revision: 'p:other', keys: ['gone'], warnings: [], judged: [] }),
      await loadedFrom(folder),
    )
    expect(await loads()).toMatchObject({ kind: 'refused', issues: [{ code: 'E00' }] })
  })

  it('whose thread has been idle starts another', async () => {
    const folder = newFolder()
    apply(folder, { name: 'a.yaml', content: policy('app', VIEW) })
    const loads = makeFolderLoads(folder, makeLoadThread(0), await loadedFrom(folder))
    for (const name of ['b', 'c', 'd']) {
      apply(folder, { name: `${name}.yaml`, content: policy(name, VIEW) })
      expect((await loads()).kind).toBe('loaded')
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
})

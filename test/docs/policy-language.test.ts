// docs/policy-language.md lists the language that is built, and says of paths what the engine does with them. Its commands
// are run by the suite of all commands.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { checkPolicies } from '../../src/policy-file/check.ts'
import { IDENTITY_PRESET } from '../../src/policy-file/identity-preset.ts'
import { ISSUE_MEANING } from '../../src/policy-file/issue.ts'
import { loadPolicies } from '../../src/policy-file/load.ts'
import { NOT_BUILT_KEYS, ruleSchema, SUBJECT_KEYS } from '../../src/policy-file/schema-rule.ts'
import { IDENTITY_PRESETS, policySchema } from '../../src/policy-file/schema.ts'
import { readPath } from '../../src/policy/path-views.ts'
import { runCases } from '../../src/rehearse/cases.ts'
import { explain } from '../../src/rehearse/explain.ts'
import { parseRequestLine } from '../../src/rehearse/imagined-request.ts'
import { blocksIn, blocksOf, placeOf, tableBelow } from './markdown.ts'
import { makeSecret, secretFilesOf } from './secret-files.ts'

const PAGE = 'docs/policy-language.md'
const page = readFileSync(PAGE, 'utf8')

const folders: string[] = []
const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-docs-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const firstCells = (heading: string): readonly string[] =>
  tableBelow(PAGE, heading).flatMap(([cell = '']) => cell.replaceAll('`', '').split(', '))

describe('the tables', () => {
  it('have every key that says who, and no other', () => {
    expect(new Set(firstCells('Who'))).toEqual(new Set(SUBJECT_KEYS))
    const [, notBuilt = ''] = /Not built yet, and an error where used: (.*?)\.\n/s.exec(page) ?? []
    expect(notBuilt.replaceAll('`', '').split(', ')).toEqual(NOT_BUILT_KEYS)
  })

  it('have every key that narrows a rule, and no other', () => {
    const others = new Set<string>(['id', ...SUBJECT_KEYS, ...NOT_BUILT_KEYS])
    const keys = Object.keys(ruleSchema.shape).filter((key) => !others.has(key))
    expect(new Set(firstCells('What, how, until when'))).toEqual(new Set(keys))
  })

  it('have every key of a file, of a section and of a test', () => {
    const { sections, tests } = policySchema.shape
    expect(new Set(firstCells('The route'))).toEqual(new Set(Object.keys(policySchema.shape)))
    expect(new Set(firstCells('Sections'))).toEqual(new Set(Object.keys(sections.element.shape)))
    expect(new Set(firstCells('Tests'))).toEqual(new Set(Object.keys(tests.unwrap().element.shape)))
  })

  it('have every preset with its names', () => {
    const rows = tableBelow(PAGE, 'Identity headers')
    expect(rows.map(([name]) => name)).toEqual(IDENTITY_PRESETS)
    for (const name of IDENTITY_PRESETS) {
      const { user, email, groups, preferredUsername, claims } = IDENTITY_PRESET[name]
      const others = [preferredUsername, ...Object.keys(claims)].filter((header) => header !== '')
      expect(rows.find(([one]) => one === name)).toEqual([name, user, email, groups, others.join(', ')])
    }
  })

  it('have every code of check with its meaning', () => {
    expect(tableBelow(PAGE, 'Codes of `check`')).toEqual(Object.entries(ISSUE_MEANING))
  })
})

describe('what a path is read as', async () => {
  const [example] = blocksOf(PAGE).filter(({ text }) => text.startsWith('# example/app.yaml'))
  const loaded = await loadPolicies(folderWith({ 'app.yaml': example?.text ?? '' }))
  const rows = tableBelow(PAGE, 'One path, many readings')

  it('has examples', () => {
    expect(rows.length).toBeGreaterThan(10)
  })

  it.each(rows.map(([asked = '', views = '', answer = '']) => [asked, views, answer] as const))(
    '%s: %s, %s',
    (asked, views, answer) => {
      const reading = readPath(asked)
      const shown = reading.kind === 'read' ? reading.path.views : ['refused']
      expect(views.replaceAll('`', '').split(' ')).toEqual(shown)
      const host = parseRequestLine('GET https://app.example.com/')
      if (loaded.kind !== 'loaded' || host.kind !== 'request') throw new Error('the example does not load')
      const request = { ...host, path: asked, preflight: false, origin: undefined, clientIp: undefined }
      const { outcome, decision } = explain(loaded.set, request, 'anonymous', Date.now())
      const rule = outcome === 'allow' ? ` ${decision.rule?.split('#')[1]}` : ''
      expect(`${outcome}${rule}`).toBe(answer)
    },
  )
})

describe('YAML of all pages', () => {
  const kindOf = (value: unknown): 'policy' | 'directory' | 'configuration' | 'other' => {
    if (typeof value !== 'object' || value === null) return 'other'
    if ('publicUrl' in value) return 'configuration'
    if ('route' in value) return 'policy'
    return 'groups' in value && 'apiVersion' in value ? 'directory' : 'other'
  }
  const blocks = blocksIn('yaml').map((block) => ({ block, kind: kindOf(parse(block.text)) }))

  it('holds policies and configurations', () => {
    const kinds = blocks.map(({ kind }) => kind)
    expect([
      kinds.filter((kind) => kind === 'policy').length,
      kinds.filter((kind) => kind === 'configuration').length,
    ]).toEqual([
      expect.toSatisfy((count: number) => count >= 3),
      expect.toSatisfy((count: number) => count >= 1),
    ])
  })

  it.each(
    blocks.filter(({ kind }) => kind === 'policy').map(({ block }) => [placeOf(block), block.text] as const),
  )('%s is a policy without errors, whose tests pass', async (_, text) => {
    const load = await loadPolicies(folderWith({ 'route.yaml': text }))
    if (load.kind === 'refused') throw new Error(JSON.stringify(load.issues))
    const nowMs = Date.now()
    const issues = checkPolicies(load, { nowMs, sources: undefined, tests: runCases(load, nowMs) })
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it.each(
    blocks
      .filter(({ kind }) => kind === 'configuration')
      .map(({ block }) => [placeOf(block), block.text] as const),
  )('%s is a configuration that loads', (_, text) => {
    const secrets = Object.fromEntries(secretFilesOf(text).map((file) => [file, makeSecret(file)]))
    const folder = folderWith({ ...secrets, 'postern.yaml': text })
    const load = loadConfig({ file: join(folder, 'postern.yaml'), env: {} })
    expect(load.kind === 'loaded' ? load.warnings : load.issues).toEqual([])
  })
})

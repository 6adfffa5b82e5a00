// The commands as a person or a pipeline runs them: data on stdout, notes on stderr, and the exit code that says it.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  const folder = (name: string, text: string): void => {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'app.yaml'), text)
  }
  const good = `apiVersion: postern/v1\nroute: app\nhosts: [app.example.com]\nsections:\n- path: /\n  allow:\n  - {id: view, groups: [eng]}\n`
  folder(
    'good',
    `${good}tests:\n- {as: {groups: [eng]}, get: /, expect: allow view}\n- {as: anonymous, get: /, expect: challenge}\n`,
  )
  folder('untested', good)
  folder(
    'failing',
    `${good}tests:\n- {as: {groups: [sre]}, get: "/<a>", expect: allow view}\n- {as: {groups: [eng]}, get: /, expect: allow view}\n`,
  )
  folder('broken', good.replace('groups', 'grops'))
  mkdirSync(join(root, 'empty'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const postern = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['src/main.ts', ...args],
      { env: { ...process.env, NO_COLOR: '1' } },
      (_, out, err) =>
        resolve({
          code: child.exitCode ?? -1,
          out: out.replaceAll(`${root}/`, ''),
          err: err.replaceAll(`${root}/`, ''),
        }),
    )
  })

const json = (ran: Ran): Record<string, unknown> => JSON.parse(ran.out) as Record<string, unknown>

describe('the shipped policies', () => {
  it('check clean, pass their tests, and every rule is reached', async () => {
    expect(await postern('check', 'policies', '--strict', '--at', '2026-12-01')).toMatchObject({
      code: 0,
      out: '',
    })
    const tested = json(await postern('test', 'policies', '-o', 'json', '--at', '2026-12-01'))
    const { failed, rules, reached } = tested['summary'] as Record<string, number>
    expect([failed, reached]).toEqual([0, rules])
  })
})

describe('check', () => {
  it('is content with a good folder', async () => {
    const ran = await postern('check', join(root, 'good'))
    expect(ran).toMatchObject({ code: 0, out: '' })
    expect(ran.err).toMatch(/^good: 0 errors, 0 warnings in 1 file; loads as p:[0-9a-f]{16}\n$/)
  })

  it('tells warnings without failing, unless it is strict', async () => {
    expect((await postern('check', join(root, 'untested'))).code).toBe(0)
    const strict = await postern('check', '--policies', join(root, 'untested'), '--strict')
    expect(strict.code).toBe(1)
    expect(strict.out).toMatch(/^untested\/app.yaml:7:10: warning W10: /)
  })

  it('with a configuration, warns of a proxy that may leave unsaid which host it serves', async () => {
    const configure = (name: string, hostHeader: string): string => {
      const file = join(root, name)
      const proxies = `proxies: {trusted: ["127.0.0.1/32"]${hostHeader}}`
      const session = 'session: {keys: [{file: session.key}], domain: example.com}'
      const providers =
        'providers: [{id: corp, issuer: "https://idp.example.com", clientId: p, claims: {groups: groups}}]'
      const lines = [
        'apiVersion: postern/v1',
        'publicUrl: https://auth.example.com',
        proxies,
        session,
        providers,
      ]
      writeFileSync(file, `${lines.join('\n')}\n`)
      return file
    }
    writeFileSync(join(root, 'session.key'), Buffer.alloc(32, 7).toString('base64'))
    const optional = configure('optional.yaml', ', hostHeader: optional')
    const warned = await postern('check', join(root, 'good'), '-c', optional)
    expect(warned.code).toBe(0)
    expect(warned.out).toMatch(
      /^optional\.yaml:3:50: warning W27: .*`optional`\n {2}why: .*\n {2}mend: .*X-Postern-Host.*`host=`/,
    )
    expect(warned.err).toContain('good: 0 errors, 1 warning in 1 file')
    expect((await postern('check', join(root, 'good'), '-c', optional, '--strict')).code).toBe(1)
    const unsaid = await postern('check', join(root, 'good'), '-c', configure('unsaid.yaml', ''))
    expect(unsaid.out).toMatch(/^unsaid\.yaml: warning W27: /)
    const required = configure('required.yaml', ', hostHeader: required')
    expect(await postern('check', join(root, 'good'), '-c', required)).toMatchObject({ code: 0, out: '' })
  })

  it('warns where the configuration keeps people from signing in', async () => {
    writeFileSync(join(root, 'session.key'), Buffer.alloc(32, 7).toString('base64'))
    const configure = (name: string, session: string, scheme: string): string => {
      const lines = [
        'apiVersion: postern/v1',
        'publicUrl: https://auth.example.com',
        `proxies: {trusted: ["127.0.0.1/32"], hostHeader: required, externalScheme: ${scheme}}`,
        `session: {keys: [{file: session.key}]${session}}`,
        'providers: [{id: corp, issuer: "https://idp.example.com", clientId: p, claims: {groups: groups}}]',
      ]
      writeFileSync(join(root, name), `${lines.join('\n')}\n`)
      return join(root, name)
    }
    const inside = configure('inside.yaml', ', domain: example.com', 'https')
    expect(await postern('check', join(root, 'good'), '-c', inside)).toMatchObject({ code: 0, out: '' })
    const perHost = configure('per-host.yaml', ', host: true', 'https')
    expect(await postern('check', join(root, 'good'), '-c', perHost)).toMatchObject({ code: 0, out: '' })
    const alone = await postern('check', join(root, 'good'), '-c', configure('alone.yaml', '', 'https'))
    expect(alone.code).toBe(0)
    expect(alone.out).toMatch(
      /^good\/app\.yaml:3:9: warning W28: .*`app\.example\.com`\n[^]*why: .*`auth\.example\.com`[^]*mend: .*`session\.domain`/,
    )
    const plain = configure('plain.yaml', ', domain: example.com', 'http')
    const mixed = await postern('check', join(root, 'good'), '-c', plain)
    expect(mixed.code).toBe(0)
    expect(mixed.out).toMatch(
      /^plain\.yaml:3:\d+: warning W29: .*`https`.*`http`\n {2}why: .*\n {2}mend: .*`proxies\.externalScheme`/,
    )
  })

  it('finds what keeps a folder from loading, with a caret', async () => {
    const ran = await postern('check', join(root, 'broken'))
    expect(ran.code).toBe(2)
    expect(ran.out).toMatch(
      /^broken\/app.yaml:7:16: error E01: unknown key `grops` \(did you mean `groups`\?\)\n7 \| .*\n {2}\| {16}\^{5}\n {2}why: /,
    )
    expect(ran.err).toContain('does not load')
  })

  it('writes JSON with version and kind', async () => {
    const report = json(await postern('check', join(root, 'failing'), '-o', 'json'))
    expect(report).toMatchObject({
      apiVersion: 'postern/v1',
      kind: 'CheckReport',
      summary: { files: 1, routes: 1, errors: 1, warnings: 0 },
      findings: [{ code: 'E11', file: 'failing/app.yaml', line: 9, severity: 'error' }],
    })
  })

  it('writes SARIF that names each rule it uses', async () => {
    const sarif = json(await postern('check', join(root, 'broken'), '-o', 'sarif'))
    expect(sarif).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'postern' } },
          results: [
            {
              ruleId: 'E01',
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'broken/app.yaml' },
                    region: { startLine: 7, startColumn: 16, endColumn: 21 },
                  },
                },
              ],
            },
          ],
        },
      ],
    })
    const [run] = sarif['runs'] as {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
    }[]
    expect(run?.tool.driver.rules.map((rule) => rule.id)).toContain('E01')
  })

  it.each([
    ['a folder that is not there', ['nowhere']],
    ['a folder without policies', ['empty']],
    ['two folders', ['good', '--policies', 'broken']],
    ['a date that is none', ['good', '--at', 'soon']],
    ['an unknown format', ['good', '-o', 'xml']],
    ['an unknown option', ['good', '--fast']],
    ['a configuration that is not there', ['-c', 'nowhere.yaml']],
    ['too many arguments', ['good', 'broken']],
  ])('cannot work with %s: exit 2', async (name, args) => {
    const ran = await postern(
      'check',
      ...args.map((arg) => (/^[a-z]+$/.test(arg) && !['xml', 'soon'].includes(arg) ? join(root, arg) : arg)),
    )
    expect([ran.code, ran.err === '']).toEqual([2, false])
    expect(ran.out === '').toBe(name !== 'a folder without policies')
  })
})

describe('test', () => {
  it('passes', async () => {
    const ran = await postern('test', join(root, 'good'))
    expect(ran).toMatchObject({ code: 0, err: 'good: 2 passed, 0 failed; 1 of 1 rules reached\n' })
    expect(ran.out).toBe(
      'good/app.yaml\n  ✓ groups=eng: GET / → allow view\n  ✓ anonymous: GET / → challenge\n',
    )
  })

  it('fails with place and reason', async () => {
    const ran = await postern('test', join(root, 'failing'))
    expect(ran.code).toBe(1)
    expect(ran.out).toContain(
      'failing/app.yaml:9: expected `allow view`, got `deny`\n      deny DENY_NO_RULE route=app section=/ | view: groups miss (has sre; wants eng)',
    )
  })

  it('writes JUnit that a parser can read', async () => {
    const { out } = await postern('test', join(root, 'failing'), '-o', 'junit')
    expect(out).toContain('<testsuites name="postern" tests="2" failures="1" errors="0">')
    expect(out).toContain('name="groups=sre: GET /&lt;a&gt; → allow view"')
    expect(out).toContain('<failure message="expected `allow view`, got `deny`">')
    expect(out.match(/<testcase /g)).toHaveLength(2)
  })

  it('does not run on a folder that does not load', async () => {
    expect(await postern('test', join(root, 'broken'))).toMatchObject({ code: 2, out: '' })
  })
})

describe('explain', () => {
  const ask = (as: string, ...more: readonly string[]): Promise<Ran> =>
    postern('explain', join(root, 'good'), '--request', 'GET https://app.example.com/x', '--as', as, ...more)

  it('says why, and whether, by its exit code', async () => {
    expect(await ask('groups=eng', '-o', 'line')).toMatchObject({
      code: 0,
      out: 'allow ALLOW_RULE route=app section=/ rule=app#view | view: groups hit\n',
    })
    expect((await ask('groups=sre')).code).toBe(1)
    expect((await ask('anonymous')).out).toContain('401, asks for session')
  })

  it('writes JSON with version and kind', async () => {
    expect(json(await ask('groups=eng', '-o', 'json'))).toMatchObject({
      apiVersion: 'postern/v1',
      kind: 'Explanation',
      as: { groups: ['eng'] },
      explanation: { outcome: 'allow', rule: 'app#view' },
    })
  })

  it('does not guess', async () => {
    expect(await ask('grops=eng')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('did you mean `groups`?'),
    })
    expect(await postern('explain', join(root, 'good'), '--request', '/x')).toMatchObject({
      code: 2,
      out: '',
    })
    expect(await postern('explain', join(root, 'good'))).toMatchObject({ code: 2, out: '' })
  })
})

describe('the program', () => {
  it('knows its version and its commands', async () => {
    expect((await postern('version')).out).toMatch(/^postern \d+\.\d+\.\d+ \(node v\d+/)
    expect(json(await postern('version', '-o', 'json'))).toMatchObject({
      apiVersion: 'postern/v1',
      kind: 'Version',
    })
  })

  it('tells its version to a flag as well', async () => {
    const named = await postern('version')
    expect(named).toMatchObject({ code: 0, err: '' })
    for (const flag of ['--version', '-V']) expect(await postern(flag)).toEqual(named)
  })

  it('suggests what was meant', async () => {
    const ran = await postern('chekc')
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain('Did you mean check?')
  })
})

// Pages that list what the code has: rooms, endpoints, keys, words, attackers. A list that is not the code's is wrong.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONFIG_KEYS, idleMeanings, REFERENCE_FILE, withReference } from '../../scripts/config-reference.ts'
import { IDENTITY_PRESET } from '../../src/policy-file/identity-preset.ts'
import { sentHeaders } from '../../src/policy-file/identity-preset.ts'
import { REASON_CODES } from '../../src/policy/reason.ts'
import { CIRCLE } from '../../src/pages/catalogue.ts'
import { ERROR_CODES } from '../../src/signin/page.ts'
import { CLIENT_NAMES } from '../../src/proxy/raw-headers.ts'
import { makeInstallation, PROXY_KEY, type Installation } from '../support/installation.ts'
import { startTestPostern, type TestPostern } from '../support/postern.ts'
import { requestText, sendRaw, type RawAnswer } from '../support/raw-http.ts'
import { trackedFiles, tableBelow } from './markdown.ts'

const textOf = (file: string): string => readFileSync(file, 'utf8')

describe('docs/configuration.md', () => {
  it('has the table of the keys that the schema has', () => {
    const page = textOf(REFERENCE_FILE)
    expect(withReference(page)).toBe(page)
  })

  it('says of every key what it means', () => {
    expect(CONFIG_KEYS.length).toBeGreaterThan(60)
    expect(CONFIG_KEYS.filter(({ meaning }) => meaning === '')).toEqual([])
    expect(idleMeanings()).toEqual([])
  })

  it('names exactly the keys that nothing reads', () => {
    const outside = globSync('src/**/*.ts').filter((file) => !file.startsWith('src/config/'))
    const code = outside.map(textOf).join('\n')
    const named =
      /\*\*Without effect so far\*\*: (.*?) (?:is|are) read/s.exec(textOf(REFERENCE_FILE))?.[1] ?? ''
    expect([...named.matchAll(/`([^`]+)`/g)].map((match) => match[1])).toEqual([
      ...(code.includes('freshnessMs') ? [] : ['session.freshness']),
      ...(/config\.state\.url|state\.url/.test(code) ? [] : ['state.url']),
      ...(code.includes('maxStaleMs') ? [] : ['state.maxStale']),
    ])
  })
})

describe('docs/architecture.md', () => {
  const rows = tableBelow('docs/architecture.md', 'The floors')

  it('lists the rooms that are there, on the floors that the imports are held to', () => {
    const rooms = new Set(globSync('src/*/*.ts').map((file) => file.split('/')[1]))
    const floors = [
      ...textOf('test/architecture/imports.test.ts').matchAll(/^ {2}'?([a-z-]+)'?: \{\s*floor: (\d+)/gm),
    ].map((match) => [match[1], match[2]])
    expect(rows.map(([room, floor]) => [room, floor])).toEqual(floors.filter(([room]) => rooms.has(room)))
    expect(rooms.size).toBe(rows.length)
  })

  it('names files that are there', () => {
    const named = [
      ...textOf('docs/architecture.md').matchAll(/`((?:[a-z-]+\/)+[a-z-]+(?:\.test)?\.(?:ts|jsonl))`/g),
    ]
    const files = named.map((match) => match[1] ?? '').filter((file) => !file.includes('<'))
    expect(files.length).toBeGreaterThan(10)
    expect(files.filter((file) => !existsSync(file) && !existsSync(join('src', file)))).toEqual([])
  })
})

describe('docs/threat-model.md', () => {
  it('shows each defence by tests that are there', () => {
    const rows = tableBelow('docs/threat-model.md', 'Who attacks what')
    expect(rows.length).toBeGreaterThan(15)
    for (const [attacker, , , shown = ''] of rows) {
      const files = [...shown.matchAll(/`?(test\/[^`,]+)`?/g)].map((match) => (match[1] ?? '').trim())
      expect(files.length, attacker).toBeGreaterThan(0)
      expect(files.filter((file) => !existsSync(file))).toEqual([])
    }
  })
})

describe('docs/glossary.md', () => {
  it('gives one meaning to each word, in order', () => {
    const words = tableBelow('docs/glossary.md', 'Glossary').map(([word = '']) => word)
    expect(new Set(words).size).toBe(words.length)
    expect(words).toEqual(words.toSorted((one, other) => one.localeCompare(other, 'en')))
  })
})

describe('docs/http-api.md', () => {
  const page = 'docs/http-api.md'
  let installation: Installation
  let postern: TestPostern

  beforeAll(async () => {
    installation = await makeInstallation({
      policies: { 'grafana.yaml': textOf('policies/grafana.yaml') },
      more: 'admin: {token: {file: proxy.key}}',
    })
    postern = await startTestPostern(installation)
  })
  afterAll(async () => {
    await postern.close()
    await installation.remove()
  })

  const pathOf = (cell: string): string => cell.replace('…', 'd/abc').replace('ID', 'corp')
  const decide = (
    target: string,
    headers: readonly (readonly [string, string])[] = [],
    method = 'GET',
  ): Promise<RawAnswer> =>
    sendRaw(
      installation.decisionPort,
      requestText(method, target, [['X-Postern-Key', PROXY_KEY], ...headers]),
    )
  const visit = (port: number, target: string, method = 'GET'): Promise<RawAnswer> =>
    sendRaw(
      port,
      requestText(method, target, [
        ['Host', 'login.example.com'],
        ['Sec-Fetch-Mode', 'navigate'],
      ]),
    )

  it('lists endpoints of the decision listener that are there, and no other one is', async () => {
    const paths = tableBelow(page, 'Decision listener').map(([cell = '']) => pathOf(cell))
    expect(paths.length).toBe(3)
    for (const path of paths) expect([path, (await decide(path)).status]).not.toEqual([path, 404])
    for (const path of ['/', '/readyz', '/sign-in', '/oauth2/auth', '/authz', '/authz/extra'])
      expect([path, (await decide(path)).status]).toEqual([path, 404])
  })

  it('lists pages of the public listener that are there', async () => {
    const paths = tableBelow(page, 'Public listener').map(([cell = '']) => pathOf(cell))
    expect(paths.length).toBe(10)
    for (const path of paths)
      expect([path, (await visit(installation.publicPort, path)).status]).not.toEqual([path, 404])
    for (const path of ['/', '/console', '/denied/x', '/readyz', '/metrics'])
      expect([path, (await visit(installation.publicPort, path)).status]).toEqual([path, 404])
    expect((await visit(installation.publicPort, '/authz/nginx')).status).toBe(404)
  })

  it('lists endpoints of the admin listener that are there', async () => {
    const rows = tableBelow(page, 'Admin listener').map(([cell = '']) => cell.split(' '))
    expect(rows.length).toBe(6)
    for (const [method, path = ''] of rows) {
      const { status } = await visit(installation.adminPort, path, method)
      expect([path, status]).toEqual([path, path.startsWith('/admin/') ? 401 : 200])
    }
  })

  const NGINX: readonly (readonly [string, string])[] = [
    ['X-Original-URL', 'https://grafana.example.com/d/abc'],
    ['X-Original-Method', 'GET'],
    ['X-Postern-Host', 'grafana.example.com'],
  ]
  const FORWARD: readonly (readonly [string, string])[] = [
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'grafana.example.com'],
    ['X-Forwarded-Uri', '/d/abc'],
  ]

  it.each([
    ['/authz/nginx', NGINX, 401],
    ['/authz/forward', FORWARD, 302],
  ] as const)('says which statuses %s answers with', async (target, headers, challenge) => {
    const caller = (groups: readonly string[]): readonly [string, string] => [
      'Cookie',
      installation.cookie('anna', groups),
    ]
    const page: readonly [string, string] = ['Accept', 'text/html']
    expect((await decide(target, [...headers, caller(['eng'])])).status).toBe(200)
    expect((await decide(target, [...headers, page])).status).toBe(challenge)
    expect((await decide(target, headers)).status).toBe(401)
    expect((await decide(target, [...headers, caller(['contractors'])])).status).toBe(403)
    expect((await decide(target, headers.slice(1))).status).toBe(400)
    expect((await decide(`${target}?unknown=1`, headers)).status).toBe(400)
    expect((await decide(`${target}?host=other.example.com`, [...headers, caller(['eng'])])).status).toBe(403)
    expect((await decide(`${target}?route=other`, [...headers, caller(['eng'])])).status).toBe(403)
    expect((await decide(target, headers, 'TRACE')).status).toBe(405)
  })

  it('says which headers are in every answer', async () => {
    const [, said = ''] = /Every answer: (.*?) with the id/s.exec(textOf(page)) ?? []
    const names = [...said.matchAll(/`([A-Za-z-]+)/g)].map((match) => (match[1] ?? '').toLowerCase())
    expect(names.length).toBe(4)
    for (const headers of [
      NGINX,
      [...NGINX, ['Cookie', installation.cookie('anna', ['eng'])] as const],
      [],
    ]) {
      const answer = await decide('/authz/nginx', headers)
      expect(names.filter((name) => !answer.headers.has(name))).toEqual([])
    }
  })

  it('names the identity headers and the headers that are read', () => {
    const rows = tableBelow(page, 'Headers of an answer').map(([name]) => name)
    expect(rows).toEqual(sentHeaders(IDENTITY_PRESET.default))
    const [, said = ''] = /each dialect reads (.*?) and\sthe one/s.exec(textOf(page)) ?? []
    const read = [...said.matchAll(/`([A-Za-z0-9-]+)`/g)].map((match) => (match[1] ?? '').toLowerCase())
    expect(new Set(read)).toEqual(new Set([...CLIENT_NAMES, 'cookie']))
  })
})

describe('docs/sign-in.md, on error pages', () => {
  it('has every code with its title, its cause and what to do', () => {
    const source = textOf('src/pages/error-codes.ts')
    const titles = [...source.matchAll(/^ {2}'(PST-\d+)': \{\s+title: '([^']+)'/gm)].map(
      ([, code, title]) => [code, title],
    )
    const sections = [
      ...textOf('docs/sign-in.md').matchAll(/^### (PST-\d+)\n\*\*(.+?)\.\*\* \*Cause\*: .+ \*Act\*: .+\.$/gm),
    ].map(([, code, title]) => [code, title])
    expect(titles.map(([code]) => code)).toEqual([...ERROR_CODES])
    expect(sections).toEqual(titles)
  })
})

describe('docs/operations.md', () => {
  const page = 'docs/operations.md'
  let installation: Installation
  let postern: TestPostern

  beforeAll(async () => {
    installation = await makeInstallation({ policies: { 'grafana.yaml': textOf('policies/grafana.yaml') } })
    postern = await startTestPostern(installation)
  })
  afterAll(async () => {
    await postern.close()
    await installation.remove()
  })

  const read = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${installation.adminPort}${path}`)).text()

  it('lists the metrics that a service has', async () => {
    const served = [...(await read('/metrics')).matchAll(/^# TYPE (postern_\w+)/gm)].map((match) => match[1])
    const listed = tableBelow(page, 'Metrics').map(([name]) => name)
    expect(served.length).toBeGreaterThan(15)
    expect(new Set(listed)).toEqual(new Set(served))
    expect(listed.length).toBe(served.length)
  })

  it('lists the labels that they have', async () => {
    await sendRaw(
      installation.decisionPort,
      requestText('GET', '/authz/nginx', [
        ['X-Postern-Key', PROXY_KEY],
        ['X-Original-URL', 'https://grafana.example.com/'],
        ['X-Original-Method', 'GET'],
        ['X-Postern-Host', 'grafana.example.com'],
        ['Cookie', installation.cookie('anna', ['eng'])],
      ]),
    )
    await fetch(`http://127.0.0.1:${installation.publicPort}/callback/corp?state=x&code=y`)
    const text = await read('/metrics')
    const listed = new Map(
      tableBelow(page, 'Metrics').map(([name = '', labels = '']) => [name, labels.replaceAll(/[` ]/g, '')]),
    )
    const seen = new Set<string>()
    for (const [, sample = '', written = ''] of text.matchAll(/^(postern_\w+?)(?:\{(.*)\})? \S+$/gm)) {
      const name = listed.has(sample) ? sample : sample.replace(/_(?:bucket|sum|count)$/, '')
      const names = [...written.matchAll(/(?:^|,)(\w+)="/g)]
        .map((match) => match[1])
        .filter((one) => one !== 'le')
      expect([name, names.join()]).toEqual([name, listed.get(name)])
      seen.add(name)
    }
    // The others have series only where there is an issuer, a provider that was asked, a rule that ends.
    expect(new Set([...listed.keys()].filter((name) => !seen.has(name)))).toEqual(
      new Set([
        'postern_jwks_age_seconds',
        'postern_until_seconds',
        'postern_upstream_request_duration_seconds',
      ]),
    )
  })

  it('lists what readiness looks at', async () => {
    const served = [...(await read('/readyz?verbose')).matchAll(/^\[.\](\S+)/gm)].map((match) => match[1])
    const listed = tableBelow(page, 'Readiness').map(([name]) => name)
    expect(listed.filter((name) => name !== 'issuer-ID')).toEqual(served)
  })

  it('names codes and reasons that are there', () => {
    const text = textOf(page)
    const pages = textOf('src/pages/error-codes.ts')
    const codes = [...text.matchAll(/PST-\d+/g)].map((match) => match[0])
    expect(codes.filter((code) => !pages.includes(`'${code}'`))).toEqual([])
    const reasons = [...text.matchAll(/`((?:DENY|ALLOW|ERROR|CHALLENGE)_[A-Z_]+)`/g)].map(
      (match) => match[1] ?? '',
    )
    const known: readonly string[] = REASON_CODES
    expect(reasons.length).toBeGreaterThan(8)
    expect(reasons.filter((reason) => !known.includes(reason))).toEqual([])
  })
})

describe('docs/sign-in.md, on circles', () => {
  it('lists the causes that there are', () => {
    const rows = tableBelow('docs/sign-in.md', 'The page about a circle').map(([cause]) => cause)
    expect(rows).toEqual(Object.keys(CIRCLE.cause))
  })
})

describe('the pages', () => {
  it('are found by git', () => {
    expect(trackedFiles('docs/*.md').length).toBeGreaterThan(8)
  })
})

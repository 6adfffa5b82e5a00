// Several files are one configuration: later ones win key by key, lists with ids are joined by id, and whatever is said
// of a value names the file in which it stands.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { originText, type Path } from '../../../src/config/issue.ts'
import { loadConfig, type Loaded, type LoadInput } from '../../../src/config/load.ts'
import { showJson, showYaml } from '../../../src/config/show.ts'
import { complaints, configOf, folder, HEAD, PLANTED, put, SESSION_KEY } from './installation-folder.ts'

const PROVIDERS = [
  'providers:',
  '- {id: corp, issuer: "https://a.example.com", clientId: p, clientSecret: {file: oidc.secret}, scopes: [openid, email], claims: {groups: roles}}',
  '- {id: guests, issuer: "https://g.example.com", clientId: p}',
]

/** Loads files of the folder, in this order. */
const loadAll = (
  files: Readonly<Record<string, readonly string[]>>,
  more: Partial<LoadInput> = {},
): Loaded => {
  const names = Object.entries(files).map(([name, lines]) => put(name, `${lines.join('\n')}\n`))
  return loadConfig({ file: names, env: {}, ...more })
}

const whereIs = (loaded: Loaded, path: Path): string => {
  if (loaded.kind === 'refused') throw new Error(complaints(loaded).join('\n'))
  return [loaded.originOf(path), ...loaded.replacedAt(path)]
    .map(originText)
    .join(' over ')
    .replaceAll(`${folder}/`, '')
}

describe('of two files', () => {
  it('the later wins key by key, and leaves the other keys of a map alone', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD, 'cache: {decisions: 10, ttl: 5s}'],
      'b.yaml': ['cache: {ttl: 7s}', 'session: {idle: 20m}'],
    })
    expect(configOf(loaded)).toMatchObject({
      cache: { decisions: 10, ttlMs: 7000 },
      session: { domain: 'example.com', idleMs: 1_200_000 },
    })
    expect(whereIs(loaded, ['cache', 'ttl'])).toBe('b.yaml:1:14 over a.yaml:5:29')
    expect(whereIs(loaded, ['cache', 'decisions'])).toBe('a.yaml:5:20')
    expect(whereIs(loaded, ['cache', 'decisions'])).not.toContain('over')
  })

  it('the order says which is the later', () => {
    const files = { 'a.yaml': [...HEAD, 'cache: {ttl: 5s}'], 'b.yaml': ['cache: {ttl: 7s}'] }
    const turned = { 'b.yaml': files['b.yaml'], 'a.yaml': files['a.yaml'] }
    expect(configOf(loadAll(files)).cache.ttlMs).toBe(7000)
    expect(configOf(loadAll(turned)).cache.ttlMs).toBe(5000)
  })

  it('entries with the same id are joined at their place, others follow', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD, ...PROVIDERS],
      'b.yaml': [
        'providers:',
        '- {id: partners, issuer: "https://p.example.com", clientId: q}',
        '- {id: corp, clientId: other, claims: {dept: department}}',
      ],
    })
    expect(configOf(loaded).providers).toMatchObject([
      {
        id: 'corp',
        issuer: 'https://a.example.com',
        clientId: 'other',
        scopes: ['openid', 'email'],
        claims: { groups: 'roles', dept: 'department' },
      },
      { id: 'guests', clientId: 'p' },
      { id: 'partners', clientId: 'q' },
    ])
    expect(whereIs(loaded, ['providers', 0, 'clientId'])).toBe('b.yaml:3:24 over a.yaml:6:57')
    expect(whereIs(loaded, ['providers', 2, 'clientId'])).toBe('b.yaml:2:61')
  })

  it('a list without ids is replaced whole, not added to', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD.slice(0, 2), ...HEAD.slice(3), 'proxies: {trusted: ["10.0.0.0/8", "::1"]}'],
      'b.yaml': ['proxies: {trusted: ["127.0.0.1/32"]}'],
    })
    expect(configOf(loaded).proxies.trusted.map(({ text }) => text)).toEqual(['127.0.0.1/32'])
    expect(whereIs(loaded, ['proxies', 'trusted', 0])).toBe('b.yaml:1:21 over a.yaml:4:20')
  })

  it('a secret is where the later one says, and not in two places', () => {
    const loaded = loadAll(
      {
        'a.yaml': [
          ...HEAD,
          ...PROVIDERS,
          'admin: {tokens: [{id: anna, file: absent}, {id: ben, file: absent}]}',
        ],
        'b.yaml': [
          'providers: [{id: corp, clientSecret: {env: THE_SECRET}}]',
          'admin: {tokens: [{id: anna, env: ANNAS}, {id: ben, file: oidc.secret}]}',
        ],
      },
      { env: { THE_SECRET: 'from-env', ANNAS: 'annas-token' } },
    )
    expect(configOf(loaded).providers[0]?.clientSecret?.reveal()).toBe('from-env')
    expect(configOf(loaded).admin.tokens.map(({ id, token }) => [id, token.reveal()])).toEqual([
      ['anna', 'annas-token'],
      ['ben', PLANTED],
    ])
    expect(whereIs(loaded, ['admin', 'tokens', 0, 'env'])).toBe('b.yaml:2:34 over a.yaml:8:35')
    expect(whereIs(loaded, ['admin', 'tokens', 1, 'file'])).toBe('b.yaml:2:58 over a.yaml:8:60')
    expect(whereIs(loaded, ['providers', 0, 'clientSecret', 'env'])).toBe('b.yaml:1:44 over a.yaml:6:81')
  })

  it('the same value twice replaces nothing that anybody would miss', () => {
    const loaded = loadAll({ 'a.yaml': [...HEAD, 'cache: {ttl: 5s}'], 'b.yaml': ['cache: {ttl: 5s}'] })
    expect(whereIs(loaded, ['cache', 'ttl'])).toBe('b.yaml:1:14')
  })

  it('an id twice in one file stays a mistake', () => {
    const twice =
      'providers: [{id: corp, issuer: "https://a.example.com", clientId: p}, {id: corp, issuer: "https://b.example.com", clientId: q}]'
    const loaded = loadAll({ 'a.yaml': HEAD, 'b.yaml': [twice] })
    expect(complaints(loaded).join()).toMatch(/^b\.yaml:1:76: `providers\[1\].id`: `corp` is there already/)
  })

  it('an id twice in the later one stays a mistake, though the earlier one has it', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD, ...PROVIDERS, 'admin: {tokens: [{id: anna, file: oidc.secret}]}'],
      'b.yaml': [
        'providers: [{id: corp, clientId: q}, {id: corp, issuer: "https://b.example.com", clientId: r}]',
        'admin: {tokens: [{id: anna, file: oidc.secret}, {id: anna, file: oidc.secret}]}',
      ],
    })
    expect(complaints(loaded).map((text) => text.split(';')[0])).toEqual([
      'b.yaml:1:43: `providers[2].id`: `corp` is there already',
      'b.yaml:2:54: `admin.tokens[1].id`: `anna` is there already',
    ])
  })

  it('what decides whom to trust is not replaced without a word', () => {
    const first = [
      ...HEAD,
      'providers: [{id: corp, issuer: "https://a.example.com", emailTrusted: false, clientId: p}]',
      'admin: {tokens: [{id: anna, file: oidc.secret}]}',
      'audit: {sink: stdout}',
      'cache: {ttl: 5s}',
    ]
    const later = [
      'providers: [{id: corp, issuer: "https://b.example.com", emailTrusted: true, label: Corp}]',
      'proxies: {trusted: ["10.0.0.0/8"]}',
      'session: {keys: [{env: KEY}]}',
      'admin: {tokens: [{id: anna, env: ANNAS}]}',
      'cache: {ttl: 6s}',
      'audit: {sink: {file: b.log}}',
    ]
    const env = { KEY: SESSION_KEY, ANNAS: 'annas-token-annas-token' }
    const loaded = loadAll({ 'a.yaml': first, 'b.yaml': later }, { env })
    expect(configOf(loaded).proxies.trusted).toHaveLength(1)
    expect(complaints(loaded).map((text) => text.split(', which')[0])).toEqual([
      'b.yaml:2:20: `proxies.trusted`: this is over a.yaml:3:20',
      'b.yaml:3:17: `session.keys`: this is over a.yaml:4:17',
      'b.yaml:1:32: `providers[0].issuer`: this is over a.yaml:5:32',
      'b.yaml:1:71: `providers[0].emailTrusted`: this is over a.yaml:5:71',
      'b.yaml:4:34: `admin.tokens[0].env`: this is over a.yaml:6:35',
      'b.yaml:6:15: `audit.sink`: this is over a.yaml:7:15',
    ])
    expect(
      complaints(loadAll({ 'a.yaml': first, 'b.yaml': ['proxies: {trusted: ["127.0.0.1/32"]}'] })),
    ).toEqual([])
    expect(complaints(loadAll({ 'a.yaml': first, 'b.yaml': ['cache: {ttl: 6s}'] }))).toEqual([])
  })

  it('an empty one says nothing', () => {
    expect(configOf(loadAll({ 'a.yaml': HEAD, 'b.yaml': ['# later'] })).session.domain).toBe('example.com')
  })
})

describe('variables and flags', () => {
  it('are over every file, and count entries as they are joined', () => {
    const loaded = loadAll(
      { 'a.yaml': [...HEAD, ...PROVIDERS, 'cache: {ttl: 5s}'], 'b.yaml': ['cache: {ttl: 7s}'] },
      {
        env: { POSTERN_CACHE_TTL: '8s', POSTERN_PROVIDERS_1_CLIENT_ID: 'g' },
        flags: { '--cache-ttl': '9s' },
      },
    )
    expect(configOf(loaded).cache.ttlMs).toBe(9000)
    expect(whereIs(loaded, ['cache', 'ttl'])).toBe(
      '--cache-ttl over POSTERN_CACHE_TTL over b.yaml:1:14 over a.yaml:8:14',
    )
    expect(configOf(loaded).providers[1]).toMatchObject({ id: 'guests', clientId: 'g' })
    expect(whereIs(loaded, ['providers', 1, 'clientId'])).toBe(
      'POSTERN_PROVIDERS_1_CLIENT_ID over a.yaml:7:59',
    )
  })

  it('that say what the file says replace nothing', () => {
    const loaded = loadAll(
      { 'a.yaml': [...HEAD, 'cache: {ttl: 5s}'] },
      { env: { POSTERN_CACHE_TTL: '5s', POSTERN_CACHE_DECISIONS: '3' } },
    )
    expect(whereIs(loaded, ['cache', 'ttl'])).toBe('POSTERN_CACHE_TTL')
    expect(whereIs(loaded, ['cache', 'decisions'])).toBe('POSTERN_CACHE_DECISIONS')
  })
})

describe('paths', () => {
  it('begin in the folder of the file in which they stand; those of variables, in that of the first', () => {
    mkdirSync(join(folder, 'elsewhere'), { recursive: true })
    put('elsewhere/other.secret', 'from-elsewhere')
    const files = {
      'a.yaml': [...HEAD, 'policies: rules', 'admin: {token: {file: oidc.secret}}'],
      'elsewhere/b.yaml': ['admin: {token: {file: other.secret}}', 'state: {file: b.state}'],
    }
    const config = configOf(loadAll(files))
    expect(config.policiesFolder).toBe(join(folder, 'rules'))
    expect(config.state.file).toBe(join(folder, 'elsewhere/b.state'))
    expect(config.session.keys).toHaveLength(1)
    expect(config.admin.tokens[0]?.token.reveal()).toBe('from-elsewhere')
    const given = configOf(loadAll(files, { env: { POSTERN_STATE_FILE: 'v.state' } }))
    expect(given.state.file).toBe(join(folder, 'v.state'))
  })
})

describe('a folder', () => {
  const inFolder = (name: string, files: Readonly<Record<string, readonly string[]>>): string => {
    mkdirSync(join(folder, name), { recursive: true })
    for (const [file, lines] of Object.entries(files))
      writeFileSync(join(folder, name, file), `${lines.join('\n')}\n`)
    return join(folder, name)
  }

  it('stands for the YAML files in it, in the order of their names', () => {
    const conf = inFolder('conf.d', {
      '20-late.yaml': ['cache: {ttl: 9s}'],
      '10-early.yml': ['cache: {ttl: 7s, decisions: 1}'],
      'notes.txt': ['no configuration'],
      '.hidden.yaml': ['cache: {ttl: 1s}'],
    })
    const loaded = loadConfig({ file: [put('a.yaml', `${HEAD.join('\n')}\n`), conf], env: {} })
    expect(configOf(loaded).cache).toEqual({ ttlMs: 9000, decisions: 1 })
    expect(whereIs(loaded, ['cache', 'ttl'])).toBe('conf.d/20-late.yaml:1:14 over conf.d/10-early.yml:1:14')
  })

  it('without any is told', () => {
    expect(complaints(loadConfig({ file: inFolder('empty.d', { 'x.txt': ['x'] }), env: {} }))).toEqual([
      'empty.d:1:1: this folder holds no configuration; put files into it whose names end in `.yaml`',
    ])
  })
})

describe('a mistake', () => {
  it('is told with the file in which it stands, its line and a caret', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD, 'cashe: {}'],
      'b.yaml': ['cache: {decsions: 1}', 'session: {idle: soon}'],
    })
    expect(complaints(loaded)).toEqual([
      ['a.yaml:5:1: unknown key `cashe` (did you mean `cache`?)', '5 | cashe: **', '  | ^^^^^'].join('\n'),
      [
        'b.yaml:1:9: unknown key `decsions` in `cache` (did you mean `decisions`?)',
        '1 | cache: {decsions: *}',
        '  |         ^^^^^^^^',
      ].join('\n'),
      expect.stringMatching(/^b\.yaml:2:17: `session\.idle`: `soon` is not a duration/),
    ])
  })

  it('about what is missing is told where the entry begins', () => {
    const loaded = loadAll({
      'a.yaml': [...HEAD, 'providers: [{id: corp, clientId: p}]'],
      'b.yaml': ['providers: [{id: corp, label: Corp}, {id: new, clientId: p}]'],
    })
    expect(complaints(loaded).map((text) => text.split('\n')[0])).toEqual([
      expect.stringMatching(/^a\.yaml:5:13: `providers\[0\].issuer` is missing/),
      expect.stringMatching(/^b\.yaml:1:38: `providers\[1\].issuer` is missing/),
    ])
  })

  it('in a value that gave way is none', () => {
    const files = { 'a.yaml': [...HEAD, 'cache: {ttl: never}'], 'b.yaml': ['cache: {ttl: 7s}'] }
    expect(configOf(loadAll(files)).cache.ttlMs).toBe(7000)
    expect(loadAll({ 'a.yaml': files['a.yaml'] }).kind).toBe('refused')
  })

  it('in the YAML of each file is told at once, and so is one that is not there', () => {
    const good = put('a.yaml', `${HEAD.join('\n')}\n`)
    const broken = put('b.yaml', 'cache: {ttl: 7s\n')
    const loaded = loadConfig({ file: [broken, join(folder, 'absent.yaml'), good], env: {} })
    expect(complaints(loaded).map((text) => text.split(':')[0])).toEqual(['b.yaml', 'absent.yaml'])
  })

  it('such as a file that is no map does not take the place of the others', () => {
    const loaded = loadAll({ 'a.yaml': HEAD, 'b.yaml': [PLANTED] })
    expect(complaints(loaded)).toEqual([
      'b.yaml:1:1: this file is no map of keys; is it one of the configuration?',
    ])
  })
})

describe('a secret in the wrong place', () => {
  it.each([
    ['in the later file', HEAD, [`admin: {token: ${PLANTED}, tokn: x}`]],
    ['in the earlier file', [...HEAD, `admin: {token: ${PLANTED}, tokn: x}`], ['cache: {ttl: 5s}']],
    [
      'beside a mistake, in a value that gave way',
      [...HEAD, `admin: {token: ${PLANTED}, tokn: x}`],
      ['admin: {token: {file: oidc.secret}}'],
    ],
    ['under a key that both misspell', [...HEAD, `admin: {tokn: ${PLANTED}}`], [`admin: {tokn: ${PLANTED}}`]],
    ['in what becomes a map', [...HEAD, `admin: {tokn: ${PLANTED}, x: 1}`], ['admin: {tokn: {a: b}}']],
  ])('is refused and not shown: %s', (_, one, other) => {
    const loaded = loadAll({ 'a.yaml': one, 'b.yaml': other })
    expect(loaded.kind).toBe('refused')
    expect(complaints(loaded).join('\n')).not.toContain(PLANTED)
  })
})

describe('config show', () => {
  const loaded = loadAll({
    'a.yaml': [...HEAD, 'cache: {ttl: 5s}', 'admin: {token: {file: oidc.secret}}'],
    'b.yaml': ['cache: {ttl: 7s}'],
  })
  if (loaded.kind === 'refused') throw new Error('refused')
  const plain = (text: string): string => text.replaceAll(`${folder}/`, '')

  it('says which file a value is from, and what it took the place of', () => {
    expect(plain(showYaml(loaded, true))).toContain('  ttl: 7s # b.yaml:1:14, over a.yaml:5:14\n')
    expect(JSON.parse(plain(showJson(loaded, true)))).toMatchObject({
      origins: { 'cache.ttl': 'b.yaml:1:14', 'admin.token.file': 'a.yaml:6:23', 'log.level': 'default' },
      replaced: { 'cache.ttl': ['a.yaml:5:14'] },
    })
    expect(showYaml(loaded, true) + showJson(loaded, true)).not.toContain(PLANTED)
  })
})

// What a configuration comes to: defaults, variables and flags over the file, and the place that each value is from.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keyBytes } from '../../../src/config/config.ts'
import { originText, type Path } from '../../../src/config/issue.ts'
import { SETTINGS } from '../../../src/config/setting.ts'
import type { LoadInput } from '../../../src/config/load.ts'
import { complaints, configOf, folder, HEAD, load } from './installation-folder.ts'

describe('the shortest configuration', () => {
  const config = configOf(load(HEAD))

  it('listens on loopback alone', () => {
    expect(config.listen).toEqual({
      decision: { host: '127.0.0.1', port: 4181 },
      public: { host: '127.0.0.1', port: 4180 },
      admin: { host: '127.0.0.1', port: 9090 },
    })
  })

  it('knows no client address, no token and no assertion', () => {
    expect(config.proxies.clientIp).toEqual({ nginx: undefined, forward: undefined, ext: undefined })
    expect(config.admin.tokens).toEqual([])
    expect(config.assertion).toBeUndefined()
  })

  it('has the limits of its documentation', () => {
    expect(config.session).toMatchObject({ absoluteMs: 43_200_000, idleMs: 3_600_000, freshnessMs: 600_000 })
    expect(config.cache).toEqual({ decisions: 50_000, ttlMs: 60_000 })
    expect(config.state).toEqual({ kind: 'memory', file: undefined, maxStaleMs: 30_000 })
    expect(config.audit.sink).toEqual({ kind: 'stdout' })
  })

  it('opens sessions with the bytes of its key', () => {
    expect(config.session.keys.map((key) => Buffer.from(keyBytes(key)))).toEqual([Buffer.alloc(32, 7)])
  })
})

describe('paths', () => {
  it('are relative to the configuration file', () => {
    const config = configOf(
      load([
        ...HEAD,
        'policies: rules',
        'state: {file: a/b.state}',
        'audit: {sink: {file: /var/log/d.ndjson}}',
      ]),
    )
    expect(config.policiesFolder).toBe(join(folder, 'rules'))
    expect(config.state.file).toBe(join(folder, 'a/b.state'))
    expect(config.audit.sink).toEqual({ kind: 'file', path: '/var/log/d.ndjson' })
  })
})

describe('secrets', () => {
  it('come from a file without its last line break, or from a variable', () => {
    const lines = [...HEAD, 'admin: {tokens: [{id: a, file: oidc.secret}, {id: b, env: TOKEN_B}]}']
    const { admin } = configOf(load(lines, { env: { TOKEN_B: 'b-token' } }))
    expect(admin.tokens.map(({ id, token }) => [id, token.reveal()])).toEqual([
      ['a', 'hunter2hunter2'],
      ['b', 'b-token'],
    ])
  })

  it('give the single token an id, too', () => {
    expect(
      configOf(load([...HEAD, 'admin: {token: {file: oidc.secret}}'])).admin.tokens.map(({ id }) => id),
    ).toEqual(['admin'])
  })
})

describe('sources', () => {
  const sources = (provider: string, issuer: string) =>
    configOf(
      load([
        ...HEAD,
        `providers: [{id: corp, issuer: "https://a.example.com", clientId: p${provider}}]`,
        `issuers: [{id: api, issuer: "https://a.example.com", audience: api${issuer}}]`,
      ]),
    )

  it('assert the standard claims, of which groups are none; bearer tokens only their subject', () => {
    const {
      providers: [provider],
      issuers: [issuer],
    } = sources('', '')
    expect(provider?.claims).toMatchObject({ sub: 'sub', email: 'email', name: 'name' })
    expect(Object.keys(provider?.claims ?? {})).not.toContain('groups')
    expect(issuer?.claims).toEqual({ sub: 'sub' })
  })

  it('assert what is mapped, and no longer what is set to false', () => {
    const {
      providers: [provider],
      issuers: [issuer],
    } = sources(', claims: {groups: roles, name: false}', ', claims: {groups: roles}')
    expect(provider?.claims).toMatchObject({ groups: 'roles', email: 'email' })
    expect(Object.keys(provider?.claims ?? {})).not.toContain('name')
    expect(issuer?.claims).toEqual({ sub: 'sub', groups: 'roles' })
  })

  it('speak for machines and sign with public keys unless told otherwise', () => {
    expect(sources('', '').issuers[0]).toMatchObject({
      subjects: 'machines',
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      maxTokenAgeSeconds: undefined,
    })
    expect(sources('', ', subjects: people, maxTokenAge: 1h').issuers[0]).toMatchObject({
      subjects: 'people',
      maxTokenAgeSeconds: 3600,
    })
  })

  it('of a cluster vouch for service accounts, by the hour and in the form of its tokens', () => {
    expect(sources('', '').issuers[0]).toMatchObject({
      credential: 'bearer',
      tokenTypes: ['at+jwt', 'jwt'],
    })
    expect(sources('', ', kind: kubernetes').issuers[0]).toMatchObject({
      credential: 'service-account',
      subjects: 'machines',
      tokenTypes: ['jwt'],
      maxTokenAgeSeconds: 3600,
    })
    expect(
      sources('', ', kind: kubernetes, maxTokenAge: 1d, tokenTypes: [jwt, at+jwt]').issuers[0],
    ).toMatchObject({ tokenTypes: ['jwt', 'at+jwt'], maxTokenAgeSeconds: 86_400 })
  })

  it('are believed by default where they are the only one of their kind, or say so', () => {
    const defaults = (first: string, second: string) =>
      configOf(
        load([
          ...HEAD,
          'providers:',
          `- {id: a, issuer: "https://a.example.com", clientId: p${first}}`,
          `- {id: b, issuer: "https://b.example.com", clientId: p${second}}`,
        ]),
      ).providers.map(({ isDefault }) => isDefault)
    expect(sources('', '')).toMatchObject({
      providers: [{ isDefault: true }],
      issuers: [{ isDefault: true }],
    })
    expect(sources(', default: false', '').providers[0]?.isDefault).toBe(false)
    expect(defaults('', '')).toEqual([false, false])
    expect(defaults('', ', default: true')).toEqual([false, true])
  })
})

describe('flags over variables over the file over defaults', () => {
  const IDLE: Path = ['session', 'idle']
  const FILE = [...HEAD.slice(0, 3), 'session: {keys: [{file: session.key}], domain: example.com, idle: 50m}']
  const VARIABLE = { env: { POSTERN_SESSION_IDLE: '40m' } }
  const FLAG = { flags: { '--session-idle': '30m' } }

  it.each<[string, readonly string[], Partial<LoadInput>, number]>([
    ['default', HEAD, {}, 60],
    ['postern.yaml:4:67', FILE, {}, 50],
    ['POSTERN_SESSION_IDLE', FILE, VARIABLE, 40],
    ['--session-idle', FILE, { ...VARIABLE, ...FLAG }, 30],
    ['--session-idle', HEAD, FLAG, 30],
    ['postern.yaml:4:67', FILE, { env: { POSTERN_SESSION_IDLE: '' } }, 50],
  ])('%s', (origin, lines, more, minutes) => {
    const loaded = load(lines, more)
    expect(configOf(loaded).session.idleMs).toBe(minutes * 60_000)
    expect(loaded.kind === 'loaded' && originText(loaded.originOf(IDLE)).replace(`${folder}/`, '')).toBe(
      origin,
    )
  })

  it('reach into lists, maps and choices', () => {
    const lines = [
      ...HEAD,
      'providers: [{id: corp, issuer: "https://a.example.com", clientId: p}]',
      'admin: {token: {file: absent}}',
    ]
    const config = configOf(
      load(lines, {
        env: {
          POSTERN_PROXIES_TRUSTED: '10.0.0.0/8, ::1',
          POSTERN_PROVIDERS_0_CLIENT_ID: 'other',
          POSTERN_PROVIDERS_1_ID: 'second',
          POSTERN_PROVIDERS_1_ISSUER: 'https://b.example.com',
          POSTERN_PROVIDERS_1_CLIENT_ID: 'p2',
          POSTERN_PROVIDERS_1_EMAIL_TRUSTED: 'true',
          POSTERN_CACHE_DECISIONS: '0',
          POSTERN_AUDIT_SINK_FILE: 'd.ndjson',
          POSTERN_ADMIN_TOKEN_ENV: 'THE_TOKEN',
          THE_TOKEN: 'a-token',
        },
      }),
    )
    expect(config.proxies.trusted.map(({ text }) => text)).toEqual(['10.0.0.0/8', '::1'])
    expect(config.providers).toMatchObject([
      { id: 'corp', clientId: 'other', emailTrusted: false },
      { id: 'second', clientId: 'p2', emailTrusted: true },
    ])
    expect(config.cache.decisions).toBe(0)
    expect(config.audit.sink).toEqual({ kind: 'file', path: join(folder, 'd.ndjson') })
    expect(config.admin.tokens[0]?.token.reveal()).toBe('a-token')
  })

  it.each([
    [
      { POSTERN_CACHE_DECISIONS: 'many' },
      'POSTERN_CACHE_DECISIONS: `cache.decisions` must be a whole number',
    ],
    [{ POSTERN_SESSION_HOST: 'yes' }, 'POSTERN_SESSION_HOST: `session.host` must be `true` or `false`'],
    [
      { POSTERN_SESSION_IDLE: 'long' },
      'POSTERN_SESSION_IDLE: `session.idle`: `long` is not a duration; write a whole number above 0 and one unit (ms, s, m, h, d), such as `10m` or `90d`',
    ],
    [
      { POSTERN_PROVIDERS_0_CLIENTID: 'p' },
      'POSTERN_PROVIDERS_0_CLIENTID: this variable sets nothing (did you mean `POSTERN_PROVIDERS_<N>_CLIENT_ID`?)',
    ],
    [
      { POSTERN_SESSION_IDEL: '1h' },
      'POSTERN_SESSION_IDEL: this variable sets nothing (did you mean `POSTERN_SESSION_IDLE`?)',
    ],
    [
      { POSTERN_PROVIDERS_0_ID: 'a', POSTERN_PROVIDERS_0_ISSUER: 'https://a.example.com' },
      'POSTERN_PROVIDERS_0_ID: `providers[0].clientId` is missing: Postern at the provider',
    ],
  ])('are blamed by name: %j', (env, text) => {
    expect(complaints(load(HEAD, { env }))).toEqual([text])
  })

  it('leave other variables alone: those of Kubernetes services, of secrets, of commands', () => {
    const env = {
      POSTERN_SERVICE_HOST: '10.96.0.7',
      POSTERN_PORT: 'tcp://10.96.0.7:4181',
      POSTERN_PORT_4181_TCP_ADDR: '10.96.0.7',
      POSTERN_PUBLIC_SERVICE_PORT_HTTP: '4180',
      POSTERN_ADMIN_TOKENS_SECRET: 'a-token',
      POSTERN_CONFIG: 'x.yaml',
      UNRELATED: 'x',
    }
    const lines = [...HEAD, 'admin: {token: {env: POSTERN_ADMIN_TOKENS_SECRET}}']
    expect(complaints(load(lines, { env, knownVariables: ['POSTERN_CONFIG'] }))).toEqual([])
    expect(complaints(load(lines, { env }))).toEqual(['POSTERN_CONFIG: this variable sets nothing'])
  })

  it('never share a name between two keys, nor one with Kubernetes', () => {
    const names = SETTINGS.map(({ variable }) => variable)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('POSTERN_PROVIDERS_<N>_CLIENT_SECRET_FILE')
    expect(names.filter((name) => /_(?:SERVICE_HOST|SERVICE_PORT|PORT)$/.test(name))).toEqual([])
  })
})

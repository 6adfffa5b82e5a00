// A mistake is told where it stands, in words that say how to mend it, and all mistakes are told at once.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { complaints, folder, HEAD, load, put } from './installation-folder.ts'

const FROM_LINE_5 = [
  ['a misspelt key', 'asertion: {}', '5:1: unknown key `asertion` (did you mean `assertion`?)'],
  [
    'a misspelt key within a map',
    'cache: {decsions: 1}',
    '5:9: unknown key `decsions` in `cache` (did you mean `decisions`?)',
  ],
  [
    'a key that resembles none',
    'cache: {frobnicate: 1}',
    '5:9: unknown key `frobnicate` in `cache`; known are decisions, ttl',
  ],
  [
    'a duration without unit',
    'cache: {ttl: "60"}',
    '5:14: `cache.ttl`: `60` is not a duration; write a whole number above 0 and one unit (ms, s, m, h, d), such as `10m` or `90d`',
  ],
  [
    'a duration of nothing',
    'cache: {ttl: 0s}',
    '5:14: `cache.ttl`: `0s` is not a duration; write a whole number above 0 and one unit (ms, s, m, h, d), such as `10m` or `90d`',
  ],
  [
    'a number that is a text',
    'cache: {decisions: "5"}',
    '5:20: `cache.decisions`: this must be a number, not a text',
  ],
  [
    'a number below its limit',
    'cache: {decisions: -1}',
    '5:20: `cache.decisions`: `-1` is too small; at least 0',
  ],
  [
    'a word that is not among those known',
    'log: {level: wran}',
    '5:14: `log.level`: `wran` is not one of `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent` (did you mean `warn`?)',
  ],
  [
    'a contact that is not an address',
    'pages: {accessContact: the access team}',
    '5:24: `pages.accessContact`: `the access team` is not an e-mail address; write one such as `access@example.com`',
  ],
  [
    'a contact that would write another letter',
    'pages: {accessContact: "a@example.com?bcc=b@example.com"}',
    '5:24: `pages.accessContact`: `a@example.com?bcc=b@example.com` is not an e-mail address; write one such as `access@example.com`',
  ],
  [
    'an address without host',
    'listen: {admin: ":9090"}',
    '5:17: `listen.admin`: `:9090` is not an address to listen on; write host and port, such as `127.0.0.1:4181`, `[::1]:4181`, or `0.0.0.0:4181` for every interface',
  ],
  [
    'a port beyond the last',
    'listen: {admin: "127.0.0.1:65536"}',
    '5:17: `listen.admin`: `127.0.0.1:65536` is not an address to listen on; write host and port, such as `127.0.0.1:4181`, `[::1]:4181`, or `0.0.0.0:4181` for every interface',
  ],
  [
    'two listeners on one address',
    'listen: {public: "127.0.0.1:4181"}',
    '5:18: `listen.public`: `127.0.0.1:4181` is taken by another listener; each needs its own',
  ],
  [
    'more replicas than memory serves',
    'state: {replicas: 2}',
    '5:19: `state.replicas`: 2 replicas cannot share the state of `kind: memory`: a session revoked on one would live on the others; run one replica',
  ],
  [
    'a store that is not built',
    'state: {kind: valkey}',
    '5:15: `state.kind`: `valkey` is not built yet; `memory` with a `file` serves one replica',
  ],
  [
    'a dialect that is not built',
    'dialects: {vouch: {listener: decision}}',
    '5:19: `dialects.vouch`: the Vouch dialect is not built yet; leave it out',
  ],
  [
    'introspection, not built',
    'introspection: [{id: a, endpoint: "https://i.example.com", clientId: p, clientSecret: {file: oidc.secret}}]',
    '5:16: `introspection`: token introspection is not built yet; leave it out',
  ],
  [
    'token review, not built',
    'kubernetes: {tokenReview: true, audiences: [postern]}',
    '5:13: `kubernetes`: TokenReview is not built yet; leave it out',
  ],
  [
    'API keys, not built',
    'apiKeys: ./api-keys.yaml',
    '5:10: `apiKeys`: the use of API keys is not built yet; leave it out',
  ],
  [
    'basic, not built',
    'basic: {files: []}',
    '5:8: `basic`: the basic-auth bridge is not built yet; leave it out',
  ],
  [
    'a key of the log that is of another kind',
    'audit: {chain: {key: {file: ec.pem}}}',
    '5:22: `audit.chain.key`: it must be an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`',
  ],
  [
    'checkpoints that hardly ever come',
    'audit: {chain: {key: {file: ed25519.pem}, checkpoint: 8d}}',
    '5:55: `audit.chain.checkpoint`: `8d` is not between `1s` and `7d`: what follows the last checkpoint is not vouched for',
  ],
  [
    'a log file that is always full',
    'audit: {sink: {file: d.ndjson, rotate: {size: 10KB}}}',
    '5:47: `audit.sink.rotate.size`: `10KB` is less than `100KB`, so every few lines would begin a new file',
  ],
  [
    'a size without a unit',
    'audit: {sink: {file: d.ndjson, rotate: {size: "100"}}}',
    '5:47: `audit.sink.rotate.size`: `100` is not a size; write a whole number above 0 and one unit (KB, MB, GB, KiB, MiB, GiB), such as `100MB`',
  ],
  [
    'a sink of another shape',
    'audit: {sink: syslog}',
    '5:15: `audit.sink`: write `stdout` or `{file: decisions.ndjson}`',
  ],
  [
    'both kinds of admin token',
    'admin: {token: {file: oidc.secret}, tokens: []}',
    '5:8: `admin`: write `token` or `tokens`, not both',
  ],
  [
    'a secret file that is not there',
    'admin: {token: {file: admin.token}}',
    '5:16: `admin.token`: cannot read the file `admin.token`: there is no such file',
  ],
  [
    'a secret file that is a folder',
    'admin: {token: {file: .}}',
    `5:16: \`admin.token\`: cannot read the file \`${folder}\`: it is a folder`,
  ],
  [
    'a secret file that is empty',
    'admin: {token: {file: empty.key}}',
    '5:16: `admin.token`: the file `empty.key` is empty',
  ],
  [
    'a variable that is not set',
    'admin: {token: {env: ADMIN_TOKEN}}',
    '5:16: `admin.token`: the variable `ADMIN_TOKEN` is not set',
  ],
  ['an empty text', 'policies: ""', '5:11: `policies`: it must be a text, not empty'],
  [
    'a text with white space around it',
    'policies: " rules"',
    '5:11: `policies`: it must be a text without white space around it',
  ],
  [
    'a token of two lines',
    'admin: {token: {file: two-lines.key}}',
    '5:16: `admin.token`: it must be one line of visible ASCII characters without white space; make one with `openssl rand -hex 32`',
  ],
  [
    'an assertion that lives too long',
    'assertion: {key: {file: ec.pem}, lifetime: 6m}',
    '5:44: `assertion.lifetime`: `6m` is not between `2s` and `5m`: an assertion cannot be called back',
  ],
  [
    'a key of another algorithm',
    'assertion: {key: {file: ec.pem}, alg: EdDSA}',
    '5:18: `assertion.key`: `alg: EdDSA` needs an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`, or name the `alg` of this key',
  ],
  [
    'a key of another curve',
    'assertion: {key: {file: p384.pem}}',
    '5:18: `assertion.key`: `alg: ES256` needs an elliptic curve key on P-256; make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, or name the `alg` of this key',
  ],
  [
    'a short RSA key',
    'assertion: {key: {file: rsa1024.pem}, alg: RS256}',
    '5:18: `assertion.key`: `alg: RS256` needs an RSA key of 2048 bits or more; make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`, or name the `alg` of this key',
  ],
  [
    'a key in an older form',
    'assertion: {key: {file: sec1.pem}}',
    '5:18: `assertion.key`: it must be an elliptic curve key on P-256 in PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`); make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, or turn an older form into it with `openssl pkcs8 -topk8 -nocrypt`',
  ],
  [
    'an algorithm without public key',
    'issuers: [{id: a, issuer: "https://a.example.com", audience: a, algorithms: [none]}]',
    '5:78: `issuers[0].algorithms[0]`: `none` is not one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`',
  ],
  [
    'an issuer kind that is not built',
    'issuers: [{id: a, issuer: "https://a.example.com", audience: a, kind: github}]',
    '5:71: `issuers[0].kind`: `github` is not built yet; `oidc` is, for any issuer of JWTs with a JWKS',
  ],
  [
    'a service account that is a person',
    'issuers: [{id: a, issuer: "https://a.example.com", audience: a, kind: kubernetes, subjects: people}]',
    '5:93: `issuers[0].subjects`: a service account is no person; leave `subjects` out',
  ],
  [
    'the audience of the Kubernetes API',
    'issuers: [{id: a, issuer: "https://a.example.com", audience: "https://kubernetes.default.svc.cluster.local", kind: kubernetes}]',
    "5:62: `issuers[0].audience`: `https://kubernetes.default.svc.cluster.local` is what tokens for the Kubernetes API are for, and every pod has one; take an audience of Postern's own, and project tokens for it",
  ],
  [
    'the cluster itself as an audience',
    'issuers: [{id: a, issuer: "https://a.example.com", audience: [a, "https://a.example.com"], kind: kubernetes}]',
    "5:62: `issuers[0].audience`: `https://a.example.com` is what tokens for the Kubernetes API are for, and every pod has one; take an audience of Postern's own, and project tokens for it",
  ],
  [
    'an issuer over plain http',
    'issuers: [{id: a, issuer: "http://a.example.com", audience: a}]',
    '5:27: `issuers[0].issuer`: plain http outside loopback would let anybody on the way sign people in; write `https://…`',
  ],
  [
    'a provider without what it needs',
    'providers: [{id: a, issuer: "https://a.example.com"}]',
    '5:13: `providers[0].clientId` is missing: Postern at the provider',
  ],
  [
    'scopes without openid',
    'providers: [{id: a, issuer: "https://a.example.com", clientId: p, scopes: [email]}]',
    '5:75: `providers[0].scopes`: `openid` is missing: without it there is no ID token',
  ],
  [
    'a text that YAML reads as a number',
    'providers: [{id: a, issuer: "https://a.example.com", clientId: 4711}]',
    '5:64: `providers[0].clientId`: this must be a text, not the number `4711`; quote it',
  ],
  [
    'an id with a slash',
    'providers: [{id: a/b, issuer: "https://a.example.com", clientId: p}]',
    '5:18: `providers[0].id`: an id has 1 to 64 of `a-z`, `0-9`, `-` and `_`, and begins and ends with a letter or digit',
  ],
] as const

describe('a mistake', () => {
  it.each(FROM_LINE_5)('is told at its place: %s', (_, line, expected) => {
    const [first, ...rest] = complaints(load([...HEAD, line]))
    expect(first?.split('\n')[0]).toBe(`postern.yaml:${expected}`)
    expect(rest).toEqual([])
  })

  it('is shown with its line and a caret below it', () => {
    expect(complaints(load([...HEAD, 'cache: {decisions: 5, tl: 60s}']))).toEqual([
      [
        'postern.yaml:5:23: unknown key `tl` in `cache` (did you mean `ttl`?)',
        '5 | cache: {decisions: 5, tl: ***}',
        '  |                       ^^',
      ].join('\n'),
    ])
  })

  it('is told together with every other one, in the order of the file', () => {
    const loaded = load([
      'apiVersion: postern/v2',
      'publicURL: https://auth.example.com',
      'proxies: {trusted: [], key: {file: absent}}',
      'session: {keys: []}',
      'cache: {ttl: fast}',
    ])
    expect(complaints(loaded).map((text) => text.split('\n')[0]?.split(': ').slice(0, 2).join(': '))).toEqual(
      [
        'postern.yaml:1:13: `apiVersion`',
        'postern.yaml:2:1: unknown key `publicURL` (did you mean `publicUrl`?)',
        'postern.yaml:3:20: `proxies.trusted`',
        'postern.yaml:3:29: `proxies.key`',
        'postern.yaml:4:17: `session.keys`',
        'postern.yaml:5:14: `cache.ttl`',
      ],
    )
  })

  it.each([
    ['a bracket that stays open', ['cache: {ttl: 60s', 'log: {level: info}'], '6:1'],
    ['a key that is there twice', ['cache: {}', 'cache: {}'], '6:1'],
    ['a tab', ['cache:', '\tttl: 60s'], '6:1'],
    ['a second document', ['---', 'cache: {}'], '5:1'],
  ])('in the YAML itself is told at its place: %s', (_, lines, place) => {
    const [first] = complaints(load([...HEAD, ...lines]))
    expect(first).toMatch(new RegExp(`^postern\\.yaml:${place}: [a-z]`))
  })

  it('of aliases that multiply is refused, not followed', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((key, i) => {
        const before = 'abcdefgh'[i]
        return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`
      }),
    ]
    expect(complaints(load(bomb))[0]).toMatch(/too many aliases/)
  })
})

describe('a configuration file', () => {
  it('that is not there is told by name', () => {
    const loaded = loadConfig({ file: join(folder, 'absent.yaml'), env: {} })
    expect(complaints(loaded)).toEqual([
      'absent.yaml:1:1: cannot read the configuration: there is no such file; name another one with `-c FILE`',
    ])
  })

  it('that is an empty folder is told, too', () => {
    mkdirSync(join(folder, 'folder.yaml'))
    expect(complaints(loadConfig({ file: join(folder, 'folder.yaml'), env: {} }))[0]).toMatch(
      /this folder holds no configuration/,
    )
  })

  it.each(['', '# nothing\n', 'null\n'])(
    'that says nothing lacks each key that has no default: %j',
    (text) => {
      const loaded = loadConfig({ file: put('empty.yaml', text), env: {} })
      expect(complaints(loaded).map((line) => /`(\w+)` is missing/.exec(line)?.[1])).toEqual([
        'apiVersion',
        'publicUrl',
        'proxies',
        'session',
      ])
    },
  )

  it.each(['[]', 'text', '5'])('that is no map is refused: %s', (text) => {
    expect(complaints(loadConfig({ file: put('other.yaml', text), env: {} }))[0]).toMatch(
      /^other\.yaml:1:1: this must be a map of keys, not /,
    )
  })
})

describe('publicUrl', () => {
  const withUrl = (url: string, domain = '') =>
    load([
      'apiVersion: postern/v1',
      `publicUrl: ${url}`,
      HEAD[2]!,
      `session: {keys: [{file: session.key}]${domain}}`,
    ])

  it.each([
    ['https://auth.example.com', 'https://auth.example.com', ''],
    ['https://auth.example.com/', 'https://auth.example.com', ''],
    ['https://AUTH.example.com:8443/postern/', 'https://auth.example.com:8443/postern', '/postern'],
    ['http://auth.postern.localhost:8080', 'http://auth.postern.localhost:8080', ''],
    ['http://localhost:4180', 'http://localhost:4180', ''],
  ])('may be %s', (url, href, basePath) => {
    const loaded = withUrl(url)
    expect(loaded.kind === 'loaded' ? loaded.config.publicUrl : complaints(loaded)).toMatchObject({
      href,
      basePath,
    })
  })

  it.each([
    ['http://auth.example.com', 'plain http outside *.localhost'],
    ['http://127.0.0.1:4180', 'plain http outside *.localhost'],
    ['http://localhost.example.com', 'plain http outside *.localhost'],
    ['http://notlocalhost', 'plain http outside *.localhost'],
    ['auth.example.com', 'it is not a URL'],
    ['ftp://auth.example.com', 'it is not a URL'],
    ['"https:auth.example.com"', 'it is not a URL'],
    ['https://auth.example.com/?a', 'no `?` and no `#`'],
    ['"https://auth.example.com/#"', 'no `?` and no `#`'],
    ['https://auth.example.com/a/../b', 'plain segments'],
    ['https://auth.example.com/a//b', 'plain segments'],
    ['https://auth.example.com/%61', 'plain segments'],
    ['https://me:you@auth.example.com', 'a user name or password'],
  ])('may not be %s', (url, why) => {
    const [first] = complaints(withUrl(url))
    expect(first).toMatch(/^postern\.yaml:2:12: `publicUrl`: /)
    expect(first).toContain(why)
  })
})

describe('session.domain', () => {
  const withDomain = (domain: string) =>
    load([...HEAD.slice(0, 3), `session: {keys: [{file: session.key}], domain: ${domain}}`])

  it.each(['example.com', 'auth.example.com'])('may be the host of publicUrl or a parent: %s', (domain) => {
    expect(withDomain(domain)).toMatchObject({ kind: 'loaded', config: { session: { domain } } })
  })

  it.each([
    ['xample.com', 'is no parent of the host'],
    ['other.example.com', 'is no parent of the host'],
    ['a.auth.example.com', 'is no parent of the host'],
    ['com', 'is a top-level domain'],
    ['.example.com', 'without leading dot'],
    ['EXAMPLE.com', 'in lower case'],
    ['example.com:443', 'port'],
    ['"*.example.com"', 'wildcard'],
  ])('may not be %s', (domain, why) => {
    expect(complaints(withDomain(domain))[0]).toMatch(/^postern\.yaml:4:48: /)
    expect(complaints(withDomain(domain))[0]).toContain(why)
  })

  const session = (more: string, publicUrl = 'https://auth.example.com') =>
    load([
      'apiVersion: postern/v1',
      `publicUrl: ${publicUrl}`,
      'proxies: {trusted: ["127.0.0.1/32"]}',
      `session: {keys: [{file: session.key}], ${more}}`,
      'providers: [{id: a, issuer: "https://a.example.com", clientId: p}]',
    ])

  it('is not missed, and not allowed, beside a cookie for each host', () => {
    expect(complaints(session('host: true'))).toEqual([])
    expect(session('host: true')).toMatchObject({
      kind: 'loaded',
      config: { session: { perHost: true, prefix: '/postern' } },
    })
    expect(complaints(session('host: true, domain: example.com'))[0]).toMatch(
      /^postern\.yaml:4:\d+: `session\.domain`: .*leave one of the two out/,
    )
  })

  it.each(['/', 'postern', '/postern/', '/a//b', '/a/../b', '/%61', '/a b', '//a', '/.a'])(
    'has beside it no prefix like `%s`',
    (prefix) => {
      expect(complaints(session(`host: true, prefix: ${JSON.stringify(prefix)}`))[0]).toContain(
        'is not a path of plain segments',
      )
    },
  )

  it('has a prefix only beside it', () => {
    expect(session('host: true, prefix: /own/door')).toMatchObject({
      config: { session: { prefix: '/own/door' } },
    })
    expect(complaints(session('domain: example.com, prefix: /door'))[0]).toContain(
      '`session.prefix`: it counts only with `session.host: true`',
    )
  })

  it('is warned of where sign-in shares its host, and with it every session', () => {
    const loaded = session('host: true', 'https://app.example.com/postern')
    expect(loaded.kind).toBe('loaded')
    expect(complaints(loaded)[0]).toMatch(/^postern\.yaml:2:\d+: `publicUrl`: .*a host of its own/)
  })

  it('is missed where people sign in', () => {
    const loaded = load([
      ...HEAD.slice(0, 3),
      'session: {keys: [{file: session.key}]}',
      'providers: [{id: a, issuer: "https://a.example.com", clientId: p}]',
    ])
    expect(loaded.kind).toBe('loaded')
    expect(complaints(loaded)[0]).toMatch(/^postern\.yaml:4:10: `session`: without `session.domain`/)
  })
})

describe('idle', () => {
  it('may be as long as the absolute limit, and not longer', () => {
    const withIdle = (idle: string) =>
      load([
        ...HEAD.slice(0, 3),
        `session: {keys: [{file: session.key}], domain: example.com, idle: ${idle}}`,
      ])
    expect(withIdle('12h').kind).toBe('loaded')
    expect(complaints(withIdle('721m'))[0]).toContain(
      '`session.idle`: `721m` is longer than `session.absolute`, `12h`',
    )
  })
})

describe('session keys', () => {
  const withKeys = (keys: string) =>
    load([...HEAD.slice(0, 3), `session: {keys: ${keys}, domain: example.com}`])

  it('hold 32 bytes each, and an old one may follow the new one', () => {
    expect(withKeys('[{file: session.key}, {file: session.key}]').kind).toBe('loaded')
  })

  it.each(['[{file: short.key}]', '[{file: session.key}, {file: short.key}]', '[{file: oidc.secret}]'])(
    'of another length are refused: %s',
    (keys) => {
      expect(complaints(withKeys(keys))[0]).toContain(
        'it must be 32 random bytes in base64, 44 characters on one line; make one with `openssl rand -base64 32`',
      )
    },
  )

  it('are needed', () => {
    expect(complaints(withKeys('[]'))[0]).toContain('a session needs a key')
  })
})

describe('who is trusted', () => {
  const withProxies = (proxies: string) => load([HEAD[0]!, HEAD[1]!, `proxies: ${proxies}`, HEAD[3]!])

  it.each([
    ['{}', '`proxies.trusted` is missing'],
    ['{trusted: []}', 'no proxy is trusted, so nobody could ask'],
    ['{trusted: ["10.0.0.1/8"]}', '`10.0.0.1/8` is not a network'],
    ['{trusted: ["010.0.0.1"]}', '`010.0.0.1` is not a network'],
    ['{trusted: [nginx.example.com]}', '`nginx.example.com` is not a network'],
    ['{trusted: ["127.0.0.1"], clientIp: {nginx: "X Real IP"}}', '`X Real IP` is not a header name'],
  ])('is never guessed: %s', (proxies, why) => {
    expect(complaints(withProxies(proxies))[0]).toContain(why)
  })

  it('is warned about where it is everybody and no key is shared', () => {
    expect(complaints(withProxies('{trusted: ["0.0.0.0/0"]}'))[0]).toMatch(
      /^postern\.yaml:3:21: .*trusts every address/,
    )
    expect(complaints(withProxies('{trusted: ["0.0.0.0/0"], key: {file: oidc.secret}}'))).toEqual([])
  })
})

describe('ids', () => {
  it('are unique over providers and issuers', () => {
    const sources = (id: string) => [
      ...HEAD,
      'providers: [{id: corp, issuer: "https://a.example.com", clientId: p}]',
      `issuers: [{id: ${id}, issuer: "https://a.example.com", audience: api}]`,
    ]
    expect(load(sources('corp-api')).kind).toBe('loaded')
    expect(complaints(load(sources('corp')))[0]).toMatch(
      /^postern\.yaml:6:16: `issuers\[0\]\.id`: `corp` is there already/,
    )
  })

  it('of admin tokens are unique, too', () => {
    const tokens = (id: string) => [
      ...HEAD,
      `admin: {tokens: [{id: anna, file: oidc.secret}, {id: ${id}, file: oidc.secret}]}`,
    ]
    expect(load(tokens('ben')).kind).toBe('loaded')
    expect(complaints(load(tokens('anna')))[0]).toContain('`anna` is there already')
  })
})

describe('the audience of bearer tokens', () => {
  const withAudience = (audience: string) =>
    load([
      ...HEAD,
      'providers: [{id: corp, issuer: "https://a.example.com", clientId: postern}]',
      `issuers: [{id: api, issuer: "https://a.example.com", audience: ${audience}}]`,
    ])

  it.each(['postern', '[api, postern]'])(
    'differs from every clientId, else ID tokens would pass: %s',
    (audience) => {
      expect(complaints(withAudience(audience))[0]).toContain('its ID tokens would pass as bearer tokens')
    },
  )

  it.each(['postern-api', '[api, Postern]'])('may be anything else: %s', (audience) => {
    expect(withAudience(audience).kind).toBe('loaded')
  })
})

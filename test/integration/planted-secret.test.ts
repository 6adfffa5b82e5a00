// Secrets that can be recognised are put wherever a secret can be; then everything goes right and wrong at all three
// listeners and on the command line; and nothing that anybody can read afterwards holds one of them.
import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { P0_POLICIES } from '../support/contract-policies.ts'
import { publicHost } from '../support/front-hosts.ts'
import { startTestProvider, type TestProvider } from '../support/oidc-provider.ts'
import {
  runPostern,
  startPosternProcess,
  type Ended,
  type PosternProcess,
} from '../support/postern-process.ts'
import { requestText, sendRaw, type RawAnswer } from '../support/raw-http.ts'
import { totalOf, until, untilReady, type HeaderLines } from '../support/running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  type ServiceFolder,
} from '../support/service-folder.ts'
import { startTokenIssuer, type Misbehaviour, type TokenIssuer } from '../support/token-issuer.ts'
import { makeBrowser, type Browser, type Shown } from '../unit/signin/browser.ts'

const PUBLIC = 'https://auth.example.com'
const APP = 'https://app.example.com'

/** Secrets of a client: it sends them, and nobody but the application may see them again. */
const CLIENT = {
  basic: 'planted-basic-password',
  foreign: 'planted-foreign-authorization',
  apiKey: 'pst_planted_api-key-secret',
  header: 'planted-header-value',
  query: 'planted-query-value',
  userInfo: 'planted-password-in-url',
  form: 'planted-form-field',
  garbageCookie: 'planted-garbage-cookie',
  adminGuess: 'planted-guess-of-the-admin-token',
  unreadable: 'planted-in-unreadable-bytes',
  claim: 'planted-claim-that-no-rule-reads',
  issuerBody: 'planted-secret',
}

const secrets = new Map<string, string>(Object.entries(CLIENT))

/** Names of the secrets that a text holds, plain, escaped or in base64. */
const foundIn = (text: string, allowed: readonly string[] = []): readonly string[] =>
  [...secrets]
    .filter(([name]) => !allowed.includes(name))
    .filter(([, secret]) =>
      [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
      ].some((form) => text.includes(form)),
    )
    .map(([name]) => name)

let provider: TestProvider
let issuer: TokenIssuer
let service: ServiceFolder
let child: PosternProcess
const answers: (readonly [string, string])[] = []
let asked = 0

beforeAll(async () => {
  issuer = await startTokenIssuer({ audience: 'postern-api' })
  provider = await startTestProvider({
    clientId: 'postern',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${PUBLIC}/callback/corp`],
    postLogoutRedirectUris: [`${PUBLIC}/signed-out`],
  })
  provider.misbehave.idToken = (claims) => ({ ...claims, address: CLIENT.claim })
  service = await makeServiceFolder({
    policies: P0_POLICIES,
    settings: {
      publicUrl: PUBLIC,
      proxies: { trusted: ['127.0.0.1/32'], key: { file: 'proxy.key' }, externalScheme: 'https' },
      providers: [
        {
          id: 'corp',
          issuer: provider.issuer,
          clientId: 'postern',
          clientSecret: { env: 'CORP_SECRET' },
          scopes: ['openid', 'profile', 'email', 'groups'],
          claims: { groups: 'groups' },
          default: true,
        },
      ],
      issuers: [
        { id: 'ci', issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'postern-api', default: true },
      ],
      log: { level: 'trace' },
    },
  })
  child = await startPosternProcess(service.configFile, { env: ENV })
  await untilReady(service, 'issuer-ci', /^ok: keys confirmed/)
  const pem = await service.read('assertion.pem')
  secrets.set('sessionKey', await service.read('session.key'))
  secrets.set('clientSecret', CLIENT_SECRET)
  secrets.set('proxyKey', service.proxyKey)
  secrets.set('adminToken', service.adminToken)
  secrets.set('assertionKey', pem.split('\n')[1] ?? '')
  secrets.set('assertionScalar', createPrivateKey(pem).export({ format: 'jwk' }).d ?? '')
})
afterAll(async () => {
  child.signal('SIGKILL')
  await child.ended
  await service.remove()
  await Promise.all([provider.close(), issuer.close()])
})

const ENV = { CORP_SECRET: CLIENT_SECRET }

const keep = (name: string, text: string): void => void answers.push([name, text])

/** Asks at the decision listener; what the client sent may be echoed in headers, never in a body. */
const decide = async (name: string, bytes: string): Promise<RawAnswer> => {
  const answer = await sendRaw(service.ports.decision, bytes)
  asked += 1
  keep(`decision: ${name}`, answer.body)
  const heads = answer.head.replace(
    /^(?:authorization|cookie|location|x-postern-assertion|set-cookie): .*$/gim,
    '',
  )
  keep(`decision head: ${name}`, heads)
  return answer
}

const KEYED = (): HeaderLines => [['X-Postern-Key', service.proxyKey]]
const NAVIGATION: HeaderLines = [
  ['Accept', 'text/html'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
]

const everywhere = (headers: HeaderLines, path: string): readonly (readonly [string, string])[] => [
  [
    'nginx',
    requestText('GET', '/authz/nginx', [
      ['X-Original-URL', APP + path],
      ['X-Original-Method', 'GET'],
      ...headers,
    ]),
  ],
  [
    'forward',
    requestText('GET', '/authz/forward', [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'app.example.com'],
      ['X-Forwarded-Uri', path],
      ...headers,
    ]),
  ],
  ['ext', requestText('GET', `/authz/ext${path}`, [['Host', 'app.example.com'], ...headers])],
]

const decideEverywhere = async (
  name: string,
  headers: HeaderLines,
  path: string,
): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (const [dialect, bytes] of everywhere([...KEYED(), ...headers], path))
    statuses.push((await decide(`${name} (${dialect})`, bytes)).status)
  return statuses
}

describe('decisions', () => {
  const path = `/x?token=${CLIENT.query}`

  it('good and bad, of every dialect, with a secret in every place', async () => {
    const cookie = service.cookie('ada', ['dev'])
    secrets.set('cookie', cookie.slice(cookie.indexOf('=') + 1))
    const token = await issuer.mint({ client_id: 'robot' })
    secrets.set('bearer', token)
    secrets.set('bearerSignature', token.split('.')[2] ?? '')
    const expired = await issuer.mint({ exp: 1_700_000_000, secret: CLIENT.claim })
    secrets.set('expiredBearer', expired.split('.')[1] ?? '')
    const custom = ['X-Custom', CLIENT.header] as const
    secrets.set('basicEncoded', Buffer.from(`ada:${CLIENT.basic}`).toString('base64'))
    const basic = ['Authorization', `Basic ${Buffer.from(`ada:${CLIENT.basic}`).toString('base64')}`] as const
    const foreign = ['Authorization', `Bearer ${CLIENT.foreign}`] as const
    const session = ['Cookie', `${cookie}; other=${CLIENT.header}`] as const
    expect(await decideEverywhere('session', [session, custom], path)).toEqual([200, 200, 200])
    expect(await decideEverywhere('refused', [session, custom, ...NAVIGATION], `/admin${path}`)).toEqual([
      403, 403, 403,
    ])
    expect(await decideEverywhere('nobody', [custom, ...NAVIGATION], path)).toEqual([401, 302, 302])
    expect(await decideEverywhere('machine', [custom], path)).toEqual([401, 401, 401])
    expect(await decideEverywhere('bearer', [['Authorization', `Bearer ${token}`]], path)).toEqual([
      403, 403, 403,
    ])
    expect(await decideEverywhere('expired', [['Authorization', `Bearer ${expired}`]], path)).toEqual([
      401, 401, 401,
    ])
    expect(await decideEverywhere('basic', [basic], path)).toEqual([401, 401, 401])
    expect(await decideEverywhere('foreign', [session, foreign], path)).toEqual([200, 200, 200])
    expect(await decideEverywhere('two', [basic, foreign], path)).toEqual([403, 403, 403])
    expect(await decideEverywhere('key', [['X-API-Key', CLIENT.apiKey]], path)).toEqual([401, 401, 401])
    expect(
      await decideEverywhere('garbage', [['Cookie', `${SESSION_COOKIE}=${CLIENT.garbageCookie}`]], path),
    ).toEqual([401, 401, 401])
    expect(await decideEverywhere('malformed', [custom, session], `/%zz${path}`)).toEqual([403, 403, 403])
    expect(
      await decideEverywhere('dropped', [['Connection', `close, X-${CLIENT.header}`], session], path),
    ).toEqual([403, 403, 403])
  })

  it('that a proxy asks wrongly', async () => {
    const cookie = ['Cookie', `${SESSION_COOKIE}=${CLIENT.garbageCookie}`] as const
    const url = `https://ada:${CLIENT.userInfo}@app.example.com/x?${CLIENT.query}`
    const asking: readonly (readonly [string, HeaderLines, string])[] = [
      [
        'a wrong key',
        [
          ['X-Postern-Key', CLIENT.header],
          ['X-Original-URL', APP],
        ],
        '/authz/nginx',
      ],
      [
        'user information in the URL',
        [...KEYED(), ['X-Original-URL', url], ['X-Original-Method', 'GET'], cookie],
        '/authz/nginx',
      ],
      ['a missing header', [...KEYED(), cookie], '/authz/nginx'],
      [
        'a header twice',
        [...KEYED(), ['X-Original-URL', url], ['X-Original-URL', url], cookie],
        '/authz/nginx',
      ],
      [
        'an unknown parameter',
        [...KEYED(), ['X-Original-URL', APP], ['X-Original-Method', 'GET'], cookie],
        `/authz/nginx?${CLIENT.query}=1`,
      ],
      [
        'a method that is none',
        [...KEYED(), ['X-Original-URL', `${APP}/`], ['X-Original-Method', CLIENT.header], cookie],
        '/authz/nginx',
      ],
      ['another path', [...KEYED(), cookie], `/nowhere/${CLIENT.query}?${CLIENT.query}`],
      ['the path lost', [...KEYED(), cookie], `/authz/ext?${CLIENT.query}`],
    ]
    for (const [name, headers, target] of asking)
      expect((await decide(name, requestText('GET', target, headers))).status).toBeGreaterThanOrEqual(400)
  })

  it('that no parser could read', async () => {
    for (const [name, bytes] of [
      [
        'a control byte',
        `GET /authz/nginx HTTP/1.1\r\nHost: x\r\nCookie: ${CLIENT.unreadable}\u0001\r\n\r\n`,
      ],
      ['an unknown method', `${CLIENT.unreadable} / HTTP/1.1\r\nHost: x\r\n\r\n`],
      ['no version', `GET /${CLIENT.unreadable}\r\n\r\n`],
      ['a long head', `GET / HTTP/1.1\r\nHost: x\r\nA: ${CLIENT.unreadable.repeat(3000)}\r\n\r\n`],
      ['CONNECT', `CONNECT ${CLIENT.unreadable}:1 HTTP/1.1\r\nHost: x\r\n\r\n`],
      [
        'an expectation',
        `GET /?${CLIENT.unreadable} HTTP/1.1\r\nHost: x\r\nExpect: ${CLIENT.unreadable}\r\nConnection: close\r\n\r\n`,
      ],
    ] as const) {
      const answer = await sendRaw(service.ports.decision, bytes)
      asked += 1
      expect(answer.status).toBeGreaterThanOrEqual(400)
      keep(`unreadable: ${name}`, answer.head + answer.body)
    }
  })
})

describe('the public listener', () => {
  const newBrowser = (): Browser =>
    makeBrowser(new Map([['auth.example.com', publicHost(service.ports.public)]]))
  const keepShown = (name: string, shown: Shown): Shown => {
    keep(`public: ${name}`, shown.body)
    return shown
  }
  const logIn = async (browser: Browser, form: Shown, until_?: (url: string) => boolean): Promise<Shown> => {
    const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
    const fields = { username: 'ada', password: 'ada', action: 'login' }
    return browser.follow(await browser.post(new URL(action, form.url).href, fields), until_)
  }
  const back = (url: string): boolean => url.startsWith(PUBLIC)

  it('signs in, shows who it is, and signs out', async () => {
    const browser = newBrowser()
    const form = await browser.visit(
      `${PUBLIC}/sign-in?rd=${encodeURIComponent(`https://ada:${CLIENT.userInfo}@evil.com/`)}`,
    )
    keepShown('sign-in', await logIn(browser, form))
    const cookie = browser.cookie(SESSION_COOKIE) ?? ''
    expect(cookie).not.toBe('')
    secrets.set('browserCookie', cookie)
    const [binding] = browser.cookiesOf('__Host-postern-bind-')
    secrets.set('binding', binding?.split('=')[1] ?? 'none')
    for (const path of [
      '/me',
      '/me.json',
      '/sign-out',
      '/signed-out',
      '/nowhere',
      '/sign-in?prompt=select_account',
    ])
      keepShown(path, await browser.get(`${PUBLIC}${path}`))
    const confirm = await browser.get(`${PUBLIC}/sign-out`)
    keepShown('a foreign form', await browser.post(`${PUBLIC}/sign-out`, { token: CLIENT.form }))
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    await browser.post(`${PUBLIC}/sign-out`, { token })
    keepShown('after', await browser.get(`${PUBLIC}/me`))
    keepShown('a large form', await browser.post(`${PUBLIC}/sign-out`, { token: CLIENT.form.repeat(2000) }))
  })

  it('meets everything that a provider does wrong', async () => {
    const wrongs: readonly (readonly [string, Partial<TestProvider['misbehave']>])[] = [
      ['a foreign signature', { signature: 'foreign' }],
      ['another nonce', { idToken: (claims) => ({ ...claims, nonce: CLIENT.claim }) }],
      ['a token error', { tokenError: true }],
      [
        'an error that holds a secret',
        {
          authorizationResponse: (url) => {
            url.searchParams.delete('code')
            url.searchParams.set('error', 'access_denied')
            url.searchParams.set('error_description', CLIENT.query)
          },
        },
      ],
    ]
    for (const [name, wrong] of wrongs) {
      const browser = newBrowser()
      const form = await browser.visit(`${PUBLIC}/sign-in`)
      Object.assign(provider.misbehave, wrong)
      const stopped = await logIn(browser, form, back)
      const url = new URL(stopped.headers.get('location') ?? '', stopped.url)
      for (const part of ['state', 'code']) {
        const value = url.searchParams.get(part)
        if (value !== null) secrets.set(`${part} of ${name}`, value)
      }
      expect(keepShown(name, await browser.get(url.href)).status).toBeGreaterThanOrEqual(400)
      keepShown(`${name}, elsewhere`, await newBrowser().get(url.href))
      Object.assign(provider.misbehave, {
        signature: undefined,
        tokenError: false,
        authorizationResponse: undefined,
        idToken: (claims: object) => ({ ...claims, address: CLIENT.claim }),
      })
    }
    provider.misbehave.down = true
    const [first] = everywhere(KEYED(), '/x')
    await decide('while the provider is down', first?.[1] ?? '')
    keepShown(
      'down',
      await newBrowser().get(`${PUBLIC}/callback/corp?state=${CLIENT.query}&code=${CLIENT.query}`),
    )
    provider.misbehave.down = false
  })

  it('meets everything that an issuer of tokens does wrong', async () => {
    const ways: readonly Misbehaviour[] = ['status-500', 'garbage', 'html', 'not-a-set', 'redirect', 'reset']
    for (const way of ways) {
      const elsewhere = await makeServiceFolder({
        policies: P0_POLICIES,
        settings: {
          publicUrl: PUBLIC,
          issuers: [{ id: 'ci', issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'postern-api' }],
          log: { level: 'trace' },
        },
      })
      issuer.misbehave(way)
      const started = await startPosternProcess(elsewhere.configFile)
      const ready = await untilReady(elsewhere, 'issuer-ci', /^degraded/)
      keep(`issuer ${way}: readiness`, ready.text)
      started.signal('SIGTERM')
      const { stdout, stderr } = await started.ended
      keep(`issuer ${way}: output`, stdout + stderr + (await elsewhere.read('decisions.ndjson')))
      await elsewhere.remove()
    }
    issuer.misbehave('none')
  })
})

describe('the admin listener', () => {
  it('to those who may and those who may not', async () => {
    const ask = async (name: string, path: string, token: string, body?: string): Promise<number> => {
      const response = await fetch(`${service.adminUrl}${path}`, {
        headers: { authorization: `Bearer ${token}`, 'x-custom': CLIENT.header },
        ...(body === undefined ? {} : { method: 'POST', body }),
      })
      keep(`admin: ${name}`, await response.text())
      return response.status
    }
    const revoke = '/admin/v1/sessions/revoke'
    expect(await ask('status', '/admin/v1/status', service.adminToken)).toBe(200)
    expect(await ask('a guess', '/admin/v1/status', CLIENT.adminGuess)).toBe(401)
    expect(await ask('a guess of revoke', revoke, CLIENT.adminGuess, '{"all":true}')).toBe(401)
    expect(await ask('no JSON', revoke, service.adminToken, CLIENT.form)).toBe(400)
    expect(await ask('revoke', revoke, service.adminToken, '{"subject":"nobody"}')).toBe(200)
    expect(await ask('nowhere', `/nowhere?${CLIENT.query}`, service.adminToken)).toBe(404)
    for (const path of ['/livez', '/readyz', '/readyz?verbose', '/healthz', '/metrics'])
      expect(await ask(path, path, service.adminToken)).toBe(200)
  })
})

describe('the command line', () => {
  const print = (name: string, { stdout, stderr }: Ended): void => keep(`command: ${name}`, stdout + stderr)

  it('shows the configuration without a secret', async () => {
    for (const args of [[], ['-o', 'json'], ['--origin'], ['-o', 'json', '--origin']]) {
      const shown = await runPostern(['config', 'show', '-c', service.configFile, ...args], ENV)
      expect(shown.code).toBe(0)
      print(`config show ${args.join(' ')}`, shown)
    }
  })

  it('tells of what is wrong without a secret', async () => {
    await service.write('wrong.token', CLIENT.adminGuess)
    const session = ['session', 'revoke', '-c', service.configFile, '--all']
    const denied = await runPostern([...session, '--token-file', join(service.folder, 'wrong.token')], ENV)
    expect(denied.code).toBe(1)
    print('a wrong token', denied)
    print('usage', await runPostern([...session, 'an-id'], ENV))
    const mint = ['session', 'mint', '-c', service.configFile, '--provider', 'corp', '--sub', 'ada']
    print('a claim that is none', await runPostern([...mint, '--claim', 'x', '--ttl', 'soon'], ENV))
  })

  it.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ['a secret in the file', { admin: { token: 'planted-inline-secret' } }],
    [
      'a client secret in the file',
      {
        providers: [
          { id: 'corp', issuer: 'http://127.0.0.1:9', clientId: 'x', clientSecret: 'planted-inline-secret' },
        ],
      },
    ],
    ['a session key in the file', { session: { keys: ['planted-inline-secret'] } }],
    [
      'a secret beside an unknown key',
      { admin: { token: { file: 'admin.token' }, tokn: 'planted-inline-secret' } },
    ],
    ['a session key that is none', { session: { keys: [{ file: 'bad.key' }] } }],
    ['an assertion key that is none', { assertion: { key: { file: 'bad.key' } } }],
    ['a token with white space', { admin: { token: { file: 'two-lines' } } }],
    [
      'a password in an issuer',
      { issuers: [{ id: 'ci', issuer: 'https://ada:planted-inline-secret@idp.example.com', audience: 'x' }] },
    ],
    ['a password in publicUrl', { publicUrl: 'https://ada:planted-inline-secret@auth.example.com' }],
  ])('refuses to start, with %s, without printing it', async (_, settings) => {
    secrets.set('inline', 'planted-inline-secret')
    const broken = await makeServiceFolder({
      policies: P0_POLICIES,
      settings,
      files: { 'bad.key': CLIENT.header, 'two-lines': `${CLIENT.header}\n${CLIENT.header}` },
    })
    for (const args of [['serve'], ['config', 'show']]) {
      const ended = await runPostern([...args, '-c', broken.configFile], ENV)
      expect([ended.code, ended.stdout]).toEqual([2, ''])
      expect(foundIn(ended.stderr)).toEqual([])
    }
    await broken.remove()
  })

  it.each([
    ['a quote that is not closed', 'admin: {token: "planted-inline-secret\nsession: ['],
    ['a key twice', 'admin:\n  token: planted-inline-secret\n  token: planted-inline-secret\n'],
    ['a tab', 'admin:\n\ttoken: planted-inline-secret\n'],
    ['a secret that stands alone', 'planted-inline-secret\n'],
  ])('refuses a configuration with %s without quoting the secret', async (_, text) => {
    secrets.set('inline', 'planted-inline-secret')
    const broken = await makeServiceFolder({ policies: P0_POLICIES })
    await broken.write('postern.yaml', text)
    const ended = await runPostern(['serve', '-c', broken.configFile], ENV)
    await broken.remove()
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toMatch(/postern\.yaml:\d+:\d+: /)
    expect(foundIn(ended.stderr)).toEqual([])
  })
})

describe('afterwards', () => {
  it('no answer held a secret', () => {
    expect(answers.length).toBeGreaterThan(100)
    // Whoever asked for a page with a query gets links back to it.
    const leaked = answers.flatMap(([name, text]) =>
      foundIn(text, /^decision: .*\((?:forward|ext)\)|^public:/.test(name) ? ['query'] : []).map(
        (secret) => `${secret} in ${name}`,
      ),
    )
    expect(leaked).toEqual([])
  })

  it('nor does the decision log, which has a line for each request', async () => {
    await until(
      async () => (await service.log()).filter(({ type }) => type === 'decision').length,
      (lines) => lines === asked,
    )
    expect(foundIn(await service.read('decisions.ndjson'))).toEqual([])
  })

  it('nor the metrics, nor readiness', async () => {
    for (const path of ['/metrics', '/readyz?verbose'])
      expect(foundIn(await (await fetch(`${service.adminUrl}${path}`)).text())).toEqual([])
    expect(await totalOf(service, 'postern_faults_total')).toBe(0)
  })

  it('nor the state file, nor the service log at its widest', async () => {
    child.signal('SIGTERM')
    const { stdout, stderr } = await child.ended
    expect(stdout).toBe('')
    expect(stderr).toContain('"msg":"listening"')
    expect(foundIn(stderr)).toEqual([])
    expect(foundIn(await service.read('postern.state'))).toEqual([])
  })

  it('a secret that leaked would be found', () => {
    for (const [name, secret] of secrets) {
      expect(secret.length).toBeGreaterThan(10)
      expect(foundIn(`x ${secret} y`)).toContain(name)
      expect(foundIn(`x ${encodeURIComponent(secret)} y`)).toContain(name)
    }
  })
})

// The law above all others: whatever bytes come, and whatever breaks, nobody is let in whom the policy does not let in.
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeObserve } from '../../src/server/observe.ts'
import type { RunningPostern } from '../../src/server/serve.ts'
import { startAuthz, type AuthzQuestion, type AuthzServer, type Parts } from '../support/authz-parts.ts'
import { P0_POLICIES } from '../support/contract-policies.ts'
import { person } from '../support/policy-builder.ts'
import { sendRaw } from '../support/raw-http.ts'
import { entriesOf, mayAllow, type ReferenceWorld } from '../support/reference-decision.ts'
import { askNginx, startService, totalOf, until } from '../support/running-service.ts'
import { makeServiceFolder, SESSION_COOKIE, type ServiceFolder } from '../support/service-folder.ts'

let service: ServiceFolder
let postern: RunningPostern
let world: ReferenceWorld
const sessions = { dev: '', root: '', expired: '' }

const valueOf = (cookie: string): string => cookie.slice(cookie.indexOf('=') + 1)

beforeAll(async () => {
  service = await makeServiceFolder({ policies: P0_POLICIES })
  postern = await startService(service)
  sessions.dev = valueOf(service.cookie('ada', ['dev']))
  sessions.root = valueOf(service.cookie('root', ['admins', 'dev']))
  sessions.expired = valueOf(service.cookie('root', ['admins'], { expiresAtSeconds: 1_700_000_000 }))
  world = {
    policies: entriesOf(P0_POLICIES),
    cookieName: SESSION_COOKIE,
    people: new Map([
      [sessions.dev, person('ada', ['dev'])],
      [sessions.root, person('root', ['admins', 'dev'])],
    ]),
  }
})
afterAll(async () => {
  await postern.close()
  await service.remove()
})

// ── Requests that are nearly good: pieces that proxies, clients and attackers put together.

/** Any byte but those that end a line. */
const anyBytes = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(
      fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10 && code !== 13),
      { maxLength },
    )
    .map((codes) => String.fromCharCode(...codes))

const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)

const segment = fc.oneof(
  { weight: 6, arbitrary: oneOf('public', 'admin', 'x', '') },
  {
    weight: 3,
    arbitrary: oneOf(
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '..;a',
      '..;',
      'ADMIN',
      'Public',
      '%61dmin',
      'admin;a=b',
      'public%2f..%2fadmin',
    ),
  },
  {
    weight: 2,
    arbitrary: oneOf(
      '..%5cadmin',
      '..\\admin',
      '%252e%252e',
      'a%23',
      '#',
      'a%3fb',
      '%c0%ae%c0%ae',
      '%00',
      '%zz',
      '%u002e',
      '%',
      '\u00e9',
      '*',
      '%0a',
      '%2525',
    ),
  },
  { weight: 1, arbitrary: anyBytes(6) },
)

const path = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
  },
  { weight: 1, arbitrary: anyBytes(30) },
)

const query = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  oneOf('?', '?a=/public/', '?/../admin', '#/public'),
)

const host = fc.oneof(
  { weight: 8, arbitrary: oneOf('app.example.com', 'pub.example.com', 'secure.example.com') },
  oneOf(
    'APP.example.com.',
    'secure.example.com:443',
    'Secure.Example.com.:1',
    'app.example.com:0',
    'app.example.com:70000',
    'user@app.example.com',
    'pub.example.com@secure.example.com',
    'pub.example.com, secure.example.com',
    'pub.example.com#secure.example.com',
    'secure.example.com..',
    '.app.example.com',
    'app.example.com\u00e9',
    '[::1]',
    'evil.example.com',
    '',
  ),
  anyBytes(12),
)

const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('GET') },
  oneOf('HEAD', 'POST', 'OPTIONS', 'TRACE', 'PURGE', 'WEBSOCKET', 'get', 'G ET', '', 'X-M_ETHOD'),
)

const cookieLine = fc.oneof(
  { weight: 4, arbitrary: fc.constant('dev').map((who) => `\u0001${who}`) },
  { weight: 3, arbitrary: fc.constant('\u0001root') },
  fc.constant('\u0001expired'),
  fc.constant('\u0001dev; \u0001root'),
  fc.constant('\u0001root; a=b; \u0001root'),
  fc.constant('a=b; \u0001garbage;\u0001dev'),
  fc.tuple(anyBytes(10), anyBytes(10)).map(([before, after]) => `${before};\u0001root${after}`),
  anyBytes(40),
)

/** Where a piece says `\u0001WHO`, the cookie of that person; sessions exist only once the service runs. */
const filledIn = (line: string): string =>
  line.replaceAll(
    // oxlint-disable-next-line no-control-regex -- our own mark, which no piece holds otherwise
    /\u0001(dev|root|expired|garbage)/g,
    (_, who: string) =>
      `${SESSION_COOKIE}=${who === 'dev' ? sessions.dev : who === 'root' ? sessions.root : who === 'expired' ? sessions.expired : 'AAAA'}`,
  )

type Line = readonly [string, string]

const noiseName = fc.oneof(
  oneOf(
    'X-Auth-Request-User',
    'X-Auth-Request-Groups',
    'Remote-User',
    'X_Original_URL',
    'X_Forwarded_Uri',
    'X-Forwarded-Uri',
    'X-Original-URL',
    'X-Postern-Host',
    'X-Postern-Assertion',
    'Authorization',
    'Proxy-Authorization',
    'Forwarded',
    'Connection',
    'Accept',
    'Origin',
    'Access-Control-Request-Method',
    'Upgrade',
    'Sec-WebSocket-Key',
    'X-HTTP-Method-Override',
    'Cookie',
  ),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/),
)
const noiseValue = fc.oneof(
  oneOf(
    'root',
    'admins',
    '/public/',
    'https://pub.example.com/',
    'pub.example.com',
    'Bearer abc',
    'Basic cm9vdDpyb290',
    'OPTIONS',
    'close',
    'websocket',
    'https://evil.example',
    'X-Forwarded-Uri',
    '\u0001root',
  ),
  anyBytes(20),
)
const noise = fc.array(fc.tuple(noiseName, noiseValue), { maxLength: 3 })

const options = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  oneOf(
    '?',
    '?unauth=401',
    '?host=app.example.com',
    '?host=pub.example.com',
    '?route=app',
    '?route=pub&xhr=403',
    '?host=a&host=b',
    '?rule=x',
    '?HOST=pub.example.com',
    '?route=',
  ),
)

const nginx = fc
  .record({ host, path, query, method, options, served: fc.option(host, { freq: 6, nil: undefined }) })
  .map((it) => ({
    target: `/authz/nginx${it.options}`,
    method: 'GET',
    lines: [
      ['X-Original-URL', `https://${it.host}${it.path}${it.query}`],
      ['X-Original-Method', it.method],
      ...(it.served === undefined ? [] : [['X-Postern-Host', it.served] as const]),
    ] as readonly Line[],
  }))

const forward = fc
  .record({ host, path, query, method, options, proto: oneOf('https', 'https', 'http', 'wss', 'ftp', '') })
  .map((it) => ({
    target: `/authz/forward${it.options}`,
    method: 'GET',
    lines: [
      ['X-Forwarded-Method', it.method],
      ['X-Forwarded-Proto', it.proto],
      ['X-Forwarded-Host', it.host],
      ['X-Forwarded-Uri', it.path + it.query],
    ] as readonly Line[],
  }))

const ext = fc.record({ host, path, query, method }).map((it) => ({
  target: `/authz/ext${it.path}${it.query}`,
  method: it.method,
  lines: [['Host', it.host]] as readonly Line[],
}))

interface Pieces {
  readonly target: string
  readonly method: string
  readonly lines: readonly Line[]
}

/** Loses a line, doubles one, or replaces a value, now and then. */
const disturbed = (pieces: fc.Arbitrary<Pieces>): fc.Arbitrary<string> =>
  fc
    .record({
      pieces,
      cookies: fc.array(cookieLine, { maxLength: 2 }),
      noise,
      harm: fc.oneof(
        { weight: 6, arbitrary: fc.constant('none') },
        oneOf('lose', 'double', 'replace', 'target'),
      ),
      at: fc.nat(3),
      bytes: anyBytes(24),
    })
    .map(({ pieces: { target, method: verb, lines }, cookies, noise: more, harm, at, bytes }) => {
      const index = at % lines.length
      const harmed = lines.flatMap((line, place): readonly Line[] => {
        if (place !== index) return [line]
        if (harm === 'lose') return []
        if (harm === 'double') return [line, [line[0], bytes]]
        return harm === 'replace' ? [[line[0], bytes]] : [line]
      })
      const all = [...harmed, ...cookies.map((line): Line => ['Cookie', line]), ...more]
      const named = all.some(([name]) => name.toLowerCase() === 'host')
      const head = [
        `${verb} ${harm === 'target' ? target + bytes.replaceAll(' ', '+') : target} HTTP/1.1`,
        ...(named ? [] : ['Host: postern.internal']),
        ...all.map(([name, value]) => `${name}: ${value}`),
        'Connection: close',
      ]
      return `${head.join('\r\n')}\r\n\r\n`
    })

describe('any bytes at a decision listener that runs', () => {
  it.each([
    ['nginx', nginx],
    ['forward', forward],
    ['ext', ext],
  ] as const)('%s: whoever is let in is let in by a second reading too', async (_, pieces) => {
    const seen = { allowed: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(disturbed(pieces), async (text) => {
        const bytes = filledIn(text)
        const { status } = await sendRaw(service.ports.decision, bytes)
        expect(status).toBeGreaterThanOrEqual(200)
        const allowed = status >= 200 && status < 300
        seen[allowed ? 'allowed' : 'refused'] += 1
        if (allowed) expect([status, mayAllow(bytes, world)]).toEqual([200, true])
      }),
      { numRuns: 700 },
    )
    // A property over requests of which none is let in would say nothing.
    expect(seen.allowed).toBeGreaterThan(20)
    expect(seen.refused).toBeGreaterThan(100)
    expect(await totalOf(service, 'postern_faults_total')).toBe(0)
  })

  it('a route that the decision URL asserts must own the reported host and the served one', async () => {
    const ask = async (url: string, served: string): Promise<number> => {
      const target = '/authz/nginx?route=app'
      const headers = [['X-Postern-Host', served]] as const
      const cookie = `${SESSION_COOKIE}=${sessions.root}`
      return (await askNginx(service, url, { target, headers, cookie })).status
    }
    expect(await ask('https://app.example.com/x', 'app.example.com')).toBe(200)
    expect(await ask('https://secure.example.com/x', 'app.example.com')).toBe(403)
    expect(await ask('https://app.example.com/x', 'secure.example.com')).toBe(403)
  })

  it('the second reading tells good from bad by itself', () => {
    const ask = (url: string, who: 'dev' | 'root' | undefined): boolean =>
      mayAllow(
        `GET /authz/nginx HTTP/1.1\r\nHost: x\r\nX-Original-URL: ${url}\r\nX-Original-Method: GET\r\n${
          who === undefined ? '' : `Cookie: ${SESSION_COOKIE}=${sessions[who]}\r\n`
        }\r\n`,
        world,
      )
    expect(ask('https://app.example.com/x', 'dev')).toBe(true)
    expect(ask('https://app.example.com/x', undefined)).toBe(false)
    expect(ask('https://app.example.com/public/a', undefined)).toBe(true)
    expect(ask('https://app.example.com/public/../admin', 'dev')).toBe(false)
    expect(ask('https://app.example.com/admin', 'root')).toBe(true)
    expect(ask('https://secure.example.com/', 'dev')).toBe(false)
    expect(ask('https://pub.example.com/', undefined)).toBe(true)
  })

  it('bytes that are no request at all get an answer or a closed connection, never 2xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const text = `${Buffer.from(bytes).toString('latin1')}\r\n\r\nConnection: close\r\n\r\n`
        const { status } = await sendRaw(service.ports.decision, text)
        expect(status < 200 || status >= 300).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('every decided request left one line', async () => {
    const decided = await totalOf(service, 'postern_decisions_total')
    expect(decided).toBeGreaterThan(500)
    const unreadable = await totalOf(service, 'postern_unreadable_requests_total')
    await until(
      async () => (await service.log()).filter(({ type }) => type === 'decision').length,
      (lines) => lines === decided + unreadable,
    )
    const text = await service.read('decisions.ndjson')
    // oxlint-disable-next-line no-control-regex -- control bytes are what is looked for
    expect(/[^\u0020-\u007e\n]/.test(text)).toBe(false)
    for (const secret of Object.values(sessions)) expect(text).not.toContain(secret)
  })
})

// ── Parts that break.

const boom = (): never => {
  throw new Error('a part broke')
}
const strange = (): never => {
  // oxlint-disable-next-line typescript/only-throw-error -- libraries do that
  throw undefined
}
const rejecting = (): Promise<never> => Promise.reject(new Error('a part broke later'))

/** Breaks one part; those that may answer later break later too. */
const BREAKS: readonly (readonly [string, (parts: Parts) => Partial<Parts>])[] = [
  ...(
    [
      'authenticate',
      'prepareIdentity',
      'policies',
      'nowMs',
      'monotonicMs',
      'nextId',
      'judgePeer',
      'writeDecision',
      'stillGood',
      'cacheContext',
      'onLookup',
    ] as const
  ).flatMap((name): [string, () => Partial<Parts>][] => [
    [`${name} throws`, () => ({ [name]: boom })],
    [`${name} throws nothing at all`, () => ({ [name]: strange })],
  ]),
  ['authenticate rejects', () => ({ authenticate: rejecting })],
  ['prepareIdentity rejects', () => ({ prepareIdentity: rejecting })],
  [
    'authenticate answers later, and preparation throws',
    (parts) => ({
      authenticate: async (...args) => parts.authenticate(...args),
      prepareIdentity: boom,
    }),
  ],
  [
    'the answer holds a header that cannot be sent',
    (parts) => ({
      writeDecision: (...args) => {
        const answer = parts.writeDecision(...args)
        return { ...answer, headers: [...answer.headers, 'X-Broken', 'a\r\nb'] }
      },
    }),
  ],
]

const WAYS: readonly (readonly [string, AuthzQuestion])[] = [
  ['nginx', {}],
  ['nginx over HEAD', { method: 'HEAD' }],
  ['nginx of a client that waits to continue', { headers: [['Expect', '100-continue']] }],
  ['forward', { dialect: 'forward' }],
  ['ext', { dialect: 'ext' }],
  ['ext over HEAD', { dialect: 'ext', method: 'HEAD' }],
]

describe('whatever breaks', () => {
  let server: AuthzServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  it.each(WAYS)('%s lets in where nothing does', async (_, question) => {
    server = await startAuthz()
    expect((await server.ask(question)).status).toBe(200)
    expect(server.faults).toEqual([])
  })

  it.each(
    BREAKS.flatMap(([name, broken]) => WAYS.map(([way, question]) => [name, way, broken, question] as const)),
  )('%s (%s): an answer, no access, one fault', async (name, _, broken, question) => {
    server = await startAuthz((parts) => ({ ...broken(parts) }))
    // A look at a cached decision takes a first one.
    const isCached = name.startsWith('stillGood')
    if (isCached) await server.ask(question)
    const answer = await server.ask(question)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('cache-control')).toEqual(['no-store'])
    expect(answer.headers.has('x-auth-request-user')).toBe(false)
    expect(server.faults).toHaveLength(1)
  })

  it('a refusal that cannot be written is no access either', async () => {
    server = await startAuthz(() => ({ writeRefusal: boom }))
    const answer = await server.ask({ headers: [['X-Original-Method', 'twice']] })
    expect([answer.status, server.faults.length]).toEqual([503, 1])
  })

  it('a log that throws takes nothing back, and the fault is told', async () => {
    server = await startAuthz(() => ({ observe: boom }))
    expect((await server.ask()).status).toBe(200)
    await until(
      () => server?.faults.length,
      (count) => count === 1,
    )
  })

  it('a log that throws lets nobody in where each decision must be recorded', async () => {
    server = await startAuthz(() => ({ observe: boom }))
    const answer = await server.ask({ host: 'strict.example.com' })
    expect([answer.status, server.faults.length]).toEqual([503, 1])
  })

  it('nor does one that drops the line', async () => {
    server = await startAuthz(() => ({
      observe: makeObserve({
        audit: { write: () => false },
        metrics: { decision: () => undefined, credential: () => undefined },
        policyRevision: () => 'p:0',
        networkOf: () => undefined,
      }),
    }))
    expect((await server.ask({ host: 'strict.example.com' })).status).toBe(503)
    expect((await server.ask()).status).toBe(200)
  })

  it('nor does one that is behind', async () => {
    server = await startAuthz(() => ({ auditIsBehind: () => true }))
    expect((await server.ask({ host: 'strict.example.com' })).status).toBe(503)
    expect((await server.ask()).status).toBe(200)
  })

  it.each([
    ['strict.example.com', [200, 503], '; the answer that was recorded under this id was not given'],
    ['app.example.com', [503], ''],
  ] as const)(
    'an answer that cannot be sent is not left in the log as given: %s',
    async (host, statuses, more) => {
      server = await startAuthz((parts) => ({
        writeDecision: (...args) => {
          const answer = parts.writeDecision(...args)
          return { ...answer, headers: [...answer.headers, 'X-Broken', 'a\r\nb'] }
        },
      }))
      const answer = await server.ask({ host })
      expect(answer.status).toBe(503)
      const observed = await until(
        () => server?.observed ?? [],
        (all) => all.length >= statuses.length,
      )
      expect(observed.map(({ status }) => status)).toEqual(statuses)
      expect(new Set(observed.map(({ id }) => id)).size).toBe(1)
      expect(observed.at(-1)).toMatchObject({
        decision: { outcome: 'indeterminate', reason: 'ERROR_INTERNAL' },
        note: `a fault in Postern; the service log has it${more}`,
      })
    },
  )

  it('a strict log that throws leaves one line at most, and no word of another', async () => {
    let calls = 0
    server = await startAuthz((parts) => ({
      observe: (one) => {
        calls += 1
        if (calls === 1) boom()
        parts.observe(one)
      },
    }))
    expect((await server.ask({ host: 'strict.example.com' })).status).toBe(503)
    expect(server.observed.map(({ status, note }) => [status, note])).toEqual([
      [503, 'a fault in Postern; the service log has it'],
    ])
  })

  it('even telling of the fault may break', async () => {
    server = await startAuthz(() => ({ authenticate: boom, onFault: boom, observe: boom }))
    for (const [, question] of WAYS) expect((await server.ask(question)).status).toBe(503)
  })

  it('a decision that was under way across a reload is logged with the policy that made it', async () => {
    const gate = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    let revision = 'p:before'
    server = await startAuthz((parts) => ({
      policies: () => ({ ...parts.policies(), revision }),
      authenticate: async (...args) => {
        arrived.resolve()
        await gate.promise
        return parts.authenticate(...args)
      },
    }))
    const asking = server.ask()
    await arrived.promise
    revision = 'p:after'
    gate.resolve()
    expect((await asking).status).toBe(200)
    expect(server.observed.map((one) => one.policyRevision)).toEqual(['p:before'])
  })
})

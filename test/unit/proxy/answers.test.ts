import { describe, expect, it } from 'vitest'
import type { CredentialKind } from '../../../src/policy/credential-kind.ts'
import { denied, NOWHERE, type Decision, type Demand } from '../../../src/policy/decision.ts'
import type { Section } from '../../../src/policy/route.ts'
import type { AnswerInput } from '../../../src/proxy/answer.ts'
import { headBytes } from '../../../src/proxy/answer-head.ts'
import { dialectOf } from '../../../src/proxy/dialect.ts'
import type { DialectName, Exchange } from '../../../src/proxy/exchange.ts'
import { identityHeaders } from '../../../src/proxy/identity-headers.ts'
import { writeAnswer, writeRefusal } from '../../../src/proxy/write-answer.ts'
import { buildRoute, person } from '../../support/policy-builder.ts'
import { ANSWER_SETTINGS, DECISION_ID, headerMap, PROXY_SETTINGS } from './corridor.ts'

const ROUTE = buildRoute({
  route: 'app',
  hosts: ['app.example.com'],
  sections: [{ path: '/', allow: {} }],
})
const [SECTION] = ROUTE.sections

const BROWSER = ['Accept', 'text/html,*/*', 'Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document']
const SCRIPT = ['Accept', '*/*', 'Sec-Fetch-Mode', 'cors']
const CURL = ['Accept', '*/*']
const API = ['Accept', 'application/json']

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly query?: string
}

const exchangeOf = (name: DialectName, more: readonly string[], asked: Asked = {}): Exchange => {
  const { method = 'GET', path = '/a?q=1', query = '' } = asked
  const own: Readonly<Record<DialectName, { target: string; headers: readonly string[] }>> = {
    nginx: {
      target: `/authz/nginx${query}`,
      headers: ['X-Original-URL', `https://app.example.com${path}`, 'X-Original-Method', method],
    },
    forward: {
      target: `/authz/forward${query}`,
      headers: [
        ['X-Forwarded-Method', method, 'X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'app.example.com', 'X-Forwarded-Uri', path],
      ].flat(),
    },
    ext: { target: `/authz/ext${path}`, headers: ['Host', 'app.example.com'] },
  }
  const { target, headers } = own[name]
  const rawHeaders = [...headers, ...more]
  const reading = dialectOf(target)?.read(
    { method: name === 'ext' ? method : 'GET', target, rawHeaders },
    PROXY_SETTINGS,
  )
  if (reading?.kind !== 'exchange') throw new Error(`refused: ${reading?.why}`)
  return reading
}

const inputOf = (decision: Decision, exchange: Exchange, over: Partial<AnswerInput> = {}): AnswerInput => ({
  exchange,
  decision,
  route: ROUTE,
  section: SECTION,
  verified: undefined,
  identityHeaders: [],
  decisionId: DECISION_ID,
  setCookie: undefined,
  ...over,
})

const answer = (input: AnswerInput) => {
  const written = writeAnswer(input, ANSWER_SETTINGS)
  const map = headerMap(written.headers)
  return { ...written, map, one: (name: string): string | undefined => map.get(name)?.[0] }
}

const challenge = (demand: Demand): Decision => ({
  ...NOWHERE,
  outcome: 'challenge',
  reason: 'CHALLENGE_NO_CREDENTIAL',
  demand,
})
const credential = (...accepts: readonly CredentialKind[]): Decision =>
  challenge({ kind: 'credential', accepts })
const ALLOW: Decision = { ...NOWHERE, outcome: 'allow', reason: 'ALLOW_RULE', identity: 'caller' }
const DENY = denied('DENY_NO_RULE')
const BROKEN: Decision = { ...NOWHERE, outcome: 'indeterminate', reason: 'ERROR_STATE', why: 'store' }

const SIGN_IN = 'https://login.example.com/sign-in?rd=https%3A%2F%2Fapp.example.com%2Fa%3Fq%3D1'

describe('a 200', () => {
  it('is the answer to an allow and to nothing else', () => {
    for (const name of ['nginx', 'forward', 'ext'] as const) {
      for (const [decision, status] of [
        [ALLOW, 200],
        [DENY, 403],
        [BROKEN, 503],
        [credential('session'), 401],
      ] as const)
        expect(answer(inputOf(decision, exchangeOf(name, API))).status).toBe(status)
    }
  })

  it('carries the whole identity set though nobody prepared it', () => {
    const { headers } = answer(inputOf(ALLOW, exchangeOf('nginx', [])))
    const want = identityHeaders({
      names: ROUTE.identity,
      principal: undefined,
      assertion: '',
      qualified: false,
    })
    expect(headers.slice(-want.headers.length)).toEqual(want.headers)
  })

  it('is not given where no route names the identity headers', () => {
    expect(answer(inputOf(ALLOW, exchangeOf('nginx', []), { route: undefined })).status).toBe(503)
  })

  it('lists for Envoy what is empty, and nothing else', () => {
    const prepared = ['X-User', 'anna', 'X-Email', '', 'X-Groups', '']
    const ext = answer(inputOf(ALLOW, exchangeOf('ext', []), { identityHeaders: prepared }))
    expect(ext.one('x-envoy-auth-headers-to-remove')).toBe('x-email,x-groups')
    const nginx = answer(inputOf(ALLOW, exchangeOf('nginx', []), { identityHeaders: prepared }))
    expect(nginx.map.has('x-envoy-auth-headers-to-remove')).toBe(false)
  })
})

describe('a head', () => {
  const many = (count: number) =>
    identityHeaders({
      names: ROUTE.identity,
      principal: person(
        'anna',
        Array.from({ length: count }, (_, index) => `group-number-${index}`),
      ),
      assertion: 'x'.repeat(900),
      qualified: false,
    })

  it.each([0, 50, 100, 120, 130, 140, 150, 160, 170, 180, 190, 1000])(
    'stays under 4096 bytes with %i groups',
    (count) => {
      for (const name of ['nginx', 'ext'] as const) {
        const more = ['Authorization', 'Bearer t', 'X-API-Key', 'k']
        const verified = {
          authentication: { kind: 'anonymous', note: undefined },
          consumed: 'api-key',
          foreignAuthorization: false,
          note: undefined,
          revocable: undefined,
        } as const
        const input = inputOf(ALLOW, exchangeOf(name, more), {
          identityHeaders: many(count).headers,
          verified,
        })
        expect(headBytes(answer(input).headers)).toBeLessThan(4096)
        const renewing = answer({ ...input, setCookie: `c=${'x'.repeat(900)}` })
        expect(headBytes(renewing.headers)).toBeLessThan(4096)
      }
    },
  )

  it('has a cookie where it fits, and goes without one where it does not', () => {
    const at = (length: number) =>
      answer(inputOf(ALLOW, exchangeOf('nginx', []), { setCookie: `c=${'x'.repeat(length)}` })).map.get(
        'set-cookie',
      )
    expect(at(3000)).toHaveLength(1)
    expect(at(3900)).toBeUndefined()
  })

  it('stays under 4096 bytes with the longest way back', () => {
    const path = `/${'%C3%A9'.repeat(1300)}`
    const { one, headers } = answer(
      inputOf(credential('session', 'basic'), exchangeOf('nginx', BROWSER, { path })),
    )
    expect(one('location')).toBe('https://login.example.com/sign-in?rd=https%3A%2F%2Fapp.example.com%2F')
    expect(headBytes(headers)).toBeLessThan(4096)
  })
})

describe('an echo', () => {
  const echoed = (
    more: readonly string[],
    consumed: 'none' | 'authorization' | 'api-key' | 'proxy-authorization',
    over: Partial<Section> = {},
  ) => {
    const exchange = exchangeOf('nginx', more)
    return answer(
      inputOf(ALLOW, exchange, {
        section: SECTION === undefined ? undefined : { ...SECTION, ...over },
        verified: {
          authentication: { kind: 'anonymous', note: undefined },
          consumed,
          foreignAuthorization: exchange.carried.authorization !== undefined,
          note: undefined,
          revocable: undefined,
        },
      }),
    )
  }
  const BEARER = ['Authorization', 'Bearer theirs']
  const BASIC = ['Authorization', 'Basic dTpw']

  it('hands a foreign Authorization back and empties ours', () => {
    expect(echoed(BEARER, 'none').one('authorization')).toBe('Bearer theirs')
    expect(echoed(BEARER, 'authorization').one('authorization')).toBe('')
  })

  it('is not there for what was not received', () => {
    const { map } = echoed([], 'none', { echo: ['authorization', 'cookie'] })
    expect([map.has('authorization'), map.has('cookie')]).toEqual([false, false])
  })

  it('is empty where the section asks for none', () => {
    expect(echoed(BEARER, 'none', { echo: [] }).one('authorization')).toBe('')
  })

  it('hands foreign Basic on only where the route says so', () => {
    expect(echoed(BASIC, 'none').one('authorization')).toBe('')
    expect(echoed(BASIC, 'none', { passthroughBasic: true }).one('authorization')).toBe('Basic dTpw')
    expect(echoed(BASIC, 'authorization', { passthroughBasic: true }).one('authorization')).toBe('')
  })

  it('empties the header that a consumed credential came in', () => {
    expect(echoed(['X-API-Key', 'pst_k'], 'api-key').one('x-api-key')).toBe('')
    expect(echoed(['Proxy-Authorization', 'x'], 'proxy-authorization').one('proxy-authorization')).toBe('')
    expect(echoed(['X-API-Key', 'theirs'], 'none').map.has('x-api-key')).toBe(false)
  })

  it('hands cookies on without ours, where the section asks for them', () => {
    const cookies = ['Cookie', 'a=1; __Secure-postern=sealed', 'Cookie', 'b=2']
    expect(echoed(cookies, 'none', { echo: ['cookie'] }).one('cookie')).toBe('a=1; b=2')
    expect(echoed(cookies.slice(0, 2), 'none', { echo: ['cookie'] }).headers.join('\n')).not.toContain(
      'sealed',
    )
    expect(echoed(['Cookie', '__Secure-postern=sealed'], 'none', { echo: ['cookie'] }).one('cookie')).toBe('')
    expect(echoed(cookies, 'none').map.has('cookie')).toBe(false)
  })
})

describe('a challenge on nginx', () => {
  it.each([
    ['a navigation', BROWSER, SIGN_IN],
    ['a tool', CURL, SIGN_IN],
    ['a script', SCRIPT, undefined],
    ['an XHR', [...CURL, 'X-Requested-With', 'XMLHttpRequest'], undefined],
    ['a caller without Accept', [], undefined],
    ['gRPC', [...CURL, 'Content-Type', 'application/grpc+proto'], undefined],
    ['a WebSocket', [...BROWSER.slice(0, 2), 'Sec-WebSocket-Key', 'eA=='], undefined],
  ])('is a 401 for %s', (_, more, location) => {
    const { status, one, map, body } = answer(inputOf(credential('session'), exchangeOf('nginx', more)))
    expect([status, one('location'), body]).toEqual([401, location, ''])
    expect(map.has('www-authenticate')).toBe(true)
  })

  it('never redirects by itself', () => {
    const posted = exchangeOf('nginx', BROWSER, { method: 'POST' })
    expect(answer(inputOf(credential('session'), posted)).status).toBe(401)
  })

  it('redirects where the operator wants it', () => {
    const decided = (more: readonly string[], method = 'GET') =>
      answer(inputOf(credential('session'), exchangeOf('nginx', more, { query: '?unauth=302', method })))
    expect([decided(BROWSER).status, decided(BROWSER, 'POST').status, decided(SCRIPT).status]).toEqual([
      302, 303, 401,
    ])
  })

  it('is 403 for a script where the operator wants it', () => {
    const decided = (more: readonly string[]) =>
      answer(inputOf(credential('session'), exchangeOf('nginx', more, { query: '?xhr=403' })))
    expect([decided(SCRIPT).status, decided(BROWSER).status, decided(CURL).status]).toEqual([403, 401, 401])
    expect(decided(SCRIPT).map.has('www-authenticate')).toBe(false)
  })
})

describe('a challenge on forward and ext', () => {
  it.each(['forward', 'ext'] as const)('redirects on positive proof of a navigation only (%s)', (name) => {
    const status = (more: readonly string[], method = 'GET') => {
      const decided = answer(inputOf(credential('session'), exchangeOf(name, more, { method })))
      return [decided.status, decided.map.has('location')]
    }
    expect(status(BROWSER)).toEqual([302, true])
    expect(status(BROWSER, 'HEAD')).toEqual([302, true])
    expect(status(BROWSER, 'POST')).toEqual([303, true])
    expect(status(['Accept', 'text/html'])).toEqual([302, true])
    expect(status(['Accept', 'text/html'], 'PUT')).toEqual([401, false])
    expect(status(['Accept', 'text/html, application/json'])).toEqual([401, false])
    expect(status(CURL)).toEqual([401, false])
    expect(status(SCRIPT)).toEqual([401, false])
    expect(status([])).toEqual([401, false])
  })

  it('is a page with a way to sign in where the operator wants a 401', () => {
    const exchange = exchangeOf('forward', BROWSER, { query: '?unauth=401' })
    const { status, map, one, body } = answer(inputOf(credential('session'), exchange))
    expect([status, one('content-type'), map.has('location')]).toEqual([
      401,
      'text/html; charset=utf-8',
      false,
    ])
    expect(body).toContain('sign-in')
  })

  it.each([
    [DENY, 403, 'denied'],
    [BROKEN, 503, 'unavailable'],
  ] as const)(
    '%o is a page for a person, a problem for a program, and bare for HEAD',
    (decision, status, page) => {
      const person = answer(inputOf(decision, exchangeOf('forward', BROWSER)))
      expect([person.status, person.one('content-type')]).toEqual([status, 'text/html; charset=utf-8'])
      expect(person.body).toContain(page)
      const program = answer(inputOf(decision, exchangeOf('forward', API)))
      expect([program.status, program.one('content-type')]).toEqual([status, 'application/problem+json'])
      expect(JSON.parse(program.body)).toMatchObject({ status, decision: DECISION_ID })
      const head = answer(inputOf(decision, exchangeOf('forward', BROWSER, { method: 'HEAD' })))
      expect([head.status, head.body, head.one('content-length')]).toEqual([status, '', '0'])
      expect(person.one('content-length')).toBe(String(Buffer.byteLength(person.body)))
    },
  )

  it('says when to try again, on forward and ext only', () => {
    const retry = (name: DialectName) => answer(inputOf(BROKEN, exchangeOf(name, API))).one('retry-after')
    expect([retry('forward'), retry('ext'), retry('nginx')]).toEqual(['5', '5', undefined])
  })
})

describe('what a challenge offers', () => {
  const offered = (demand: Demand, more: readonly string[] = BROWSER, signin = ROUTE.signin) => {
    const input = inputOf(challenge(demand), exchangeOf('nginx', more), { route: { ...ROUTE, signin } })
    const { map, one } = answer(input)
    return { schemes: map.get('www-authenticate'), location: one('location') }
  }
  const BASIC_LINE = 'Basic realm="postern", charset="UTF-8"'
  const BEARER_LINE = 'Bearer realm="postern"'

  it('is Basic alone where only Basic is accepted, and never sign-in', () => {
    const demand: Demand = { kind: 'credential', accepts: ['basic'] }
    expect(offered(demand)).toEqual({ schemes: [BASIC_LINE], location: undefined })
    const forwarded = answer(inputOf(challenge(demand), exchangeOf('forward', BROWSER)))
    expect([forwarded.status, forwarded.map.has('location')]).toEqual([401, false])
  })

  it('is no Basic for a script, and still a scheme', () => {
    const demand: Demand = { kind: 'credential', accepts: ['session', 'basic'] }
    expect(offered(demand, SCRIPT).schemes).toEqual(['Postern realm="postern"'])
    expect(offered(demand).schemes).toEqual([BASIC_LINE])
  })

  it('is Basic only where the policy accepts it', () => {
    expect(offered({ kind: 'credential', accepts: ['session', 'api-key'] }).schemes).toEqual([BEARER_LINE])
  })

  it('is no sign-in where the route has none', () => {
    const demand: Demand = { kind: 'credential', accepts: ['session'] }
    expect(offered(demand, BROWSER, 'none').location).toBeUndefined()
    expect(offered(demand, BROWSER, 'all-401').location).toBe(SIGN_IN)
  })

  it('names a token that was rejected (RFC 6750 §3.1), and not why', () => {
    const demand: Demand = {
      kind: 'rejected',
      accepts: ['session', 'bearer', 'basic'],
      credential: 'bearer',
      why: 'no such issuer',
    }
    expect(offered(demand).schemes).toEqual([`${BEARER_LINE}, error="invalid_token"`, BASIC_LINE])
    expect(offered({ ...demand, credential: 'basic' }).schemes).toEqual([BASIC_LINE, BEARER_LINE])
  })

  it('is a stronger proof where a rule asks for one (RFC 9470 §3), by sign-in for a page load only', () => {
    const demand: Demand = {
      kind: 'step-up',
      accepts: ['session'],
      rule: 'app#admins',
      maxAgeSeconds: 300,
      acrValues: ['phr', 'a"b', 'urn:x'],
    }
    expect(offered(demand)).toEqual({
      schemes: [
        'Bearer realm="postern", error="insufficient_user_authentication", acr_values="phr urn:x", max_age="300"',
      ],
      location: SIGN_IN,
    })
    expect(offered(demand, CURL).location).toBeUndefined()
  })

  it('is a fresh session for a page load only', () => {
    const demand: Demand = { kind: 'reauth', accepts: ['session'], claims: ['dept'] }
    expect(offered(demand).location).toBe(SIGN_IN)
    expect(offered(demand, CURL).location).toBeUndefined()
  })
})

describe('the way back', () => {
  const rd = (path: string): string => {
    const { one } = answer(inputOf(credential('session'), exchangeOf('nginx', BROWSER, { path })))
    const location = one('location') ?? ''
    expect(location).toMatch(/^[\x21-\x7e]+$/)
    const url = new URL(location)
    expect(url.origin).toBe('https://login.example.com')
    return url.searchParams.get('rd') ?? ''
  }

  it.each([
    ['/a?b=c&d=e+f', 'https://app.example.com/a?b=c&d=e+f'],
    ['/a%2Fb%20c', 'https://app.example.com/a%2Fb%20c'],
    ['/caf\u00e9', 'https://app.example.com/caf%E9'],
    ['/a\\b', 'https://app.example.com/a%5Cb'],
    ['/a#b', 'https://app.example.com/a%23b'],
    ['/a"<b>', 'https://app.example.com/a%22%3Cb%3E'],
    ['//evil.example/x', 'https://app.example.com//evil.example/x'],
    ['/?rd=https://evil.example', 'https://app.example.com/?rd=https://evil.example'],
  ])('from %s is byte by byte where the browser was', (path, want) => {
    expect(rd(path)).toBe(want)
    expect(new URL(want).href).toBe(want)
  })
})

describe('a refusal', () => {
  const refusal = {
    kind: 'refused',
    reason: 'DENY_BAD_REQUEST',
    why: 'the host is malformed',
    requestId: undefined,
    userAgent: undefined,
  } as const

  it('has no body on nginx, and a problem elsewhere', () => {
    const nginx = writeRefusal({ ...refusal, dialect: 'nginx', status: 403 }, DECISION_ID)
    expect([nginx.status, nginx.body, headerMap(nginx.headers).get('content-length')]).toEqual([
      403,
      '',
      ['0'],
    ])
    const forward = writeRefusal({ ...refusal, dialect: 'forward', status: 400 }, DECISION_ID)
    expect([forward.status, forward.body.includes('host')]).toEqual([400, false])
    expect(headerMap(forward.headers).get('content-length')).toEqual([String(forward.body.length)])
  })

  it('names the methods that are decided (RFC 9110 §15.5.6)', () => {
    const written = writeRefusal({ ...refusal, dialect: 'forward', status: 405 }, DECISION_ID)
    expect(headerMap(written.headers).get('allow')?.[0]).not.toMatch(/TRACE|PURGE/)
  })
})

// What lets somebody in whom no credential vouches for holds only where every reader reads the same path.
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { parseNetwork } from '../../../src/policy/network.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import { ANONYMOUS, type Authentication } from '../../../src/policy/principal.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { buildSet, person } from '../../support/policy-builder.ts'

const host = normalizeHost('app.example.com')
const vpn = parseNetwork('10.0.0.0/8')
if (host === undefined || vpn === undefined) throw new Error('fixture')
const FROM_VPN: Predicate = { kind: 'from_networks', anyOf: [vpn], labels: ['vpn'] }

const set = buildSet([
  {
    route: 'app',
    hosts: ['app.example.com'],
    sections: [
      { path: '/', allow: { all: [{ kind: 'authenticated' }] } },
      { path: '/lan', allow: { lan: [FROM_VPN] } },
      { path: '/both', allow: { both: [FROM_VPN, { kind: 'groups', anyOf: ['dev'] }] } },
      { path: '/public', allow: { open: [{ kind: 'anyone' }] } },
      { path: '/admin', allow: { admins: [{ kind: 'groups', anyOf: ['admins'] }] } },
      {
        path: '/socket',
        deny: {
          'no-contractors': [
            { kind: 'groups', anyOf: ['contractors'] },
            { kind: 'methods', anyOf: ['GET'] },
          ],
        },
        allow: { in: [{ kind: 'authenticated' }] },
      },
      { path: '/read', allow: { read: [{ kind: 'authenticated' }, { kind: 'methods', anyOf: ['GET'] }] } },
    ],
  },
])

interface Ask {
  readonly path: string
  readonly method?: string
  readonly clientIp?: string | undefined
  readonly as?: Authentication
  readonly undecided?: true
}

const decide = ({ path, method = 'GET', clientIp, as = ANONYMOUS, undecided }: Ask) => {
  const reading = readPath(path)
  if (reading.kind === 'malformed') return { outcome: 'malformed', reason: reading.why }
  const facts: RequestFacts = {
    host,
    method,
    path: reading.path,
    preflight: false,
    origin: undefined,
    clientIp,
    ...(undecided === undefined ? {} : { networksUndecided: true }),
  }
  return evaluate(matchRoute(set, facts), facts, () => as, 1_700_000_000_000)
}
const as = (...groups: readonly string[]): Authentication => ({
  kind: 'verified',
  principal: person('ada', groups),
})
const VPN = '10.8.0.1'

describe('a network that is all a rule asks for', () => {
  it('lets in from there, and nobody from elsewhere or from nowhere known', () => {
    expect(decide({ path: '/lan/x', clientIp: VPN })).toMatchObject({
      outcome: 'allow',
      reason: 'ALLOW_LEGACY_NETWORK',
    })
    expect(decide({ path: '/lan/x', clientIp: '192.0.2.1' }).outcome).toBe('deny')
    expect(decide({ path: '/lan/x' }).outcome).toBe('deny')
  })

  it.each(['/LAN/x', '/lan/a%23b', '/lan/%ff', '/lan/a%3fb', '/x/../lan/y', '/lan/%2500', '/%6can/x'])(
    'does not hold on %s, which somebody reads otherwise',
    (path) => {
      expect(decide({ path, clientIp: VPN }).outcome).not.toBe('allow')
    },
  )

  it('beside an identity is a restriction, and stays one on any spelling', () => {
    expect(decide({ path: '/BOTH/x', clientIp: VPN, as: as('dev') }).outcome).toBe('allow')
    expect(decide({ path: '/both/x', clientIp: '192.0.2.1', as: as('dev') }).outcome).toBe('deny')
  })

  it('is no reason for a bad credential to pass', () => {
    const bad: Authentication = {
      kind: 'rejected',
      reason: 'DENY_CRED_INVALID',
      credential: 'bearer',
      why: 'bad',
    }
    expect(decide({ path: '/lan/x', clientIp: VPN, as: bad })).toMatchObject({
      outcome: 'challenge',
      reason: 'DENY_CRED_INVALID',
    })
    expect(decide({ path: '/public/x', as: bad }).outcome).toBe('allow')
  })

  it('is left open while sign-in asks what a credential could change', () => {
    expect(decide({ path: '/both/x', undecided: true })).toMatchObject({
      outcome: 'challenge',
      reason: 'CHALLENGE_NO_CREDENTIAL',
    })
    expect(decide({ path: '/lan/x', undecided: true }).outcome).not.toBe('allow')
  })
})

describe('a handshake', () => {
  it('is not what an allow of GET allows', () => {
    expect(decide({ path: '/read', as: as() }).outcome).toBe('allow')
    expect(decide({ path: '/read', method: 'WEBSOCKET', as: as() }).outcome).toBe('deny')
  })

  it('does not get around a deny of GET: its headers are a client’s to write', () => {
    expect(decide({ path: '/socket', as: as('contractors') })).toMatchObject({
      outcome: 'deny',
      reason: 'DENY_RULE',
    })
    expect(decide({ path: '/socket', method: 'WEBSOCKET', as: as('contractors') })).toMatchObject({
      outcome: 'deny',
      reason: 'DENY_RULE',
    })
    expect(decide({ path: '/socket', method: 'WEBSOCKET', as: as('dev') }).outcome).toBe('allow')
  })
})

describe('readers that resolve dots without merging slashes, or decode without resolving', () => {
  it.each(['/%61dmin//../public/x', '/%61dmin/../public/x', '/admin\\/../public/x', '/%61dmin//../users'])(
    '%s is /admin to one of them: never open to anybody',
    (path) => {
      expect(decide({ path }).outcome).not.toBe('allow')
      expect(decide({ path, as: as('dev') }).outcome).toBe('deny')
      expect(decide({ path, as: as('admins') }).outcome).toBe('allow')
    },
  )

  it('still reads what everybody reads alike', () => {
    expect(decide({ path: '/public/a%20b/c' }).outcome).toBe('allow')
    expect(decide({ path: '/group%2Fproject/x', as: as('dev') }).outcome).toBe('allow')
    expect(decide({ path: '/d/100%25-off', as: as('dev') }).outcome).toBe('allow')
  })

  it('a long path of many readings is refused before it costs time', () => {
    expect(decide({ path: `/${'a;\\%255c..a/'.repeat(600)}` }).outcome).toBe('malformed')
  })
})

describe('an address', () => {
  const email = (value: string): Authentication => ({
    kind: 'verified',
    principal: person('kim', [], { claims: new Map([['email', value]]) }),
  })
  const only = (predicate: Predicate) =>
    buildSet([
      { route: 'mail', hosts: ['app.example.com'], sections: [{ path: '/', allow: { one: [predicate] } }] },
    ])
  const outcome = (predicate: Predicate, who: Authentication): string => {
    const reading = readPath('/')
    if (reading.kind === 'malformed') throw new Error(reading.why)
    const facts: RequestFacts = {
      host,
      method: 'GET',
      path: reading.path,
      preflight: false,
      origin: undefined,
      clientIp: undefined,
    }
    return evaluate(matchRoute(only(predicate), facts), facts, () => who, 1).outcome
  }

  it('is compared as ASCII: the Kelvin sign is no k', () => {
    const named: Predicate = { kind: 'emails', anyOf: ['kim@example.com'] }
    expect([outcome(named, email('KIM@example.com')), outcome(named, email('\u212aim@example.com'))]).toEqual(
      ['allow', 'deny'],
    )
    const domain: Predicate = { kind: 'email_domains', anyOf: ['kexample.com'] }
    expect([outcome(domain, email('a@kexample.com')), outcome(domain, email('a@\u212aexample.com'))]).toEqual(
      ['allow', 'deny'],
    )
  })
})

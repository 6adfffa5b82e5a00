// Three values, and an asymmetry: what nobody can know hits in a deny and misses in an allow; what this session did not
// capture, or a stronger sign-in could prove, is asked for.
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { parseNetwork } from '../../../src/policy/network.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import {
  ANONYMOUS,
  hasTwoFactors,
  type Authentication,
  type Principal,
} from '../../../src/policy/principal.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { buildSet, person } from '../../support/policy-builder.ts'

const NOW = Date.UTC(2026, 10, 24)
const GROUP: Predicate = { kind: 'groups', anyOf: ['sre'] }
const ALL: Predicate = { kind: 'authenticated' }

interface Rules {
  readonly deny?: readonly Predicate[]
  readonly allow?: readonly Predicate[]
}

const facts = (over: Partial<RequestFacts> = {}): RequestFacts => {
  const reading = readPath('/x')
  if (reading.kind === 'malformed') throw new Error(reading.why)
  return {
    host: normalizeHost('app.example.com')!,
    method: 'GET',
    path: reading.path,
    preflight: false,
    origin: undefined,
    clientIp: undefined,
    ...over,
  }
}

const answer = (
  rules: Rules,
  caller: Principal | Authentication | undefined,
  over: Partial<RequestFacts> = {},
  nowMs = NOW,
): string => {
  const set = buildSet([
    {
      route: 'app',
      hosts: ['app.example.com'],
      sections: [
        {
          path: '/',
          ...(rules.deny === undefined ? {} : { deny: { d: rules.deny } }),
          allow: rules.allow === undefined ? { all: [ALL] } : { a: rules.allow },
        },
      ],
    },
  ])
  const authentication: Authentication =
    caller === undefined ? ANONYMOUS : 'claims' in caller ? { kind: 'verified', principal: caller } : caller
  const one = facts(over)
  const decision = evaluate(matchRoute(set, one), one, () => authentication, nowMs)
  return decision.outcome === 'challenge' && decision.demand.kind === 'step-up'
    ? 'step-up'
    : `${decision.outcome} ${decision.reason}`
}

const machine = (over: Partial<Principal> = {}): Principal =>
  person('bot', [], { kind: 'machine', credential: 'bearer', claims: new Map(), ...over })
const without = (claim: string, over: Partial<Principal> = {}): Principal => {
  const whole = person('ann', ['eng'])
  return { ...whole, claims: new Map([...whole.claims].filter(([name]) => name !== claim)), ...over }
}

describe('a claim that is not there', () => {
  it('is absent where its source asserts it and left it out: miss in both', () => {
    expect(answer({ allow: [GROUP] }, without('groups'))).toBe('deny DENY_NO_RULE')
    expect(answer({ deny: [GROUP] }, without('groups'))).toBe('allow ALLOW_RULE')
  })

  it('is absent for a machine, whatever its issuer maps', () => {
    expect(answer({ allow: [GROUP] }, machine({ assertable: new Set() }))).toBe('deny DENY_NO_RULE')
    expect(
      answer(
        {
          deny: [GROUP],
          allow: [
            { kind: 'cred', anyOf: ['bearer'] },
            { kind: 'users', anyOf: ['corp|bot'] },
          ],
        },
        machine({ assertable: new Set() }),
      ),
    ).toBe('allow ALLOW_RULE')
  })

  it('was not captured by this session: asked for, in deny and allow alike', () => {
    const old = without('groups', { captured: new Set(['email']) })
    expect(answer({ allow: [GROUP] }, old)).toBe('challenge CHALLENGE_REAUTH')
    expect(answer({ deny: [GROUP] }, old)).toBe('challenge CHALLENGE_REAUTH')
  })

  it('is asserted by nobody: hit in a deny, miss in an allow', () => {
    const unmapped = without('groups', { assertable: new Set(['email']) })
    expect(answer({ allow: [GROUP] }, unmapped)).toBe('deny DENY_NO_RULE')
    expect(answer({ deny: [GROUP] }, unmapped)).toBe('deny DENY_RULE')
  })

  it('was cut: hit in a deny, miss in an allow, even for a value that is there', () => {
    const cut = person('ann', ['sre'], { cut: new Set(['groups']) })
    expect(answer({ allow: [GROUP] }, cut)).toBe('deny DENY_NO_RULE')
    expect(answer({ deny: [{ kind: 'groups', anyOf: ['other'] }] }, cut)).toBe('deny DENY_RULE')
  })

  it('is a group outside a shortened list: what is there counts, what is not is asked for', () => {
    const short = person('ann', ['sre'], { groupsComplete: false })
    expect(answer({ allow: [GROUP] }, short)).toBe('allow ALLOW_RULE')
    expect(answer({ allow: [{ kind: 'groups', anyOf: ['eng'] }] }, short)).toBe('challenge CHALLENGE_REAUTH')
    expect(answer({ deny: [{ kind: 'groups', anyOf: ['eng'] }] }, short)).toBe('challenge CHALLENGE_REAUTH')
  })
})

describe('no credential', () => {
  it('is a miss in a deny and unknown in an allow', () => {
    expect(answer({ deny: [GROUP], allow: [{ kind: 'anyone' }] }, undefined)).toBe('allow ALLOW_PUBLIC')
    expect(answer({ allow: [GROUP] }, undefined)).toBe('challenge CHALLENGE_NO_CREDENTIAL')
  })

  it('asks nobody for a sign-in that could not help: miss beats unknown', () => {
    expect(answer({ allow: [{ kind: 'methods', anyOf: ['POST'] }, GROUP] }, undefined)).toBe(
      'deny DENY_NO_RULE',
    )
    expect(answer({ allow: [GROUP, { kind: 'methods', anyOf: ['POST'] }] }, undefined)).toBe(
      'deny DENY_NO_RULE',
    )
  })

  it('that is bad opens no more than none, and says so', () => {
    const rejected: Authentication = {
      kind: 'rejected',
      reason: 'DENY_CRED_INVALID',
      credential: 'bearer',
      why: 'expired',
    }
    expect(answer({ allow: [GROUP] }, rejected)).toBe('challenge DENY_CRED_INVALID')
    expect(answer({ allow: [{ kind: 'anyone' }] }, rejected)).toBe('allow ALLOW_PUBLIC')
  })

  it('that cannot be verified now decides nothing', () => {
    const unavailable: Authentication = { kind: 'unavailable', reason: 'ERROR_IDP', why: 'no keys' }
    expect(answer({ allow: [GROUP] }, unavailable)).toBe('indeterminate ERROR_IDP')
    expect(answer({ allow: [{ kind: 'anyone' }] }, unavailable)).toBe('allow ALLOW_PUBLIC')
  })
})

describe('a service account', () => {
  const RULE: Predicate = { kind: 'service_accounts', anyOf: ['monitoring/grafana', 'ci/deployer'] }
  const subject = 'system:serviceaccount:monitoring:grafana'
  const account = (name: string): Principal =>
    machine({ credential: 'service-account', subject, serviceAccount: name })

  it('is hit by its whole name, in a deny and in an allow', () => {
    expect(answer({ allow: [RULE] }, account('monitoring/grafana'))).toBe('allow ALLOW_RULE')
    expect(answer({ deny: [RULE], allow: [{ kind: 'anyone' }] }, account('ci/deployer'))).toBe(
      'deny DENY_RULE',
    )
  })

  it.each(['monitoring/grafana2', 'default/grafana', 'monitoring/', 'grafana', 'MONITORING/grafana'])(
    'is missed by `%s`',
    (name) => {
      expect(answer({ allow: [RULE] }, account(name))).toBe('deny DENY_NO_RULE')
      expect(answer({ deny: [RULE], allow: [{ kind: 'anyone' }] }, account(name))).toBe('allow ALLOW_PUBLIC')
    },
  )

  it('is nobody who only has its subject, its name as a group, or its name as a client', () => {
    const others = [
      machine({ subject }),
      machine({ credential: 'service-account', subject }),
      machine({ client: 'monitoring/grafana' }),
      person(subject, ['monitoring/grafana', subject]),
    ]
    for (const other of others) {
      expect(answer({ allow: [RULE] }, other)).toBe('deny DENY_NO_RULE')
      expect(answer({ deny: [RULE], allow: [{ kind: 'anyone' }] }, other)).toBe('allow ALLOW_PUBLIC')
    }
  })

  it('is asked for where nobody is known, and is no person', () => {
    expect(answer({ allow: [RULE] }, undefined)).toBe('challenge CHALLENGE_NO_CREDENTIAL')
    expect(answer({ deny: [RULE], allow: [{ kind: 'anyone' }] }, undefined)).toBe('allow ALLOW_PUBLIC')
    expect(answer({}, account('monitoring/grafana'))).toBe('deny DENY_NO_RULE')
  })
})

describe('an address', () => {
  const NET: Predicate = { kind: 'from_networks', anyOf: [parseNetwork('10.8.0.0/16')!], labels: ['vpn'] }
  it.each([
    ['10.8.0.1', 'allow ALLOW_LEGACY_NETWORK', 'deny DENY_RULE'],
    ['10.9.0.1', 'deny DENY_NO_RULE', 'allow ALLOW_RULE'],
    [undefined, 'deny DENY_NO_RULE', 'deny DENY_RULE'],
    ['10.8.0.01', 'deny DENY_NO_RULE', 'deny DENY_RULE'],
  ])('%s', (clientIp, inAllow, inDeny) => {
    expect(answer({ allow: [NET] }, person('ann', []), { clientIp })).toBe(inAllow)
    expect(answer({ deny: [NET] }, person('ann', []), { clientIp })).toBe(inDeny)
  })
})

describe('an email', () => {
  const mail = (email: string, over: Partial<Principal> = {}): Principal =>
    person('ann', [], { claims: new Map([['email', email]]), ...over })
  const DOMAIN: Predicate = { kind: 'email_domains', anyOf: ['example.com'] }
  it.each([
    ['ann@example.com', 'allow'],
    ['ANN@EXAMPLE.COM', 'allow'],
    ['ann@sub.example.com', 'deny'],
    ['ann@example.com.evil.org', 'deny'],
    ['ann@evil.org@example.com', 'deny'],
    ['"a@b"@example.com', 'deny'],
    ['@example.com', 'deny'],
    ['ann@exämple.com', 'deny'],
    ['ann @example.com', 'deny'],
    ['example.com', 'deny'],
  ])('%s: %s', (email, outcome) => {
    expect(answer({ allow: [DOMAIN] }, mail(email)).split(' ')[0]).toBe(outcome)
  })

  it('that is not verified is asserted by nobody', () => {
    const unverified = mail('ann@example.com', { emailVerified: false })
    expect(answer({ allow: [DOMAIN] }, unverified)).toBe('deny DENY_NO_RULE')
    expect(answer({ deny: [{ kind: 'emails', anyOf: ['bob@example.com'] }] }, unverified)).toBe(
      'deny DENY_RULE',
    )
  })
})

describe('a stronger sign-in', () => {
  const MFA: Predicate = { kind: 'mfa' }
  const AGE: Predicate = { kind: 'auth_age', maxSeconds: 600 }
  const aged = (seconds: number | undefined, over: Partial<Principal> = {}): Principal =>
    person('ann', ['sre'], {
      authTimeSeconds: seconds === undefined ? undefined : NOW / 1000 - seconds,
      ...over,
    })

  it('is asked for when nothing else is missing', () => {
    expect(answer({ allow: [GROUP, MFA] }, aged(0))).toBe('step-up')
    expect(answer({ allow: [GROUP, MFA] }, aged(0, { multiFactor: true }))).toBe('allow ALLOW_RULE')
    expect(answer({ allow: [{ kind: 'groups', anyOf: ['other'] }, MFA] }, aged(0))).toBe('deny DENY_NO_RULE')
  })

  it('is fresh up to the limit, exactly', () => {
    expect(answer({ allow: [GROUP, AGE] }, aged(600))).toBe('allow ALLOW_RULE')
    expect(answer({ allow: [GROUP, AGE] }, aged(601))).toBe('step-up')
    expect(answer({ allow: [GROUP, AGE] }, aged(undefined))).toBe('step-up')
  })

  it('is never asked of a machine', () => {
    const bot = machine({ claims: new Map([['groups', ['sre']]]) })
    expect(answer({ allow: [GROUP, MFA] }, bot)).toBe('deny DENY_NO_RULE')
    expect(answer({ allow: [GROUP, AGE] }, { ...bot, authTimeSeconds: undefined })).toBe('deny DENY_NO_RULE')
  })

  it('that did not help is a refusal for five minutes, for that rule alone', () => {
    const tried = (rule: string, secondsAgo: number): Principal =>
      aged(0, { stepUp: { rule, atSeconds: NOW / 1000 - secondsAgo } })
    expect(answer({ allow: [GROUP, MFA] }, tried('app#a', 0))).toBe('deny DENY_NO_RULE')
    expect(answer({ allow: [GROUP, MFA] }, tried('app#a', 299))).toBe('deny DENY_NO_RULE')
    expect(answer({ allow: [GROUP, MFA] }, tried('app#a', 300))).toBe('step-up')
    expect(answer({ allow: [GROUP, MFA] }, tried('app#b', 0))).toBe('step-up')
  })

  it('is two factors of two classes, or what the provider calls it', () => {
    expect([['pwd', 'otp'], ['mfa'], ['hwk', 'fpt'], ['pin', 'sc']].map(hasTwoFactors)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(
      [['pwd', 'pin'], ['otp', 'sms'], ['pwd'], [], ['pwd', 'toString'], ['pwd', 'unknown']].map(
        hasTwoFactors,
      ),
    ).toEqual([false, false, false, false, false, false])
  })
})

describe('time', () => {
  const UNTIL: Predicate = { kind: 'until', atMs: NOW, text: '2026-11-23' }
  it('ends an allow at the instant, not before', () => {
    const ann = person('ann', ['sre'])
    expect(answer({ allow: [UNTIL, GROUP] }, ann, {}, NOW - 1)).toBe('allow ALLOW_RULE')
    expect(answer({ allow: [UNTIL, GROUP] }, ann, {}, NOW)).toBe('deny DENY_RULE_EXPIRED')
  })

  it('tells a refused caller that a rule ended only if it was his', () => {
    expect(answer({ allow: [UNTIL, GROUP] }, person('ann', ['eng']), {}, NOW)).toBe('deny DENY_NO_RULE')
    expect(answer({ allow: [GROUP, UNTIL] }, person('ann', ['sre']), {}, NOW)).toBe('deny DENY_RULE_EXPIRED')
  })
})

describe('methods', () => {
  const ONLY = (method: string): Rules => ({ allow: [{ kind: 'methods', anyOf: [method] }, ALL] })
  it.each([
    ['GET', 'GET', 'allow'],
    ['GET', 'HEAD', 'allow'],
    ['GET', 'WEBSOCKET', 'deny'],
    ['HEAD', 'GET', 'deny'],
    ['GET', 'get', 'deny'],
    ['POST', 'GET', 'deny'],
  ])('%s for a %s request: %s', (method, asked, outcome) => {
    expect(answer(ONLY(method), person('ann', []), { method: asked }).split(' ')[0]).toBe(outcome)
  })

  it('a deny of GET denies HEAD too', () => {
    expect(
      answer({ deny: [{ kind: 'methods', anyOf: ['GET'] }] }, person('ann', []), { method: 'HEAD' }),
    ).toBe('deny DENY_RULE')
  })
})

describe('a fault', () => {
  const BROKEN: Predicate = {
    kind: 'claim',
    name: 'groups',
    get anyOf(): readonly string[] {
      throw new Error('broken')
    },
  }
  it('hits in a deny and misses in an allow', () => {
    expect(answer({ deny: [BROKEN] }, person('ann', ['sre']))).toBe('deny DENY_CONDITION_ERROR')
    expect(answer({ allow: [BROKEN] }, person('ann', ['sre']))).toBe('deny DENY_CONDITION_ERROR')
  })
})

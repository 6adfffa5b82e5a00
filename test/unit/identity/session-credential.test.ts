import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { makeSeal, SEAL_KEY_BYTES } from '../../../src/identity/seal.ts'
import {
  makeVerifySession,
  type SessionFinding,
  type SessionPorts,
  type SessionSettings,
} from '../../../src/identity/session-credential.ts'
import { sealSession, sessionText } from '../../../src/identity/session-seal.ts'
import type { Session } from '../../../src/identity/session.ts'
import type { Revocable } from '../../../src/identity/verified.ts'
import { claimState, type Principal } from '../../../src/policy/principal.ts'
import { acceptanceOf, providerOf } from './acceptance-fixture.ts'
import { aliceSession, NOW_SECONDS } from './session-fixture.ts'

const NAME = '__Secure-postern'
const key = randomBytes(SEAL_KEY_BYTES)
const seal = makeSeal({ keys: [key], purpose: 'session' })

const cookie = (session: Session, boundTo = 'example.com', by = seal): string => {
  const sealing = sealSession(by, session, { name: NAME, boundTo })
  if (sealing.kind !== 'sealed') throw new Error('too large')
  return `${NAME}=${sealing.value}`
}

const verifierOf = (settings: Partial<SessionSettings> = {}, ports: Partial<SessionPorts> = {}) =>
  makeVerifySession(
    {
      seal,
      bindingFor: () => ({ name: NAME, boundTo: 'example.com' }),
      providers: [providerOf()],
      idleSeconds: 3600,
      processStartSeconds: NOW_SECONDS - 86_400,
      freshnessSeconds: 86_400,
      ...settings,
    },
    {
      checkRevocation: () => 'live',
      lastUse: () => undefined,
      groupsRevision: () => 'rev-1',
      learned: () => undefined,
      ...ports,
    },
  )

const verify = verifierOf()
const principalOf = (finding: SessionFinding): Principal => {
  if (finding.authentication.kind !== 'verified') throw new Error(finding.authentication.kind)
  return finding.authentication.principal
}
const noteOf = (finding: SessionFinding): unknown =>
  finding.authentication.kind === 'anonymous' ? finding.authentication.note : finding.authentication.kind

describe('a session cookie', () => {
  test('says who is calling', () => {
    const finding = verify(['theme=dark', cookie(aliceSession())], acceptanceOf())
    expect(principalOf(finding)).toMatchObject({
      kind: 'person',
      credential: 'session',
      source: 'corp',
      subject: 'alice-sub',
      emailVerified: true,
      sessionId: aliceSession().id,
    })
    expect(principalOf(finding).claims.get('groups')).toEqual(['dev', 'staff'])
    expect(finding).toMatchObject({ copies: 1, note: undefined })
  })

  test.each([
    ['no cookie', [], undefined],
    ['another case of the name', [cookie(aliceSession()).replace('Secure', 'SECURE')], undefined],
    ['garbage', [`${NAME}=garbage`], 'does-not-open'],
    ['an empty value', [`${NAME}=`], 'does-not-open'],
    ['over-long garbage', [`${NAME}=${'A'.repeat(20_000)}`], 'does-not-open'],
    ['a cut value', [cookie(aliceSession()).slice(0, -1)], 'does-not-open'],
    ['a quoted value', [cookie(aliceSession()).replace('=', '="') + '"'], 'does-not-open'],
  ])('is nobody with %s', (_, cookies, note) => {
    expect(noteOf(verify(cookies, acceptanceOf()))).toBe(note)
  })

  test('counts beside copies that do not open, wherever they stand, and the finding is not to be remembered', () => {
    const good = cookie(aliceSession())
    for (const cookies of [
      [`${good}; ${NAME}=garbage`],
      [`${NAME}=garbage; ${good}`],
      [`${NAME}="a\\b"`, `${NAME}=x`, `${NAME}=y`, good],
      [good, good],
    ]) {
      const finding = verify(cookies, acceptanceOf())
      expect(principalOf(finding).subject).toBe('alice-sub')
      expect(finding.note).toBe('several-cookies')
    }
    expect(noteOf(verify([`${NAME}=1; ${NAME}=2; ${NAME}=3; ${NAME}=4; ${good}`], acceptanceOf()))).toBe(
      'does-not-open',
    )
  })

  test('beside another good one is nobody, in either order', () => {
    const [mine, theirs] = [cookie(aliceSession()), cookie(aliceSession({ id: 'other', subject: 'mallory' }))]
    for (const cookies of [[`${mine}; ${theirs}`], [theirs, mine]]) {
      const finding = verify(cookies, acceptanceOf())
      expect(noteOf(finding)).toBe('two-sessions')
      expect(finding).toMatchObject({ note: 'two-sessions', revocable: undefined })
    }
  })

  test('beside one that is over, or beside its own earlier copy, counts', () => {
    const mine = cookie(aliceSession({ stepUp: { rule: 'app#mfa', atSeconds: NOW_SECONDS } }))
    const over = cookie(aliceSession({ id: 'other', subject: 'mallory', expiresAtSeconds: NOW_SECONDS - 1 }))
    const earlier = cookie(aliceSession({ issuedAtSeconds: NOW_SECONDS - 600 }))
    for (const other of [over, earlier]) {
      for (const cookies of [
        [mine, other],
        [other, mine],
      ]) {
        expect(principalOf(verify(cookies, acceptanceOf())).stepUp?.rule).toBe('app#mfa')
      }
    }
  })

  test('of one host does not open on another, where sessions are bound to hosts', () => {
    const perHost = verifierOf({ bindingFor: (host) => ({ name: NAME, boundTo: host }) })
    const cookies = [cookie(aliceSession(), 'app.example.com')]
    expect(principalOf(perHost(cookies, acceptanceOf())).subject).toBe('alice-sub')
    expect(noteOf(perHost(cookies, acceptanceOf({ host: 'secure.example.com' })))).toBe('does-not-open')
  })

  test('is not what we sealed for another purpose', () => {
    const transaction = makeSeal({ keys: [key], purpose: 'transaction' })
    expect(noteOf(verify([cookie(aliceSession(), 'example.com', transaction)], acceptanceOf()))).toBe(
      'does-not-open',
    )
  })

  test('opens while its key is in the ring', () => {
    const newKey = randomBytes(SEAL_KEY_BYTES)
    const cookies = [cookie(aliceSession())]
    const rotated = verifierOf({ seal: makeSeal({ keys: [newKey, key], purpose: 'session' }) })
    const removed = verifierOf({ seal: makeSeal({ keys: [newKey], purpose: 'session' }) })
    expect(principalOf(rotated(cookies, acceptanceOf())).subject).toBe('alice-sub')
    expect(noteOf(removed(cookies, acceptanceOf()))).toBe('does-not-open')
  })
})

describe('the limits of a session', () => {
  test('end it at the absolute one', () => {
    const cookies = [cookie(aliceSession({ expiresAtSeconds: NOW_SECONDS + 100 }))]
    expect(principalOf(verify(cookies, acceptanceOf({ nowSeconds: NOW_SECONDS + 99 })))).toBeDefined()
    expect(noteOf(verify(cookies, acceptanceOf({ nowSeconds: NOW_SECONDS + 100 })))).toBe('expired')
  })

  test('end it when it was idle: since its last use, or its minting where that is later', () => {
    const session = aliceSession({
      issuedAtSeconds: NOW_SECONDS - 7200,
      expiresAtSeconds: NOW_SECONDS + 9999,
    })
    const cookies = [cookie(session)]
    const usedAt = (seconds: number | undefined) => verifierOf({}, { lastUse: () => seconds })
    expect(principalOf(usedAt(NOW_SECONDS - 3599)(cookies, acceptanceOf()))).toBeDefined()
    expect(noteOf(usedAt(NOW_SECONDS - 3600)(cookies, acceptanceOf()))).toBe('expired')
    const fresh = [cookie(aliceSession({ issuedAtSeconds: NOW_SECONDS - 10 }))]
    expect(principalOf(usedAt(NOW_SECONDS - 9000)(fresh, acceptanceOf()))).toBeDefined()
  })

  test('count an unknown use from the start of the process, so that an outage ends nothing', () => {
    const cookies = [cookie(aliceSession({ issuedAtSeconds: NOW_SECONDS - 7200 }))]
    const started = verifierOf({ processStartSeconds: NOW_SECONDS - 60 })
    expect(principalOf(started(cookies, acceptanceOf()))).toBeDefined()
    expect(noteOf(verify(cookies, acceptanceOf()))).toBe('expired')
  })

  test('bound how long the finding holds', () => {
    const cookies = [cookie(aliceSession({ expiresAtSeconds: NOW_SECONDS + 9999 }))]
    expect(principalOf(verify(cookies, acceptanceOf())).expiresAtSeconds).toBe(NOW_SECONDS - 60 + 3600)
    const long = verifierOf({ idleSeconds: 99_999 })
    expect(principalOf(long(cookies, acceptanceOf())).expiresAtSeconds).toBe(NOW_SECONDS + 9999)
  })
})

describe('a revocation', () => {
  test('ends the session, and is asked for by id, subject, provider session and number', () => {
    const asked: Revocable[] = []
    const finding = verifierOf(
      {},
      {
        checkRevocation: (credential) => {
          asked.push(credential)
          return 'revoked'
        },
      },
    )([cookie(aliceSession())], acceptanceOf())
    expect(noteOf(finding)).toBe('revoked')
    expect(asked).toEqual([
      {
        id: aliceSession().id,
        source: 'corp',
        subject: 'alice-sub',
        providerSession: 'idp-session-1',
        number: 3,
        issuedAtSeconds: undefined,
        learnedAtSeconds: aliceSession().learnedAtSeconds,
      },
    ])
    expect(verify([cookie(aliceSession())], acceptanceOf()).revocable).toEqual(asked[0])
  })

  test('that nobody could hear of makes the answer unavailable, not a sign-out', () => {
    const deaf = verifierOf({}, { checkRevocation: () => 'unknown' })
    expect(deaf([cookie(aliceSession())], acceptanceOf()).authentication).toMatchObject({
      kind: 'unavailable',
      reason: 'ERROR_STATE',
    })
    expect(noteOf(deaf([], acceptanceOf()))).toBeUndefined()
    expect(noteOf(deaf([`${NAME}=garbage`], acceptanceOf()))).toBe('does-not-open')
  })
})

describe('a route', () => {
  test('believes the providers that it names, or the default ones', () => {
    const partner = providerOf({ id: 'partner', isDefault: false })
    const both = verifierOf({ providers: [providerOf(), partner] })
    const cookies = [cookie(aliceSession({ provider: 'partner' }))]
    expect(noteOf(both(cookies, acceptanceOf()))).toBe('not-believed')
    expect(noteOf(both(cookies, acceptanceOf({ issuers: ['corp'] })))).toBe('not-believed')
    expect(principalOf(both(cookies, acceptanceOf({ issuers: ['partner'] }))).source).toBe('partner')
    expect(noteOf(both([cookie(aliceSession())], acceptanceOf({ issuers: ['partner'] })))).toBe(
      'not-believed',
    )
  })

  test('believes nobody who is no longer configured', () => {
    const cookies = [cookie(aliceSession({ provider: 'gone' }))]
    expect(noteOf(verify(cookies, acceptanceOf({ issuers: ['gone'] })))).toBe('not-believed')
  })
})

describe('the claims of a session', () => {
  const statesOf = (principal: Principal, ...names: string[]): string[] =>
    names.map((name) => claimState(principal, name).kind)

  test('are present, absent, not captured or not assertable', () => {
    const session = aliceSession({
      claims: { email: 'a@example.com' },
      captured: ['email', 'name'],
      cut: ['groups'],
    })
    const principal = principalOf(verify([cookie(session)], acceptanceOf()))
    expect(statesOf(principal, 'email', 'name', 'nickname', 'badge', 'groups')).toEqual([
      'present',
      'absent',
      'not-captured',
      'not-assertable',
      'not-assertable',
    ])
  })

  test('that the provider may no longer assert do not count', () => {
    const narrowed = verifierOf({ providers: [providerOf({ claims: { email: 'email' } })] })
    const principal = principalOf(narrowed([cookie(aliceSession())], acceptanceOf()))
    expect(principal.claims.has('groups')).toBe(false)
    expect(statesOf(principal, 'groups', 'email')).toEqual(['not-assertable', 'present'])
  })

  test('say that groups were left out once a policy names others than at sign-in', () => {
    const trimmed = [cookie(aliceSession({ groupsRevision: 'rev-1' }))]
    const today = principalOf(verify(trimmed, acceptanceOf()))
    expect(today).toMatchObject({ groupsComplete: true, groupsTrimmed: true })
    const later = verifierOf({}, { groupsRevision: () => 'rev-2' })
    expect(principalOf(later(trimmed, acceptanceOf())).groupsComplete).toBe(false)
    const whole = principalOf(later([cookie(aliceSession())], acceptanceOf()))
    expect(whole).toMatchObject({ groupsComplete: true, groupsTrimmed: false })
  })

  test('carry a verified address only where the provider says so or is trusted to', () => {
    const cookies = [cookie(aliceSession({ emailVerified: false }))]
    expect(principalOf(verify(cookies, acceptanceOf())).emailVerified).toBe(false)
    const trusting = verifierOf({ providers: [providerOf({ emailTrusted: true })] })
    expect(principalOf(trusting(cookies, acceptanceOf())).emailVerified).toBe(true)
  })

  test('prove a second factor by the provider’s own words, or by two classes', () => {
    const with_ = (amr: string[], acr?: string) => [cookie(aliceSession({ amr, acr }))]
    const own = verifierOf({ providers: [providerOf({ mfa: { amr: ['fido'], acr: ['gold'] } })] })
    const isStrong = (verifier: typeof verify, cookies: string[]): boolean =>
      principalOf(verifier(cookies, acceptanceOf())).multiFactor
    expect(isStrong(verify, with_(['pwd', 'otp']))).toBe(true)
    expect(isStrong(verify, with_(['pwd', 'pin']))).toBe(false)
    expect(isStrong(own, with_(['pwd', 'otp']))).toBe(false)
    expect(isStrong(own, with_(['fido']))).toBe(true)
    expect(isStrong(own, with_(['pwd'], 'gold'))).toBe(true)
    expect(isStrong(own, with_(['pwd'], 'silver'))).toBe(false)
    expect(principalOf(own(with_(['pwd']), acceptanceOf())).multiFactorAcr).toEqual(['gold'])
  })
})

describe('two people', () => {
  test('never get each other’s identity, however their requests interleave', () => {
    const people = Array.from({ length: 2000 }, (_, index) => (index * 7) % 3 === 0)
    const [alice, bob] = [
      [cookie(aliceSession())],
      [cookie(aliceSession({ id: 'bob-id', subject: 'bob-sub', claims: { groups: ['admins'] } }))],
    ]
    for (const isAlice of people) {
      const principal = principalOf(verify(isAlice ? alice : bob, acceptanceOf()))
      expect(principal.subject).toBe(isAlice ? 'alice-sub' : 'bob-sub')
      expect(principal.claims.get('groups')).toEqual(isAlice ? ['dev', 'staff'] : ['admins'])
    }
  })
})

describe('what a provider said', () => {
  const freshFor = (seconds: number, ports: Partial<SessionPorts> = {}) =>
    verifierOf({ freshnessSeconds: seconds }, ports)
  const learnedAgo = (seconds: number): readonly string[] => [
    cookie(aliceSession({ learnedAtSeconds: NOW_SECONDS - seconds })),
  ]

  test('counts for as long as it is fresh, and no cached decision outlives that', () => {
    const finding = freshFor(600)(learnedAgo(599), acceptanceOf())
    expect(principalOf(finding).expiresAtSeconds).toBe(NOW_SECONDS + 1)
    const stale = freshFor(600)(learnedAgo(600), acceptanceOf())
    expect(noteOf(stale)).toBe('stale')
    expect(stale).toMatchObject({ revocable: undefined, stale: { subject: 'alice-sub' } })
    expect(stale.session).toBeUndefined()
  })

  test('may be told to count a little longer, and then no longer', () => {
    const kept = freshFor(600)(learnedAgo(700), acceptanceOf(), NOW_SECONDS + 5)
    expect(principalOf(kept).expiresAtSeconds).toBe(NOW_SECONDS + 5)
    expect(noteOf(freshFor(600)(learnedAgo(700), acceptanceOf(), NOW_SECONDS))).toBe('stale')
  })

  test('is the latest that was learned, under the limits and the number of the cookie', () => {
    const learned = aliceSession({
      learnedAtSeconds: NOW_SECONDS - 5,
      claims: { groups: ['staff'] },
      expiresAtSeconds: NOW_SECONDS + 999_999,
      revocationNumber: 999,
    })
    const seen: Revocable[] = []
    const verify = freshFor(600, {
      learned: () => learned,
      checkRevocation: (one) => {
        seen.push(one)
        return 'live'
      },
    })
    const principal = principalOf(verify(learnedAgo(700), acceptanceOf()))
    expect(principal.claims.get('groups')).toEqual(['staff'])
    expect(principal.expiresAtSeconds).toBeLessThan(NOW_SECONDS + 999_999)
    expect(seen).toMatchObject([{ number: 3, learnedAtSeconds: NOW_SECONDS - 5 }])
    const older = freshFor(600, { learned: () => aliceSession({ learnedAtSeconds: 1, claims: {} }) })
    expect(principalOf(older(learnedAgo(5), acceptanceOf())).claims.get('groups')).toEqual(['dev', 'staff'])
  })

  test('does not stay fresh for a clock that went back', () => {
    expect(noteOf(freshFor(600)(learnedAgo(-61), acceptanceOf()))).toBe('stale')
    expect(principalOf(freshFor(600)(learnedAgo(-59), acceptanceOf()))).toBeDefined()
  })

  test('of a session of the version before is asked for once', () => {
    const row = JSON.parse(sessionText(aliceSession())) as unknown[]
    const plain = JSON.stringify(row.slice(0, 16))
    const before = `${NAME}=${seal.seal(plain, [NAME, 'example.com'])}`
    expect(noteOf(freshFor(600)([before], acceptanceOf()))).toBe('stale')
  })
})

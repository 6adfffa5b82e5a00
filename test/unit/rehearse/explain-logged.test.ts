// A logged decision is decided again by the same walk; what its line does not hold is never taken for certain.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLine, type DecisionLine } from '../../../src/audit/read.ts'
import { bodyOf, decisionFields } from '../../../src/audit/record.ts'
import type { PolicyEntry } from '../../../src/policy-file/schema.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import type { PolicySet } from '../../../src/policy/policy-set.ts'
import type { Authentication, Principal } from '../../../src/policy/principal.ts'
import type { Section } from '../../../src/policy/route.ts'
import { serviceAccountSubject } from '../../../src/policy/service-account.ts'
import { explainLogged } from '../../../src/rehearse/explain-logged.ts'
import { explainTree } from '../../../src/rehearse/explain-text.ts'
import { person } from '../../support/policy-builder.ts'
import { loadTexts } from '../../support/policy-text.ts'
import { NOW, plainPath, policy, principal, strangePath } from '../policy/arbitrary-policy.ts'

const host = normalizeHost('app.example.com')!

const setOf = (...texts: readonly string[]): PolicySet => {
  const load = loadTexts(Object.fromEntries(texts.map((text, index) => [`p${index}.yaml`, text])))
  if (load.kind === 'refused') throw new Error(JSON.stringify(load.issues[0]))
  return load.set
}

const factsOf = (path: string, more: Partial<RequestFacts> = {}): RequestFacts | undefined => {
  const reading = readPath(path)
  if (reading.kind === 'malformed') return undefined
  return {
    host,
    method: 'GET',
    path: reading.path,
    preflight: false,
    origin: undefined,
    clientIp: undefined,
    ...more,
  }
}

const ANONYMOUS: Authentication = { kind: 'anonymous', note: undefined }
const verified = (one: Principal): Authentication => ({ kind: 'verified', principal: one })

/** Decides as the server does and reads the line that it would write. */
const logged = (
  set: PolicySet,
  facts: RequestFacts,
  authentication: Authentication,
  nowMs = NOW,
): { readonly line: DecisionLine; readonly outcome: unknown } => {
  const match = matchRoute(set, facts)
  const authenticationOf = (section: Section): Authentication =>
    authentication.kind === 'verified' && !section.accepts.includes(authentication.principal.credential)
      ? { kind: 'anonymous', note: 'not-believed' }
      : authentication
  const decision = evaluate(match, facts, authenticationOf, nowMs)
  const answered =
    match.kind === 'matched' ? match.sections.find((one) => one.path.text === decision.section) : undefined
  const route = match.kind === 'matched' ? match.route : undefined
  const body = bodyOf(
    decisionFields({
      nowMs,
      id: 'ID',
      status: 200,
      decision,
      dialect: 'nginx',
      requestId: undefined,
      facts,
      servedHost: undefined,
      assertedRoute: undefined,
      query: undefined,
      userAgent: undefined,
      authentication: answered === undefined ? undefined : authenticationOf(answered),
      readClaims: [...new Set((route?.sections ?? []).flatMap(({ reads }) => reads.claims))],
      policyRevision: set.revision,
      peer: undefined,
      network: undefined,
      cache: 'miss',
      elapsedUs: 1,
      note: undefined,
    }),
  )
  const read = readLine(`${body},"seq":1,"w":"w"}`, 1)
  if (read.kind !== 'decision') throw new Error(JSON.stringify(read))
  return { line: read.line, outcome: decision.outcome }
}

const again = (set: PolicySet, line: DecisionLine) => {
  const told = explainLogged(set, line, undefined)
  if (told.kind !== 'decided') throw new Error('not decided')
  return told
}

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  deny: [{id: no-contractors, groups: [contractors]}]
  allow:
  - {id: sre, groups: [sre]}
  - {id: strong, groups: [eng], mfa: true, auth_age: 1h}
`
const set = setOf(POLICY)
const at = (groups: readonly string[], more: Partial<Principal> = {}): Authentication =>
  verified(person('ada', groups, { authTimeSeconds: NOW / 1000 - 60, ...more }))
const root = factsOf('/x')!

describe('a logged decision', () => {
  it.each([
    ['allow', at(['sre'])],
    ['deny', at(['other'])],
    ['deny', at(['sre', 'contractors'])],
    ['challenge', at(['eng'])],
    ['allow', at(['eng'], { multiFactor: true, amr: ['pwd', 'otp'] })],
    ['challenge', ANONYMOUS],
    ['challenge', { kind: 'anonymous', note: 'expired' }],
    ['challenge', { kind: 'anonymous', note: 'stale' }],
    ['challenge', { kind: 'rejected', reason: 'DENY_WRONG_AUDIENCE', credential: 'bearer', why: 'x' }],
    ['indeterminate', { kind: 'unavailable', reason: 'ERROR_IDP', why: 'x' }],
    ['deny', { kind: 'ambiguous', why: 'x' }],
    ['challenge', at([], { captured: new Set(), claims: new Map() })],
    ['deny', at([], { assertable: new Set(), claims: new Map() })],
  ] as const)('%s is decided as it was, for certain', (outcome, authentication) => {
    const { line } = logged(set, root, authentication)
    expect(line.decision).toBe(outcome)
    expect(again(set, line)).toMatchObject({ differs: [], notRecorded: [], isSamePolicy: true })
  })

  it('remembers a step-up that did not help', () => {
    const asked = at(['eng'], { stepUp: { rule: 'app#strong', atSeconds: NOW / 1000 - 10 } })
    const { line } = logged(set, root, asked)
    expect(line.decision).toBe('deny')
    expect(again(set, line)).toMatchObject({ differs: [], notRecorded: [] })
    expect(logged(set, root, at(['eng'])).line.decision).toBe('challenge')
  })

  it('says where the policies and the answer are other ones now', () => {
    const { line } = logged(set, root, at(['sre']))
    const changed = setOf(POLICY.replace('groups: [sre]', 'groups: [ops]'))
    expect(again(changed, line)).toMatchObject({
      isSamePolicy: false,
      differs: ['decision', 'reason', 'rule'],
      notRecorded: [],
    })
    const moved = setOf(POLICY.replace('app.example.com', 'other.example.com'))
    expect(again(moved, line).differs).toEqual(['decision', 'reason', 'route', 'section', 'rule'])
  })

  it('is not certain where today’s rules read what the line does not hold', () => {
    const { line } = logged(set, root, at(['eng']))
    const reading = setOf(POLICY.replace('groups: [sre]', 'claims: {dept: x}'))
    const told = again(reading, line)
    expect(told.notRecorded).toEqual(['claim:dept'])
    expect(explainTree(told.told)).toContain('claim miss (has not_recorded; wants dept="x")')
    // A rule that misses for another reason could not have let him in either.
    const elsewhere = setOf(POLICY.replace('groups: [sre]', 'claims: {dept: x}, methods: [POST]'))
    expect(again(elsewhere, line).notRecorded).toEqual([])
    // The first allow that hits for certain stands, whatever one behind it would say; a deny that might hit does not.
    const other = logged(set, root, at(['sre'])).line
    const unknown = '{id: x, claims: {dept: x}}'
    const behind = setOf(POLICY.replace('  - {id: strong', `  - ${unknown}\n  - {id: strong`))
    expect(again(behind, other)).toMatchObject({ told: { outcome: 'allow' }, notRecorded: [] })
    const before = setOf(POLICY.replace('  - {id: sre', `  - ${unknown}\n  - {id: sre`))
    expect(again(before, other).notRecorded).toEqual(['claim:dept'])
    const denying = POLICY.replace('groups: [contractors]', 'claims: {dept: x}')
    expect(again(setOf(denying), other)).toMatchObject({
      told: { outcome: 'deny' },
      notRecorded: ['claim:dept'],
    })
  })

  it('is not certain where a value was cut', () => {
    const many = Array.from({ length: 80 }, (_, n) => `g${n}`)
    const { line } = logged(set, root, at(['sre', ...many]))
    expect(line.decision).toBe('allow')
    const told = again(set, line)
    expect(told.notRecorded).toEqual(['claim:groups'])
    expect(explainTree(told.told)).toContain('(has not_recorded; wants sre)')
    const long = factsOf(`/${'x'.repeat(600)}`)!
    expect(again(set, logged(set, long, at(['sre'])).line).notRecorded).toEqual(['path'])
  })

  it('is not certain at the second in which a sign-in grows too old', () => {
    const aged = (age: number) =>
      logged(set, root, at(['eng'], { multiFactor: true, authTimeSeconds: NOW / 1000 - age })).line
    expect(again(set, aged(3_600.4)).notRecorded).toEqual(['time'])
    expect(again(set, aged(3_500)).notRecorded).toEqual([])
  })

  it('is not certain about a caller whom nobody looked at', () => {
    const { line } = logged(setOf(POLICY.replace('app.example.com', 'other.example.com')), root, ANONYMOUS)
    expect(line).toMatchObject({ reason: 'DENY_NO_ROUTE', sub: { kind: 'anonymous' } })
    expect(again(set, line).notRecorded).toEqual(['caller'])
  })

  it('that no rule was asked about is told as that', () => {
    const { line } = logged(set, root, ANONYMOUS)
    const { host: _, ...unread } = { ...line, note: 'the header was sent twice' }
    expect(explainLogged(set, unread, undefined)).toMatchObject({ kind: 'before-policy' })
  })

  it('was refused where the URL asserted another route, and takes the stricter of two hosts', () => {
    const { line } = logged(set, root, at(['sre']))
    expect(again(set, { ...line, asserted: 'other' })).toMatchObject({
      told: { outcome: 'deny', decision: { reason: 'DENY_BAD_REQUEST' } },
    })
    expect(again(set, { ...line, served: 'nobody.example.com' })).toMatchObject({
      told: { outcome: 'deny', decision: { reason: 'DENY_NO_ROUTE' } },
    })
  })
})

describe('any logged decision', () => {
  const compiled = (entry: PolicyEntry): PolicySet => setOf(JSON.stringify(entry))
  // Only tokens of a cluster name an account, by their subject.
  const real = principal.map((one): Principal | undefined => {
    if (one === undefined) return undefined
    const { serviceAccount = 'ns/z', ...rest } = one
    return one.credential === 'service-account'
      ? { ...rest, kind: 'machine', serviceAccount, subject: serviceAccountSubject(serviceAccount) }
      : rest
  })

  it('that is called certain comes out as the engine decided it, and in the same policies every one is the same', () => {
    let certain = 0
    fc.assert(
      fc.property(
        policy('app', ['app.example.com'], ''),
        fc.oneof(plainPath, strangePath),
        fc.constantFrom('GET', 'POST', 'HEAD', 'WEBSOCKET', 'OPTIONS'),
        fc.boolean(),
        real,
        (entry, path, method, preflight, one) => {
          const facts = factsOf(path, { method, preflight: preflight && method === 'OPTIONS' })
          if (facts === undefined) return
          const policies = compiled(entry)
          const authentication = one === undefined ? ANONYMOUS : verified(one)
          const { line } = logged(policies, facts, authentication)
          const told = again(policies, line)
          if (told.notRecorded.length > 0) return
          certain += 1
          expect([told.differs, line, entry]).toEqual([[], line, entry])
        },
      ),
      { numRuns: 400 },
    )
    expect(certain).toBeGreaterThan(150)
  })

  it('that other policies call certain does not hang on what was not recorded', () => {
    fc.assert(
      fc.property(
        policy('app', ['app.example.com'], ''),
        policy('app', ['app.example.com'], ''),
        plainPath,
        real,
        (before, after, path, one) => {
          const facts = factsOf(path)
          if (facts === undefined || one === undefined) return
          const { line } = logged(compiled(before), facts, verified(one))
          const now = compiled(after)
          const told = again(now, line)
          if (told.notRecorded.length > 0 || line.sub.id === undefined) return
          const truth = logged(now, facts, verified(one)).line
          const { outcome, reason, rule } = told.told.decision
          expect([outcome, reason, rule]).toEqual([truth.decision, truth.reason, truth.rule])
        },
      ),
      { numRuns: 400 },
    )
  })
})

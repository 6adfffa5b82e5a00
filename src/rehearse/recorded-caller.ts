// A line of the decision log → what verification had found, as far as the line says it. What it does not say is named:
// nobody may take a guess for the truth. Facts only; which rules read them is not known here.
import type { DecisionLine } from '../audit/read.ts'
import { AGENT_MAX, VALUE_MAX, VALUES_MAX } from '../audit/subject.ts'
import {
  ANONYMOUS,
  type AnonymousNote,
  type Authentication,
  type ClaimValue,
  type Principal,
} from '../policy/principal.ts'
import { REASON_CODES, type ReasonCode } from '../policy/reason.ts'
import type { Route } from '../policy/route.ts'
import { serviceAccountOf } from '../policy/service-account.ts'

/**
 * What a line does not hold, or not whole. `caller`: whether there was somebody else to see; `reason`: why a credential
 * did not count; `time`: to less than a second; `claim:NAME` for a claim.
 */
export type Gap = 'caller' | 'subject' | 'client' | 'amr' | 'acr' | 'reason' | 'time' | `claim:${string}`

export interface RecordedCaller {
  readonly authentication: Authentication
  readonly gaps: ReadonlySet<Gap>
}

/**
 * Reads the caller of a line.
 * @param route that owns the request today: its claims must be in the line, or they are gaps. Never throws.
 */
export const recordedCaller = (line: DecisionLine, route: Route | undefined): RecordedCaller => {
  const { sub } = line
  if (sub.id === undefined || sub.cred === undefined) return notVerified(line)
  const claimGaps = (route?.sections ?? [])
    .flatMap(({ reads }) => reads.claims)
    .filter((name) => !isWhole(line, name))
    .map((name) => `claim:${name}` as const)
  const email = sub.ev === undefined ? (['claim:email'] as const) : []
  const gaps: readonly Gap[] = [...claimGaps, ...email, ...cutTexts(line)]
  return {
    authentication: { kind: 'verified', principal: principalOf(line, sub.id, sub.cred, gaps) },
    gaps: new Set(gaps),
  }
}

const isWhole = ({ attrs }: DecisionLine, name: string): boolean => {
  const attribute = attrs !== undefined && Object.hasOwn(attrs, name) ? attrs[name] : undefined
  return Array.isArray(attribute) || (attribute !== undefined && attribute.state !== 'cut')
}

/** A text of the greatest length that the log writes may be the begin of a longer one. */
const cutTexts = ({ sub }: DecisionLine): readonly Gap[] => {
  const [, ...rest] = (sub.id ?? '').split('|')
  return [
    ...(rest.join('|').length >= VALUE_MAX ? (['subject'] as const) : []),
    ...((sub.client?.length ?? 0) >= AGENT_MAX ? (['client'] as const) : []),
    ...((sub.acr?.length ?? 0) >= AGENT_MAX ? (['acr'] as const) : []),
    ...((sub.amr?.length ?? 0) >= VALUES_MAX ? (['amr'] as const) : []),
  ]
}

const NOTES: Readonly<Record<AnonymousNote, true>> = {
  expired: true,
  revoked: true,
  stale: true,
  'two-sessions': true,
  'does-not-open': true,
  'not-believed': true,
}

const isAnonymousNote = (text: string): text is AnonymousNote => Object.hasOwn(NOTES, text)

const NO_GAPS: ReadonlySet<Gap> = new Set()

const notVerified = (line: DecisionLine): RecordedCaller => {
  const { note, cred } = line.sub
  // Nobody verifies what no route asks for: a route that owns the request today would have looked.
  const unasked: ReadonlySet<Gap> = line.route === undefined ? new Set(['caller']) : NO_GAPS
  if (note === undefined) return { authentication: ANONYMOUS, gaps: unasked }
  if (isAnonymousNote(note)) return { authentication: { kind: 'anonymous', note }, gaps: unasked }
  const why = 'not_recorded'
  if (note === 'ambiguous') return { authentication: { kind: 'ambiguous', why }, gaps: unasked }
  if (note === 'unavailable') return withReason(line, 'indeterminate', 'ERROR_IDP', unavailable)
  if (note === 'rejected' && cred !== undefined)
    return withReason(line, 'challenge', 'DENY_CRED_INVALID', (reason) => ({
      kind: 'rejected',
      reason,
      credential: cred,
      why,
    }))
  return { authentication: ANONYMOUS, gaps: new Set(['caller']) }
}

const unavailable = (reason: ReasonCode): Authentication => ({
  kind: 'unavailable',
  reason,
  why: 'not_recorded',
})

/** Why a credential did not count is the reason of the decision only where it made the decision. */
const withReason = (
  line: DecisionLine,
  outcome: DecisionLine['decision'],
  otherwise: ReasonCode,
  make: (reason: ReasonCode) => Authentication,
): RecordedCaller => {
  const reason = line.decision === outcome ? REASON_CODES.find((code) => code === line.reason) : undefined
  return {
    authentication: make(reason ?? otherwise),
    gaps: reason === undefined ? new Set(['reason']) : NO_GAPS,
  }
}

const principalOf = (
  line: DecisionLine,
  id: string,
  credential: Principal['credential'],
  gaps: readonly Gap[],
): Principal => {
  const { sub, attrs = {} } = line
  const [source = '', ...rest] = id.split('|')
  const subject = rest.join('|')
  const account = credential === 'service-account' ? serviceAccountOf(subject) : undefined
  const states = Object.entries(attrs).map(([name, one]) => [
    name,
    Array.isArray(one) ? 'present' : one.state,
  ])
  const named = (...wanted: readonly string[]): ReadonlySet<string> =>
    new Set(states.flatMap(([name = '', state = '']) => (wanted.includes(state) ? [name] : [])))
  const atSeconds = Date.parse(line.ts) / 1000
  return {
    kind: sub.kind === 'user' || sub.kind === 'basic' ? 'person' : 'machine',
    credential,
    source,
    subject,
    client: sub.client,
    ...(account === undefined ? {} : { serviceAccount: account }),
    claims: claimsOf(attrs),
    assertable: named('present', 'absent', 'not-captured'),
    captured: named('present', 'absent'),
    // What is not known whole is closed: a hit in a deny, a miss in an allow.
    cut: new Set([
      ...named('not-assertable', 'cut'),
      ...gaps.flatMap((gap) => (gap.startsWith('claim:') ? [gap.slice('claim:'.length)] : [])),
    ]),
    groupsComplete: true,
    emailVerified: sub.ev === true,
    amr: sub.amr ?? [],
    acr: sub.acr,
    authTimeSeconds: sub.age === undefined ? undefined : atSeconds - sub.age,
    multiFactor: sub.mfa === true,
    multiFactorAcr: [],
    stepUp:
      sub.asked === undefined ? undefined : { rule: sub.asked.rule, atSeconds: atSeconds - sub.asked.age },
    sessionId: undefined,
    expiresAtSeconds: undefined,
  }
}

const claimsOf = (attrs: NonNullable<DecisionLine['attrs']>): ReadonlyMap<string, ClaimValue> =>
  new Map(Object.entries(attrs).flatMap(([name, one]) => (Array.isArray(one) ? [[name, one] as const] : [])))

// What is written about one decision: the native form of the log. Facts and claims that the rules read; never a token,
// a cookie, a body or a query string. Pure.
import { createHash } from 'node:crypto'
import type { Decision } from '../policy/decision.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { claimState, type Authentication, type ClaimScalar, type Principal } from '../policy/principal.ts'

const MAX_PATH_BYTES = 512
const MAX_AGENT_BYTES = 200
const MAX_NOTE_BYTES = 300

/** One line of the log before it gets its sequence number. Keys are stable and additive. */
export type LogFields = Readonly<Record<string, unknown>> & { readonly type: EventType; readonly ts: string }

/** Everything that a line can be about. */
export const EVENT_TYPES = [
  'decision',
  'login',
  'logout',
  'policy.load',
  'policy.reject',
  'session.mint',
  'session.revoke',
  'service.start',
  'service.stop',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

export interface DecisionRecord {
  readonly nowMs: number
  readonly id: string
  readonly status: number
  readonly decision: Decision
  readonly dialect: string | undefined
  readonly requestId: string | undefined
  /** Undefined where the request could not be read. */
  readonly facts: RequestFacts | undefined
  /** The query as received; only a short hash of it is written. */
  readonly query: string | undefined
  readonly userAgent: string | undefined
  readonly authentication: Authentication | undefined
  /** Claims that the section's rules read. */
  readonly readClaims: readonly string[]
  readonly policyRevision: string
  /** Label of the client's network in the directory. */
  readonly network: string | undefined
  readonly cache: 'hit' | 'miss' | undefined
  readonly elapsedUs: number
  readonly note: string | undefined
}

/** Builds the fields of a decision. Undefined ones do not appear in the line. Never throws. */
export const decisionFields = (record: DecisionRecord): LogFields => {
  const { decision, facts } = record
  const principal = record.authentication?.kind === 'verified' ? record.authentication.principal : undefined
  return {
    v: 1,
    type: 'decision',
    ts: new Date(record.nowMs).toISOString(),
    id: record.id,
    req: printable(record.requestId, MAX_AGENT_BYTES),
    dialect: record.dialect,
    route: decision.route,
    section: decision.section,
    host: facts?.host,
    method: facts?.method,
    path: printable(facts?.path.raw, MAX_PATH_BYTES),
    views: facts !== undefined && facts.path.views.length > 1 ? facts.path.views.length : undefined,
    qh: record.query === undefined || record.query === '' ? undefined : shortHash(record.query),
    decision: decision.outcome,
    status: record.status,
    reason: decision.reason,
    rule: decision.rule,
    policy: record.policyRevision,
    stage: 'live',
    sub: subjectFields(principal, record.nowMs),
    attrs: principal === undefined ? undefined : attributes(principal, record.readClaims),
    src: { ip: facts?.clientIp, net: record.network, ua: printable(record.userAgent, MAX_AGENT_BYTES) },
    cache: record.cache,
    us: record.elapsedUs,
    note: printable(record.note, MAX_NOTE_BYTES),
  }
}

/** 16 bits: enough to see that two requests asked for the same, too few to find what they asked. */
const shortHash = (query: string): string =>
  `h:${createHash('sha256').update(query).digest('hex').slice(0, 4)}`

const subjectFields = (
  principal: Principal | undefined,
  nowMs: number,
): Readonly<Record<string, unknown>> => {
  if (principal === undefined) return { kind: 'anonymous' }
  const email = principal.claims.get('email')
  return {
    kind: principal.kind === 'person' ? 'user' : 'machine',
    id: `${principal.source}|${printable(principal.subject, MAX_AGENT_BYTES) ?? ''}`,
    name: typeof email === 'string' ? printable(email, MAX_AGENT_BYTES) : undefined,
    cred: principal.credential,
    amr: principal.amr.length === 0 ? undefined : principal.amr,
    age:
      principal.authTimeSeconds === undefined
        ? undefined
        : Math.floor(nowMs / 1000 - principal.authTimeSeconds),
  }
}

const MAX_VALUES = 64

/**
 * The claims that the rules read, so that the decision can be made again. A value that is not whole says so: replay
 * must never take it for the truth.
 */
const attributes = (
  principal: Principal,
  names: readonly string[],
): Readonly<Record<string, unknown>> | undefined => {
  if (names.length === 0) return undefined
  return Object.fromEntries(names.map((name) => [name, attribute(principal, name)]))
}

const attribute = (principal: Principal, name: string): unknown => {
  const state = claimState(principal, name)
  if (state.kind !== 'present') return { state: state.kind }
  const whole = state.values.length <= MAX_VALUES && (name !== 'groups' || principal.groupsComplete)
  const values = state.values.slice(0, MAX_VALUES).map(scalar)
  return whole ? values : { state: 'cut', values }
}

const scalar = (value: ClaimScalar): ClaimScalar =>
  typeof value === 'string' ? (printable(value, MAX_PATH_BYTES) ?? '') : value

const UNPRINTABLE = /[^\u0020-\u007e\u00a0-\ufffd]/

/**
 * Text as it may stand in a log: cut to a length, control characters as `\u…` escapes, so that no terminal and no
 * line reader is taken in.
 */
export const printable = (text: string | undefined, maxLength: number): string | undefined => {
  if (text === undefined) return undefined
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return UNPRINTABLE.test(cut) ? cut.replaceAll(/[^\u0020-\u007e\u00a0-\ufffd]/g, escaped) : cut
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

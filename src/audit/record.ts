// What is written about one decision or event: the native form of the log, as text, since a line is made for every
// request. Facts and claims that the rules read; never a token, a cookie, a body or a query string. Pure.
import { hash } from 'node:crypto'
import type { Decision } from '../policy/decision.ts'
import type { RequestFacts } from '../policy/facts.ts'
import type { Authentication } from '../policy/principal.ts'
import { asciiJson, jsonString } from './json-text.ts'
import { AGENT_MAX, subjectText } from './subject.ts'

const PATH_MAX = 512
const NOTE_MAX = 300

/** Everything that a line can be about. Additive. */
export const EVENT_TYPES = [
  'decision',
  'login',
  'logout',
  'policy.load',
  'policy.reject',
  'session.mint',
  'session.renew',
  'session.revoke',
  'service.start',
  'service.stop',
  'log.dropped',
  'log.block',
  'log.checkpoint',
  'log.resume',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** An event that is no decision. The fields are the caller's; no credential may be among them. */
export type EventFields = Readonly<Record<string, unknown>> & {
  readonly type: EventType
  readonly ts: string
}

/** A decision, ready but for its number: a JSON object without its closing brace. */
export interface DecisionFields {
  readonly type: 'decision'
  readonly ts: string
  readonly body: string
}

/** One line of the log before it gets its sequence number. Keys are stable and additive. */
export type LogFields = EventFields | DecisionFields

export interface DecisionRecord {
  readonly nowMs: number
  readonly id: string
  readonly status: number
  readonly decision: Decision
  readonly dialect: string | undefined
  readonly requestId: string | undefined
  /** Undefined where the request could not be read. */
  readonly facts: RequestFacts | undefined
  /** The host that the proxy says it serves, where that is another one: it was decided too. */
  readonly servedHost: string | undefined
  /** The route that the decision URL asserts, where it is another one than the request's. */
  readonly assertedRoute: string | undefined
  /** The query as received; only a short hash of it is written. */
  readonly query: string | undefined
  readonly userAgent: string | undefined
  readonly authentication: Authentication | undefined
  /** Claims that some rule of the route reads. */
  readonly readClaims: readonly string[]
  readonly policyRevision: string
  /** Address of the socket, where nothing else tells who asked. */
  readonly peer: string | undefined
  /** Label of the client's network in the directory. */
  readonly network: string | undefined
  readonly cache: 'hit' | 'miss' | undefined
  readonly elapsedUs: number
  readonly note: string | undefined
}

/** Builds the line of a decision. Undefined fields do not appear in it. Never throws. */
export const decisionFields = (record: DecisionRecord): DecisionFields => {
  const ts = timestamp(record.nowMs)
  return { type: 'decision', ts, body: bodyText(record, ts) }
}

const bodyText = (record: DecisionRecord, ts: string): string =>
  `{"v":1,"type":"decision","ts":"${ts}","id":${jsonString(record.id)}` +
  member('req', record.requestId, AGENT_MAX) +
  member('dialect', record.dialect, AGENT_MAX) +
  requestText(record) +
  decisionText(record.decision) +
  `,"status":${record.status},"policy":${jsonString(record.policyRevision)},"stage":"live"` +
  subjectText(record.authentication, record.readClaims, record.nowMs) +
  sourceText(record) +
  (record.cache === undefined ? '' : `,"cache":"${record.cache}"`) +
  `,"us":${record.elapsedUs}` +
  member('note', record.note, NOTE_MAX)

/** `,"key":"text"`, cut to a length, or nothing. */
const member = (key: string, text: string | undefined, maxLength: number): string =>
  text === undefined
    ? ''
    : `,"${key}":${jsonString(text.length > maxLength ? text.slice(0, maxLength) : text)}`

let stampedMs = Number.NaN
let stamp = ''

/** Many lines share a millisecond. */
const timestamp = (nowMs: number): string => {
  if (nowMs !== stampedMs) {
    stampedMs = nowMs
    stamp = new Date(nowMs).toISOString()
  }
  return stamp
}

const requestText = ({ facts, query, servedHost, assertedRoute }: DecisionRecord): string => {
  if (facts === undefined) return ''
  const { raw, views } = facts.path
  const { origin } = facts
  return (
    `,"host":"${facts.host}"` +
    member('served', servedHost, PATH_MAX) +
    member('asserted', assertedRoute, PATH_MAX) +
    member('method', facts.method, AGENT_MAX) +
    member('path', raw, PATH_MAX) +
    cutText(raw, origin) +
    (views.length > 1 ? `,"views":${views.length}` : '') +
    (query === undefined || query === '' ? '' : `,"qh":"h:${shortHash(query)}"`) +
    (facts.preflight ? ',"preflight":true' : '') +
    member('origin', origin, AGENT_MAX)
  )
}

/** Whoever decides again must not take a part for the whole. */
const cutText = (path: string, origin: string | undefined): string => {
  if (path.length <= PATH_MAX && (origin === undefined || origin.length <= AGENT_MAX)) return ''
  const cut = [
    ...(path.length > PATH_MAX ? ['path'] : []),
    ...((origin?.length ?? 0) > AGENT_MAX ? ['origin'] : []),
  ]
  return `,"cut":${JSON.stringify(cut)}`
}

/** 16 bits: enough to see that two requests asked for the same, too few to find what they asked. */
const shortHash = (query: string): string => hash('sha256', query, 'hex').slice(0, 4)

/** A cached decision is one object for many requests. */
const decisionTexts = new WeakMap<Decision, string>()

const decisionText = (decision: Decision): string => {
  const known = decisionTexts.get(decision)
  if (known !== undefined) return known
  const text =
    member('route', decision.route, PATH_MAX) +
    member('section', decision.section, PATH_MAX) +
    `,"decision":"${decision.outcome}","reason":"${decision.reason}"` +
    member('rule', decision.rule, PATH_MAX)
  decisionTexts.set(decision, text)
  return text
}

const sourceText = ({ facts, peer, network, userAgent }: DecisionRecord): string => {
  const members =
    member('ip', facts?.clientIp, AGENT_MAX) +
    member('peer', peer, AGENT_MAX) +
    member('net', network, AGENT_MAX) +
    member('ua', userAgent, AGENT_MAX)
  return `,"src":{${members.slice(1)}}`
}

/** The line of a record without its closing brace: what is left to add are number and writer. */
export const bodyOf = (fields: LogFields): string =>
  isDecision(fields) ? fields.body : asciiJson(JSON.stringify(fields).slice(0, -1))

const isDecision = (fields: LogFields): fields is DecisionFields =>
  fields.type === 'decision' && typeof fields['body'] === 'string'

// What is written about one decision or event: the native form of the log, as text, since a line is made for every
// request. Facts and claims that the rules read; never a token, a cookie, a body or a query string. Pure.
import { hash } from 'node:crypto'
import type { Decision } from '../policy/decision.ts'
import type { RequestFacts } from '../policy/facts.ts'
import type { Authentication } from '../policy/principal.ts'
import { asciiJson, flat, jsonString } from './json-text.ts'
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

// Long constant pieces, few joins: a line is made for every request, and each join is walked once more when it is written.
const bodyText = (record: DecisionRecord, ts: string): string =>
  startText(ts) +
  record.id +
  '"' +
  member('req', record.requestId, AGENT_MAX) +
  (record.dialect === undefined ? '' : DIALECT + record.dialect + '"') +
  requestText(record) +
  answerText(record) +
  subjectText(record.authentication, record.readClaims, record.nowMs, record.cache === 'hit') +
  sourceText(record) +
  (record.cache === undefined ? '' : CACHE[record.cache]) +
  ',"us":' +
  record.elapsedUs +
  member('note', record.note, NOTE_MAX)

const DIALECT = ',"dialect":"'
const CACHE = { hit: ',"cache":"hit"', miss: ',"cache":"miss"' } as const

let startedTs = ''
let start = ''

/** Many lines share a millisecond. */
const startText = (ts: string): string => {
  if (ts !== startedTs) {
    startedTs = ts
    start = flat(`{"v":1,"type":"decision","ts":"${ts}","id":"`)
  }
  return start
}

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
    ',"host":"' +
    facts.host +
    '"' +
    member('served', servedHost, PATH_MAX) +
    member('asserted', assertedRoute, PATH_MAX) +
    member('method', facts.method, AGENT_MAX) +
    member('path', raw, PATH_MAX) +
    cutText(raw, origin) +
    (views.length > 1 ? `,"views":${views.length}` : '') +
    (query === undefined || query === '' ? '' : hashText(query)) +
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

const HASHES_KEPT = 1_000
const LONGEST_KEPT = 256
const hashTexts = new Map<string, string>()

/** 16 bits: enough to see that two requests asked for the same, too few to find what they asked. Pages ask alike. */
const hashText = (query: string): string => {
  const known = hashTexts.get(query)
  if (known !== undefined) return known
  const text = flat(`,"qh":"h:${hash('sha256', query, 'hex').slice(0, 4)}"`)
  if (query.length > LONGEST_KEPT) return text
  if (hashTexts.size >= HASHES_KEPT) hashTexts.clear()
  hashTexts.set(query, text)
  return text
}

interface AnswerText {
  readonly status: number
  readonly policyRevision: string
  readonly text: string
}

/** A cached decision is one object for many requests; one that was made for a single request is not worth keeping. */
const answerTexts = new WeakMap<Decision, AnswerText>()

const answerText = (record: DecisionRecord): string => {
  const { decision, status, policyRevision } = record
  if (record.cache !== 'hit') return newAnswerText(record)
  const known = answerTexts.get(decision)
  if (known?.status === status && known.policyRevision === policyRevision) return known.text
  const text = flat(newAnswerText(record))
  answerTexts.set(decision, { status, policyRevision, text })
  return text
}

const newAnswerText = ({ decision, status, policyRevision }: DecisionRecord): string =>
  member('route', decision.route, PATH_MAX) +
  member('section', decision.section, PATH_MAX) +
  `,"decision":"${decision.outcome}","reason":"${decision.reason}"` +
  member('rule', decision.rule, PATH_MAX) +
  `,"status":${status},"policy":${jsonString(policyRevision)},"stage":"live"`

const sourceText = ({ facts, peer, network, userAgent }: DecisionRecord): string => {
  const members =
    member('ip', facts?.clientIp, AGENT_MAX) +
    member('peer', peer, AGENT_MAX) +
    member('net', network, AGENT_MAX) +
    member('ua', userAgent, AGENT_MAX)
  return members === '' ? ',"src":{}' : ',"src":{' + members.slice(1) + '}'
}

/** The line of a record without its closing brace: what is left to add are number and writer. */
export const bodyOf = (fields: LogFields): string =>
  isDecision(fields) ? fields.body : asciiJson(JSON.stringify(fields).slice(0, -1))

const isDecision = (fields: LogFields): fields is DecisionFields =>
  fields.type === 'decision' && typeof fields['body'] === 'string'

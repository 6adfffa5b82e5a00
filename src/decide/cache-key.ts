// The key of a cached decision: a length-prefixed tuple of exactly what the decision read. Two requests with one key
// are one question (CVE-2026-33496, CVE-2026-33433: a key that forgot an input served one caller another's answer).
import { hash } from 'node:crypto'
import type { RequestFacts } from '../policy/facts.ts'
import { bypassHolds } from '../policy/evaluate.ts'
import type { Section } from '../policy/route.ts'
import type { Matched } from './decide.ts'

/** Everything beside the facts that a decision depends on. */
export interface KeyContext {
  readonly policyRevision: string
  /** Counts replacements of issuer keys, session keys and API key files. */
  readonly keyRevision: number
  readonly stageEpoch: number
  /** SHA-256 over all that verification reads of the request. */
  readonly credentialDigest: string
  /** True where a session is bound to its host. */
  readonly hostBound: boolean
}

/**
 * Builds the cache key of a matched request.
 * @returns an injective encoding: distinct inputs give distinct keys. Never throws.
 */
export const cacheKey = (matched: Matched, facts: RequestFacts, context: KeyContext): string => {
  let key =
    part(context.policyRevision) +
    part(String(context.keyRevision)) +
    part(String(context.stageEpoch)) +
    part(matched.route.id) +
    part(context.credentialDigest)
  if (context.hostBound) key += part(facts.host)
  if (facts.method === 'WEBSOCKET') key += part(`ws${facts.origin ?? ''}`)
  for (const section of matched.sections) key += sectionPart(section, facts)
  return key
}

const LONGEST_PART = 128

/** Long parts stand as their digest: a client's long path must not fill the cache. */
const part = (text: string): string =>
  text.length <= LONGEST_PART ? `${text.length}:${text}` : `#${hash('sha256', text, 'base64url')}`

const sectionPart = (section: Section, facts: RequestFacts): string => {
  const { reads } = section
  let key = part(section.path.text) + (section.path.below ? 'b' : 'e')
  if (reads.method) key += part(facts.method)
  if (reads.path) key += part(facts.path.views.map(part).join(''))
  if (reads.clientIp) key += part(facts.clientIp ?? '')
  if (reads.preflight) key += facts.preflight ? 'p' : 'n'
  if (reads.bypass) key += bypassHolds(section, facts) ? 'y' : 'n'
  return key
}

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
  const [first, ...others] = matched.sections
  let key = placeText(first, context) + part(context.credentialDigest)
  if (context.hostBound) key += part(facts.host)
  if (facts.method === 'WEBSOCKET') key += part(`ws${facts.origin ?? ''}`)
  key += factsText(first, facts)
  for (const section of others) key += sectionText(section) + factsText(section, facts)
  return key
}

interface Place {
  readonly policyRevision: string
  readonly keyRevision: number
  readonly stageEpoch: number
  readonly text: string
}

/** What of a key does not change from request to request, by the first section. */
const places = new WeakMap<Section, Place>()

const placeText = (section: Section, context: KeyContext): string => {
  const { policyRevision, keyRevision, stageEpoch } = context
  const known = places.get(section)
  if (
    known?.policyRevision === policyRevision &&
    known.keyRevision === keyRevision &&
    known.stageEpoch === stageEpoch
  )
    return known.text
  const revisions = part(policyRevision) + part(String(keyRevision)) + part(String(stageEpoch))
  const text = revisions + part(section.route) + sectionText(section)
  places.set(section, { policyRevision, keyRevision, stageEpoch, text })
  return text
}

const LONGEST_PART = 128

/** Long parts stand as their digest: a client's long path must not fill the cache. */
const part = (text: string): string =>
  text.length <= LONGEST_PART ? `${text.length}:${text}` : `#${hash('sha256', text, 'base64url')}`

const sectionText = ({ path }: Section): string => part(path.text) + (path.below ? 'b' : 'e')

const factsText = (section: Section, facts: RequestFacts): string => {
  const { reads } = section
  let key = ''
  if (reads.method) key += part(facts.method)
  if (reads.path) key += part(facts.path.views.map(part).join(''))
  if (reads.clientIp) key += part(facts.clientIp ?? '')
  if (reads.preflight) key += facts.preflight ? 'p' : 'n'
  if (reads.bypass) key += bypassHolds(section, facts) ? 'y' : 'n'
  return key
}

// The decision cache: the type of `settle`, slipped over it. A hit still asks whether the session lives, counts as its
// use, and ends with whatever ends first. It never keeps what could not be decided.
import { LRUCache } from 'lru-cache'
import type { Carried } from '../identity/carried.ts'
import type { Revocable } from '../identity/verified.ts'
import type { Principal } from '../policy/principal.ts'
import { nextTimeEdgeMs } from '../policy/time-edge.ts'
import { cacheKey, type KeyContext } from './cache-key.ts'
import type { Matched, Settle } from './decide.ts'
import type { Ruling } from './ruling.ts'
import { makeSameCaller } from './same-caller.ts'

export interface CacheSettings {
  readonly entries: number
  readonly ttlMs: number
  /** Idle limit of a session: an entry never outlives it. */
  readonly idleMs: number
}

export interface CacheDeps {
  /** What of the key does not come from facts or match. */
  readonly context: (carried: Carried) => KeyContext
  /** True while what may be revoked of the credential lives, and that is known; also records the use. */
  readonly stillGood: (revocable: Revocable, nowMs: number) => boolean
  readonly onLookup: (outcome: 'hit' | 'miss') => void
}

interface Entry {
  readonly ruling: Ruling
  readonly revocable: Revocable | undefined
  readonly endsAtMs: number
}

export interface CachedSettle {
  readonly settle: Settle
  readonly size: () => number
  /** Forgets everything: what decided it is not in force any more. */
  readonly clear: () => void
}

/**
 * Puts an LRU in front of `settle`.
 * @param settle the uncached one; its answers pass through unchanged
 */
export const makeCachedSettle = (settle: Settle, settings: CacheSettings, deps: CacheDeps): CachedSettle => {
  const cache = new LRUCache<string, Entry>({
    max: settings.entries,
    maxSize: settings.entries * USUAL_ENTRY_BYTES,
    sizeCalculation: entryBytes,
  })
  const sameCaller = makeSameCaller()
  const keep = (key: string, caller: string, matched: Matched, ruling: Ruling, nowMs: number): Ruling => {
    const endsAtMs = endOf(matched, ruling, settings, nowMs)
    // INVARIANT: nothing is stored that would live under a millisecond; the end is compared by the clock given.
    if (isKeepable(ruling) && endsAtMs - nowMs >= 1) {
      const kept = sameCaller(`${matched.sections[0].route} ${caller}`, toKeep(ruling))
      cache.set(key, { ruling: kept, revocable: kept.verified?.revocable, endsAtMs })
    }
    return ruling
  }
  return {
    size: () => cache.size,
    clear: () => cache.clear(),
    settle: (matched, facts, carried, nowMs) => {
      const context = deps.context(carried)
      const caller = context.credentialDigest
      const key = cacheKey(matched, facts, context)
      const entry = cache.get(key)
      if (entry !== undefined && nowMs < entry.endsAtMs) {
        if (entry.revocable === undefined || deps.stillGood(entry.revocable, nowMs)) {
          deps.onLookup('hit')
          return entry.ruling
        }
      }
      deps.onLookup('miss')
      const ruling = settle(matched, facts, carried, nowMs)
      if (ruling instanceof Promise)
        return ruling.then((settled) => keep(key, caller, matched, settled, nowMs))
      return keep(key, caller, matched, ruling, nowMs)
    },
  }
}

/** A hit renews no cookie, so the session that was opened is nobody's any more: it would be half of the entry. */
const toKeep = (ruling: Ruling): Ruling => {
  if (ruling.verified?.session === undefined) return { ...ruling, cache: 'hit' }
  const { authentication, consumed, foreignAuthorization, note, revocable } = ruling.verified
  const verified = { authentication, consumed, foreignAuthorization, note, revocable }
  return { ...ruling, verified, cache: 'hit' }
}

const principalOf = (ruling: Ruling): Principal | undefined =>
  ruling.verified?.authentication.kind === 'verified' ? ruling.verified.authentication.principal : undefined

/** Room for an entry with a dozen groups and an assertion; larger ones take the room of several. */
const USUAL_ENTRY_BYTES = 3_000
const FIXED_ENTRY_BYTES = 1_000

const entryBytes = ({ ruling }: Entry, key: string): number =>
  FIXED_ENTRY_BYTES + key.length + ruling.identityHeaders.reduce((sum, text) => sum + text.length, 0)

/** An outage is never remembered, nor an answer to a request whose credentials were in doubt or no longer count. */
const isKeepable = ({ decision, verified }: Ruling): boolean => {
  if (decision.outcome === 'indeterminate' || verified === undefined || verified.note !== undefined)
    return false
  const { authentication } = verified
  if (authentication.kind === 'anonymous') return authentication.note === undefined
  return authentication.kind === 'verified' && verified.revocable !== undefined
}

const endOf = (matched: Matched, ruling: Ruling, settings: CacheSettings, nowMs: number): number => {
  const principal = principalOf(ruling)
  const expiresAtMs =
    principal?.expiresAtSeconds === undefined ? Number.POSITIVE_INFINITY : principal.expiresAtSeconds * 1000
  return Math.min(
    nowMs + settings.ttlMs,
    nowMs + settings.idleMs,
    expiresAtMs,
    ruling.preparedUntilMs,
    nextTimeEdgeMs(matched.sections, principal, nowMs),
  )
}

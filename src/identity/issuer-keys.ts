// One issuer's keys, kept fresh in the background. An outage serves the keys of before up to a limit; a successful
// refresh replaces them all, so that a withdrawn key is gone (CVE-2025-22149). Never loaded means nobody gets in.
import type { KeyObject } from 'node:crypto'
import { makeHeldKeys } from './held-keys.ts'
import type { FetchPorts } from './json-fetch.ts'
import { fetchKeyDocument, type KeyPlace } from './key-document.ts'
import { selectKey, servedAlgorithms, type WantedKey } from './key-set.ts'

export type KeyLookup =
  | { readonly kind: 'key'; readonly key: KeyObject }
  /** The issuer has no such key. */
  | { readonly kind: 'unknown' }
  /** Nobody can say: the keys were never loaded, or too long ago. */
  | { readonly kind: 'unavailable'; readonly why: string }

export interface KeyHealth {
  /** Milliseconds since the keys were last confirmed; undefined where they never were. */
  readonly ageMs: number | undefined
  /** Why the last refresh failed; undefined where it did not. */
  readonly fault: string | undefined
}

export interface IssuerKeys {
  /**
   * Finds the key for a token header. Synchronous for a key that is loaded; an unknown `kid` fetches once in a
   * cool-down, whoever asks. Never throws, never rejects.
   */
  readonly find: (wanted: WantedKey) => KeyLookup | Promise<KeyLookup>
  /** Begins to refresh in the background. @returns after the first attempt, however it ended. Never rejects. */
  readonly start: () => Promise<void>
  readonly stop: () => void
  /** Rises with each change of the set: belongs into the key of every cached decision. */
  readonly revision: () => number
  readonly health: () => KeyHealth
  /** Which of these algorithms the keys in hand serve; none where there are no keys. */
  readonly serves: (algorithms: readonly string[]) => readonly string[]
}

export interface KeyTimes {
  readonly refreshMs: number
  /** First and longest pause after a failed refresh; doubled in between. */
  readonly retryMs: number
  readonly retryMaxMs: number
  /** How long keys are served that could not be confirmed. */
  readonly staleMaxMs: number
  /** Least time between fetches for the sake of an unknown `kid`. */
  readonly cooldownMs: number
}

export const KEY_TIMES: KeyTimes = {
  refreshMs: 300_000,
  retryMs: 1000,
  retryMaxMs: 60_000,
  staleMaxMs: 86_400_000,
  cooldownMs: 30_000,
}

export interface KeyPorts extends FetchPorts {
  /** Monotonic milliseconds: a clock step neither ages keys nor keeps them young. */
  readonly nowMs: () => number
  /** In [0, 1): spreads refreshes over replicas. */
  readonly random: () => number
}

const UNKNOWN: KeyLookup = { kind: 'unknown' }

/** Makes the keys of one issuer; nothing is fetched before `start` or the first token. */
export const makeIssuerKeys = (place: KeyPlace, ports: KeyPorts, times: KeyTimes = KEY_TIMES): IssuerKeys => {
  const held = makeHeldKeys(times.staleMaxMs, ports.nowMs)
  let attemptedAtMs = Number.NEGATIVE_INFINITY
  let inFlight: Promise<void> | undefined
  let callOff = (): void => undefined
  let running = false

  const load = async (): Promise<void> => {
    attemptedAtMs = ports.nowMs()
    held.take(await fetchKeyDocument(place, ports))
    inFlight = undefined
    callOff()
    if (running)
      callOff = ports.schedule(pauseMs(held.failures(), times, ports.random()), () => void refresh())
  }

  const refresh = (): Promise<void> => {
    inFlight ??= load()
    return inFlight
  }

  const lookUp = (wanted: WantedKey): KeyLookup => {
    const set = held.usable()
    if (set === undefined) return { kind: 'unavailable', why: held.fault() ?? 'they were not loaded yet' }
    const key = selectKey(set, wanted)
    return key === undefined ? UNKNOWN : { kind: 'key', key }
  }

  const mayFetch = (): boolean => {
    if (inFlight !== undefined) return true
    const pause = held.usable() === undefined ? times.retryMs : times.cooldownMs
    return ports.nowMs() - attemptedAtMs >= pause
  }

  return {
    find: (wanted) => {
      const known = lookUp(wanted)
      const isFinal = known.kind === 'key' || (known.kind === 'unknown' && wanted.kid === undefined)
      return isFinal || !mayFetch() ? known : refresh().then(() => lookUp(wanted))
    },
    start: () => {
      running = true
      return refresh()
    },
    stop: () => {
      running = false
      callOff()
    },
    revision: held.revision,
    serves: (algorithms) => servedAlgorithms(held.usable() ?? [], algorithms),
    health: () => ({ ageMs: held.ageMs(), fault: held.fault() }),
  }
}

/** Full refreshes are spread by a tenth, retries by half: replicas that failed together do not come back together. */
const pauseMs = (failures: number, times: KeyTimes, random: number): number => {
  if (failures === 0) return times.refreshMs * (0.9 + 0.2 * random)
  return Math.min(times.retryMaxMs, times.retryMs * 2 ** (failures - 1)) * (0.5 + 0.5 * random)
}

// Notices a browser that goes in a circle: sent back to an address, and here again for the same one, within a minute.
// Counted per process: with more replicas a circle takes a few more rounds, never for ever.
import { hash } from 'node:crypto'

/** After so many returns within the window the next one is refused. */
const ROUNDS_MAX = 3
const WINDOW_MS = 60_000
const ENTRIES_MAX = 10_000

export interface Rounds {
  /** Remembers that a sign-in leaves for its provider now. */
  readonly begin: (signIn: string, browser: string, url: string) => void
  /**
   * Counts one return of this browser to this address. Tabs that left together count once: one of them is no reason why
   * another came here, as a return is in a circle.
   * @param signIn the one that has ended; undefined where none was needed
   */
  readonly note: (browser: string, url: string, signIn?: string) => void
  /** True where this browser was sent to this address {@link ROUNDS_MAX} times within the last minute. */
  readonly isCircle: (browser: string, url: string) => boolean
  /** True the first time that it is asked about a circle, so that a page that is reloaded fills no log. */
  readonly isNews: (browser: string, url: string) => boolean
}

interface Entry {
  /** Returns so far, the old ones too. */
  readonly total: number
  readonly times: readonly number[]
  readonly told: boolean
}

/** Makes an empty count; bounded, the oldest entry goes first. */
export const makeRounds = (nowMs: () => number): Rounds => {
  const returns = new Map<string, Entry>()
  const begun = new Map<string, number>()
  const recent = (key: string): readonly number[] =>
    (returns.get(key)?.times ?? []).filter((atMs) => nowMs() - atMs < WINDOW_MS)
  // An address may be 4 KiB long: its digest bounds what is remembered.
  const keyOf = (browser: string, url: string): string => `${browser} ${hash('sha256', url, 'base64url')}`
  const totalOf = (key: string): number => returns.get(key)?.total ?? 0
  return {
    begin: (signIn, browser, url) => putLast(begun, signIn, totalOf(keyOf(browser, url))),
    note: (browser, url, signIn) => {
      const key = keyOf(browser, url)
      const total = totalOf(key)
      const left = signIn === undefined ? undefined : begun.get(signIn)
      if (left !== undefined && left !== total) return
      const times = [...recent(key), nowMs()].slice(-ROUNDS_MAX)
      putLast(returns, key, { total: total + 1, times, told: false })
    },
    isCircle: (browser, url) => recent(keyOf(browser, url)).length >= ROUNDS_MAX,
    isNews: (browser, url) => {
      const key = keyOf(browser, url)
      const told = returns.get(key)?.told === true
      if (!told) putLast(returns, key, { total: totalOf(key), times: recent(key), told: true })
      return !told
    },
  }
}

const putLast = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > ENTRIES_MAX && oldest !== undefined) map.delete(oldest)
}

// Notices a browser that goes in a circle: sent back to an address, and here again for the same one, within a minute.
// Counted per process: with more replicas a circle takes a few more rounds, never for ever.

/** After so many returns within the window the next one is refused. */
const ROUNDS_MAX = 3
const WINDOW_MS = 60_000
const ENTRIES_MAX = 10_000

export interface Rounds {
  /** Counts one return of this browser to this address. */
  readonly note: (browser: string, url: string) => void
  /** True where this browser was sent to this address {@link ROUNDS_MAX} times within the last minute. */
  readonly isCircle: (browser: string, url: string) => boolean
}

/** Makes an empty count; bounded, the oldest entry goes first. */
export const makeRounds = (nowMs: () => number): Rounds => {
  const returns = new Map<string, readonly number[]>()
  const recent = (key: string): readonly number[] =>
    (returns.get(key) ?? []).filter((atMs) => nowMs() - atMs < WINDOW_MS)
  const keyOf = (browser: string, url: string): string => `${browser} ${url}`
  return {
    note: (browser, url) => {
      const key = keyOf(browser, url)
      const times = [...recent(key), nowMs()].slice(-ROUNDS_MAX)
      returns.delete(key)
      returns.set(key, times)
      const [oldest] = returns.keys()
      if (returns.size > ENTRIES_MAX && oldest !== undefined) returns.delete(oldest)
    },
    isCircle: (browser, url) => recent(keyOf(browser, url)).length >= ROUNDS_MAX,
  }
}

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
  /** True the first time that it is asked about a circle, so that a page that is reloaded fills no log. */
  readonly isNews: (browser: string, url: string) => boolean
}

interface Entry {
  readonly times: readonly number[]
  readonly told: boolean
}

/** Makes an empty count; bounded, the oldest entry goes first. */
export const makeRounds = (nowMs: () => number): Rounds => {
  const returns = new Map<string, Entry>()
  const recent = (key: string): readonly number[] =>
    (returns.get(key)?.times ?? []).filter((atMs) => nowMs() - atMs < WINDOW_MS)
  const keyOf = (browser: string, url: string): string => `${browser} ${url}`
  const put = (key: string, entry: Entry): void => {
    returns.delete(key)
    returns.set(key, entry)
    const [oldest] = returns.keys()
    if (returns.size > ENTRIES_MAX && oldest !== undefined) returns.delete(oldest)
  }
  return {
    note: (browser, url) => {
      const key = keyOf(browser, url)
      put(key, { times: [...recent(key), nowMs()].slice(-ROUNDS_MAX), told: false })
    },
    isCircle: (browser, url) => recent(keyOf(browser, url)).length >= ROUNDS_MAX,
    isNews: (browser, url) => {
      const key = keyOf(browser, url)
      const told = returns.get(key)?.told === true
      if (!told) put(key, { times: recent(key), told: true })
      return !told
    },
  }
}

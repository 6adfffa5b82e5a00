// How long nobody is asked after a failure: a provider that cannot be reached is left alone by itself, and one that
// answered a session badly by that session, so that one session that always fails keeps no other from being learned anew.

export interface RetryPauses {
  /** Until when nobody asks for this session, epoch milliseconds; a time that is over = ask. */
  readonly until: (sessionId: string, provider: string, nowMs: number) => number
  /** Takes note of a failure. @returns until when nobody asks again */
  readonly failed: (sessionId: string, provider: string, isUnreachable: boolean, nowMs: number) => number
  readonly succeeded: (sessionId: string, provider: string, nowMs: number) => void
  /** True where the provider has served others since it began to fail this session: it is no outage then. */
  readonly isAlone: (sessionId: string, provider: string) => boolean
}

const FIRST_MS = 5_000
const LONGEST_MS = 60_000
const ENTRIES_MAX = 10_000

interface Pause {
  readonly untilMs: number
  readonly pauseMs: number
  /** Of the first failure of this run of them. */
  readonly sinceMs: number
}

/** Makes an empty table; bounded, the oldest entry goes first. */
export const makeRetryPauses = (): RetryPauses => {
  const sessions = new Map<string, Pause>()
  const providers = new Map<string, Pause>()
  const servedAtMs = new Map<string, number>()
  return {
    until: (sessionId, provider, nowMs) => {
      const untilMs = Math.max(sessions.get(sessionId)?.untilMs ?? 0, providers.get(provider)?.untilMs ?? 0)
      // Longer than any pause: the clock was set back since.
      return untilMs - nowMs > LONGEST_MS ? 0 : untilMs
    },
    failed: (sessionId, provider, isUnreachable, nowMs) => {
      // A provider that comes back is found within seconds, however long it was away.
      if (isUnreachable) return note(providers, provider, nowMs, FIRST_MS)
      return note(sessions, sessionId, nowMs, LONGEST_MS)
    },
    succeeded: (sessionId, provider, nowMs) => {
      sessions.delete(sessionId)
      providers.delete(provider)
      servedAtMs.set(provider, nowMs)
    },
    isAlone: (sessionId, provider) => {
      const since = sessions.get(sessionId)?.sinceMs
      return since !== undefined && (servedAtMs.get(provider) ?? 0) > since
    },
  }
}

const note = (table: Map<string, Pause>, key: string, nowMs: number, longestMs: number): number => {
  const before = table.get(key)
  const pauseMs = Math.min(longestMs, before === undefined ? FIRST_MS : before.pauseMs * 2)
  const untilMs = nowMs + pauseMs
  table.delete(key)
  table.set(key, { untilMs, pauseMs, sinceMs: before?.sinceMs ?? nowMs })
  const [oldest] = table.keys()
  if (table.size > ENTRIES_MAX && oldest !== undefined) table.delete(oldest)
  return untilMs
}

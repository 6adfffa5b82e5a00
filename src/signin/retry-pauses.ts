// How long a provider is left alone after it failed: by itself where it could not be reached, and by session where it
// answered something else, so that one session that always fails keeps no other from being learned anew.

export interface RetryPauses {
  /** Until when nobody asks for this session, epoch milliseconds; 0 = ask. */
  readonly until: (sessionId: string, provider: string) => number
  /** Takes note of a failure. @returns until when nobody asks again */
  readonly failed: (sessionId: string, provider: string, isUnreachable: boolean, nowMs: number) => number
  readonly succeeded: (sessionId: string, provider: string) => void
}

const FIRST_MS = 5_000
const LONGEST_MS = 60_000
const ENTRIES_MAX = 10_000

interface Pause {
  readonly untilMs: number
  readonly pauseMs: number
}

/** Makes an empty table; bounded, the oldest entry goes first. */
export const makeRetryPauses = (): RetryPauses => {
  const sessions = new Map<string, Pause>()
  const providers = new Map<string, Pause>()
  return {
    until: (sessionId, provider) =>
      Math.max(sessions.get(sessionId)?.untilMs ?? 0, providers.get(provider)?.untilMs ?? 0),
    failed: (sessionId, provider, isUnreachable, nowMs) => {
      // A provider that comes back is found within seconds, however long it was away.
      if (isUnreachable) return note(providers, provider, nowMs, FIRST_MS)
      return note(sessions, sessionId, nowMs, LONGEST_MS)
    },
    succeeded: (sessionId, provider) => {
      sessions.delete(sessionId)
      providers.delete(provider)
    },
  }
}

const note = (table: Map<string, Pause>, key: string, nowMs: number, longestMs: number): number => {
  const before = table.get(key)
  const pauseMs = Math.min(longestMs, before === undefined ? FIRST_MS : before.pauseMs * 2)
  const untilMs = nowMs + pauseMs
  table.delete(key)
  table.set(key, { untilMs, pauseMs })
  const [oldest] = table.keys()
  if (table.size > ENTRIES_MAX && oldest !== undefined) table.delete(oldest)
  return untilMs
}

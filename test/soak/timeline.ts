// What the provider said of somebody, and when it could be asked: what a decision may still rest on.

export interface Timeline {
  readonly setDown: (down: boolean, nowMs: number) => void
  readonly isDown: () => boolean
  readonly setMember: (member: boolean, nowMs: number) => void
  /** Statuses that are right for a caller who is let in as a member only. */
  readonly expected: (nowMs: number) => readonly number[]
}

/** After a provider that was away comes back, a session may rest on before for one more pause and one wait. */
const GRACE_MS = 9_000

/** @param freshnessMs how old what the provider said may be */
export const makeTimeline = (freshnessMs: number): Timeline => {
  let down = false
  let downSinceMs = 0
  let member = true
  let changedAtMs = Number.NEGATIVE_INFINITY
  /** Time since the change in which nobody could ask. */
  let awayMs = 0
  const awayNowMs = (nowMs: number): number =>
    awayMs + (down ? nowMs - Math.max(downSinceMs, changedAtMs) : 0)
  return {
    isDown: () => down,
    setDown: (next, nowMs) => {
      if (down && !next) awayMs = awayNowMs(nowMs)
      if (!down && next) downSinceMs = nowMs
      down = next
    },
    setMember: (next, nowMs) => {
      if (next === member) return
      member = next
      changedAtMs = nowMs
      awayMs = 0
    },
    expected: (nowMs) => {
      const settled = nowMs - changedAtMs > freshnessMs + awayNowMs(nowMs) + GRACE_MS
      if (!settled) return [200, 403]
      return member ? [200] : [403]
    },
  }
}

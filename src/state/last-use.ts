// When each session was last used. Touched on every decision, so a touch costs a lookup; nothing here ends a session:
// an unknown one counts from the start of the process.
import type { StateRecord } from './state-record.ts'

/** Steps in which a use is written down. */
const STEP_SECONDS = 60
const SKEW_SECONDS = 60

export interface LastUseTable {
  /** Records a use now. */
  readonly touch: (sessionId: string) => void
  /** @returns epoch seconds, or undefined where no use is known */
  readonly lastUse: (sessionId: string) => number | undefined
  /** How many sessions were used since then; walks the table, for a scrape and not for a request. */
  readonly usedSince: (sinceSeconds: number) => number
  /** What was used in a new minute since the last call. */
  readonly takeChanged: () => readonly StateRecord[]
  readonly apply: (record: StateRecord) => void
  readonly snapshot: () => readonly StateRecord[]
}

export interface LastUseLimits {
  readonly entriesMax: number
  /**
   * How long a use is needed: the absolute limit of a session. A shorter time would bring one back that has ended by
   * idling, since a use that is not known counts as the start of the process.
   */
  readonly keepSeconds: number
}

/**
 * Makes an empty table. Over its limit it forgets the least recently used, who are the nearest to idle.
 * @param nowSeconds the wall clock
 * @param steadySeconds the same without its leaps ahead: what is forgotten is forgotten by it
 */
export const makeLastUseTable = (
  limits: LastUseLimits,
  nowSeconds: () => number,
  steadySeconds: () => number = nowSeconds,
): LastUseTable => {
  // Oldest minute first.
  const uses = new Map<string, number>()
  const changed = new Set<string>()

  const record = (id: string, atSeconds: number): void => {
    uses.delete(id)
    uses.set(id, atSeconds)
    if (uses.size <= limits.entriesMax) return
    const [oldest] = uses.keys()
    if (oldest === undefined) return
    uses.delete(oldest)
    changed.delete(oldest)
  }

  const recordOf = (id: string, atSeconds: number): StateRecord => ({ kind: 'last-use', id, atSeconds })

  return {
    touch: (id) => {
      const nowWhole = Math.floor(nowSeconds())
      const before = uses.get(id)
      // A use that lies further ahead than clocks differ was seen by a clock that had leapt: it would never be idle.
      if (before !== undefined && nowWhole <= before && before - nowWhole <= SKEW_SECONDS) return
      if (before !== undefined && stepOf(before) === stepOf(nowWhole)) {
        uses.set(id, nowWhole)
        return
      }
      record(id, nowWhole)
      changed.add(id)
    },
    lastUse: (id) => uses.get(id),
    usedSince: (sinceSeconds) => {
      let count = 0
      for (const atSeconds of uses.values()) if (atSeconds >= sinceSeconds) count += 1
      return count
    },
    takeChanged: () => {
      const records = [...changed].flatMap((id) => {
        const atSeconds = uses.get(id)
        return atSeconds === undefined ? [] : [recordOf(id, atSeconds)]
      })
      changed.clear()
      return records
    },
    apply: (one) => {
      if (one.kind === 'last-use') record(one.id, one.atSeconds)
    },
    snapshot: () => {
      const oldestNeeded = steadySeconds() - limits.keepSeconds - STEP_SECONDS
      for (const [id, atSeconds] of uses) if (atSeconds < oldestNeeded) uses.delete(id)
      return [...uses].map(([id, atSeconds]) => recordOf(id, atSeconds))
    },
  }
}

const stepOf = (seconds: number): number => Math.floor(seconds / STEP_SECONDS)

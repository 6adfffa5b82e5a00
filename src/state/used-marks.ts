// Things that work once: sign-in transactions, logout tokens. A mark is never dropped before its end; a full table refuses.
import type { StateRecord } from './state-record.ts'

export interface UsedMarks {
  /** What `burn` would say now; uses nothing up. Never throws. */
  readonly look: (id: string) => 'first' | 'again' | 'full'
  /**
   * Uses a thing up.
   * @param id of the thing; prefixed by what it is, e.g. `transaction:…`
   * @param lifetimeSeconds how long anybody could still present it
   * @returns `first` for exactly one caller; `again` for every later one; `full` where it cannot be remembered, which
   *   must be treated as a refusal. Never throws.
   */
  readonly burn: (id: string, lifetimeSeconds: number) => 'first' | 'again' | 'full'
}

export interface UsedMarkTable extends UsedMarks {
  readonly apply: (record: StateRecord) => void
  readonly snapshot: () => readonly StateRecord[]
}

/**
 * Makes an empty table.
 * @param nowSeconds the wall clock
 * @param steadySeconds the same without its leaps ahead: what is forgotten is forgotten by it
 * @param onBurnt receives what to write down
 */
export const makeUsedMarkTable = (
  entriesMax: number,
  nowSeconds: () => number,
  steadySeconds: () => number,
  onBurnt: (record: StateRecord) => void,
): UsedMarkTable => {
  const endings = new Map<string, number>()
  const dropEnded = (): void => {
    for (const [id, endsAtSeconds] of endings) if (endsAtSeconds <= steadySeconds()) endings.delete(id)
  }
  const look = (id: string): 'first' | 'again' | 'full' => {
    if (endings.has(id)) return 'again'
    if (endings.size >= entriesMax) dropEnded()
    return endings.size >= entriesMax ? 'full' : 'first'
  }
  return {
    look,
    burn: (id, lifetimeSeconds) => {
      const found = look(id)
      if (found !== 'first') return found
      const endsAtSeconds = Math.ceil(nowSeconds() + lifetimeSeconds)
      endings.set(id, endsAtSeconds)
      onBurnt({ kind: 'mark', id, endsAtSeconds })
      return 'first'
    },
    apply: (record) => {
      if (record.kind === 'mark') endings.set(record.id, record.endsAtSeconds)
    },
    snapshot: () => {
      dropEnded()
      return [...endings].map(([id, endsAtSeconds]) => ({ kind: 'mark', id, endsAtSeconds }))
    },
  }
}

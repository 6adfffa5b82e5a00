// Things kept for one taker within seconds: what a session is carried to another host with. The time is counted here, by
// the state that holds them. They never outlive the process: a ticket that is gone costs a click, one that works twice
// would be a second session.
import { hash } from 'node:crypto'

export type Taken = { readonly kind: 'first' | 'again'; readonly text: string } | { readonly kind: 'unknown' }

export interface Tickets {
  /**
   * Keeps a text. Over the limit the oldest is dropped: its holder asks again.
   * @param id secret, never repeated
   * @returns true: it is kept. Never throws.
   */
  readonly keep: (id: string, text: string, lifetimeSeconds: number) => boolean
  /**
   * Takes a text.
   * @param id untrusted
   * @returns `first` for exactly one caller, `again` for every later one in time, `unknown` for an id that nobody gave,
   *   or whose time is over. Never throws.
   */
  readonly take: (id: string) => Taken
}

interface Entry {
  readonly text: string
  readonly keptAtSeconds: number
  readonly lifetimeSeconds: number
  readonly isTaken: boolean
}

/**
 * Makes an empty table.
 * @param charactersMax over all texts together
 * @param nowSeconds the clock of the state
 */
export const makeTicketTable = (charactersMax: number, nowSeconds: () => number): Tickets => {
  // By the digest of the id: whoever reads the table cannot present one. Oldest first.
  const entries = new Map<string, Entry>()
  let characters = 0
  const drop = (key: string, { text }: Entry): void => {
    if (entries.delete(key)) characters -= text.length
  }
  // A clock that was set back does not lengthen a life.
  const isOver = ({ keptAtSeconds, lifetimeSeconds }: Entry): boolean => {
    const age = nowSeconds() - keptAtSeconds
    return age < 0 || age >= lifetimeSeconds
  }
  const makeRoom = (): void => {
    for (const [key, entry] of entries) {
      if (characters <= charactersMax && !isOver(entry)) return
      drop(key, entry)
    }
  }
  return {
    keep: (id, text, lifetimeSeconds) => {
      const key = keyOf(id)
      const earlier = entries.get(key)
      if (earlier !== undefined) drop(key, earlier)
      entries.set(key, { text, keptAtSeconds: nowSeconds(), lifetimeSeconds, isTaken: false })
      characters += text.length
      makeRoom()
      return entries.has(key)
    },
    take: (id) => {
      const key = keyOf(id)
      const entry = entries.get(key)
      if (entry === undefined || isOver(entry)) return { kind: 'unknown' }
      // In its old place: being taken makes nothing younger.
      entries.set(key, { ...entry, isTaken: true })
      return { kind: entry.isTaken ? 'again' : 'first', text: entry.text }
    },
  }
}

const keyOf = (id: string): string => hash('sha256', id, 'base64url')

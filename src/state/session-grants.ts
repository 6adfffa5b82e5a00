// What a provider gave with a sign-in and no cookie may hold: the refresh token, the ID token to sign out with, and the
// session as it was last learned anew. Opaque texts here. Bounded in bytes; whoever is dropped asks the browser again.
import type { StateRecord } from './state-record.ts'

export interface SessionGrant {
  /** When the session was last learned from its provider, epoch seconds. */
  readonly learnedAtSeconds: number
  /** After this nobody needs it: the absolute limit of the session. */
  readonly endsAtSeconds: number
  /** The session as it was learned anew; empty = the cookie holds the latest. */
  readonly session: string
  /** Empty = there is none. */
  readonly refreshToken: string
  /** Empty = there is none. */
  readonly idToken: string
  /** Earlier ids of the same session, parted by spaces. */
  readonly former: string
}

export interface SessionGrantTable {
  readonly get: (sessionId: string) => SessionGrant | undefined
  /** @returns what to write down */
  readonly put: (sessionId: string, grant: SessionGrant) => readonly StateRecord[]
  /** @returns what to write down; nothing where there was none */
  readonly drop: (sessionId: string) => readonly StateRecord[]
  /** Grants that were dropped for want of room. */
  readonly evicted: () => number
  readonly bytes: () => number
  readonly apply: (record: StateRecord) => void
  readonly snapshot: () => readonly StateRecord[]
}

/** A grant beside its texts: the entry of the map, the object, the id. */
const FIXED_BYTES = 300

/**
 * Makes an empty table. Over its limit it drops those that were written longest ago.
 * @param bytesMax about that much memory
 */
export const makeSessionGrantTable = (bytesMax: number, nowSeconds: () => number): SessionGrantTable => {
  // Oldest write first.
  const grants = new Map<string, SessionGrant>()
  let bytes = 0
  let evicted = 0

  const remove = (id: string): boolean => {
    const grant = grants.get(id)
    if (grant === undefined) return false
    bytes -= bytesOf(id, grant)
    return grants.delete(id)
  }

  const dropEnded = (): void => {
    for (const [id, { endsAtSeconds }] of grants) if (endsAtSeconds <= nowSeconds()) remove(id)
  }

  /** @returns the ids that had to go */
  const insert = (id: string, grant: SessionGrant): readonly string[] => {
    remove(id)
    grants.set(id, grant)
    bytes += bytesOf(id, grant)
    if (bytes > bytesMax) dropEnded()
    const gone: string[] = []
    for (const oldest of grants.keys()) {
      if (bytes <= bytesMax) break
      remove(oldest)
      gone.push(oldest)
    }
    evicted += gone.length
    return gone
  }

  return {
    get: (id) => grants.get(id),
    put: (id, grant) => {
      const gone = insert(id, grant)
      return [
        { kind: 'grant', id, ...grant },
        ...gone.map((one) => ({ kind: 'grant-end', id: one }) as const),
      ]
    },
    drop: (id) => (remove(id) ? [{ kind: 'grant-end', id }] : []),
    evicted: () => evicted,
    bytes: () => bytes,
    apply: (record) => {
      if (record.kind === 'grant') {
        const { kind: _, id, ...grant } = record
        insert(id, grant)
      }
      if (record.kind === 'grant-end') remove(record.id)
    },
    snapshot: () => {
      dropEnded()
      return [...grants].map(([id, grant]) => ({ kind: 'grant', id, ...grant }))
    },
  }
}

const bytesOf = (id: string, grant: SessionGrant): number => {
  const { session, refreshToken, idToken, former } = grant
  return FIXED_BYTES + id.length + session.length + refreshToken.length + idToken.length + former.length
}

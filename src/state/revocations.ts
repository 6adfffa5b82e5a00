// Ends sessions and tokens before their time. Bounded, and what does not fit is folded into something wider, never
// forgotten: a full table ends more than was asked, not less.
import {
  applyRevocation,
  dropEnded,
  isRevoked,
  makeRevocationEntries,
  remainingRevocations,
  tablesOf,
  type Entry,
  type Revocable,
  type RevocationEntries,
} from './revocation-entries.ts'
import type { Owner, StateRecord } from './state-record.ts'

export interface RevocationLimits {
  /** Entries by credential, by subject and by provider session, each. */
  readonly entriesMax: number
  /** How long an entry by credential is needed: the absolute limit of a session. */
  readonly keepSeconds: number
  /** How long an entry that ends bearer tokens is needed: none may live longer. */
  readonly keepBearerSeconds: number
}

/** Each change returns the records to write down; it is in force at once, written or not. */
export interface RevocationTable {
  /** Never throws. */
  readonly check: (credential: Revocable) => 'live' | 'revoked'
  /** Rises with every revocation by subject or of all, over restarts too; sealed into each session at minting. */
  readonly number: () => number
  readonly revokeCredential: (id: string, owner: Owner | undefined) => readonly StateRecord[]
  readonly revokeSubject: (owner: Owner) => readonly StateRecord[]
  readonly revokeProviderSession: (source: string, providerSession: string) => readonly StateRecord[]
  readonly revokeAll: () => readonly StateRecord[]
  /** Takes over what was written down earlier; records of other tables are passed by. */
  readonly apply: (record: StateRecord) => void
  /** All that is still needed. */
  readonly snapshot: () => readonly StateRecord[]
}

/**
 * Makes an empty table.
 * @param nowSeconds the wall clock: numbers start from it, so that they rise even where nothing was kept
 * @param steadySeconds the same without its leaps ahead: an entry that a leap had ended would be missing, and what it
 *   ended alive again, once the clock is set right
 */
export const makeRevocationTable = (
  limits: RevocationLimits,
  nowSeconds: () => number,
  steadySeconds: () => number = nowSeconds,
): RevocationTable => {
  const entries = makeRevocationEntries(Math.floor(nowSeconds()))
  const newRecord = makeRecords(entries, limits, nowSeconds)
  const applied = (record: StateRecord): readonly StateRecord[] => {
    applyRevocation(entries, record)
    return [record, ...makeRoom(entries, limits.entriesMax, steadySeconds(), newRecord)]
  }
  return {
    check: (credential) => {
      // A session may come from a state that counted further: the next revocation has to end it too.
      if (credential.number !== undefined && credential.number > entries.number) {
        entries.number = credential.number
      }
      return isRevoked(entries, credential) ? 'revoked' : 'live'
    },
    number: () => entries.number,
    revokeCredential: (id, owner) => applied(newRecord.credential(id, owner)),
    revokeSubject: (owner) => applied(newRecord.subject(owner, nowSeconds())),
    revokeProviderSession: (source, sid) => applied(newRecord.providerSession(source, sid)),
    revokeAll: () => applied(newRecord.all()),
    apply: (record) => applyRevocation(entries, record),
    snapshot: () => remainingRevocations(entries, steadySeconds()),
  }
}

interface NewRecord {
  readonly credential: (id: string, owner: Owner | undefined) => StateRecord
  readonly subject: (owner: Owner, bearerUntilSeconds: number | undefined) => Entry<'subject'>
  readonly providerSession: (source: string, providerSession: string) => StateRecord
  readonly all: () => StateRecord
}

const makeRecords = (
  entries: RevocationEntries,
  limits: RevocationLimits,
  nowSeconds: () => number,
): NewRecord => {
  const nextNumber = (): number => Math.max(entries.number + 1, Math.floor(nowSeconds()))
  const endOf = (isBearer: boolean): number =>
    nowSeconds() + (isBearer ? Math.max(limits.keepBearerSeconds, limits.keepSeconds) : limits.keepSeconds)
  return {
    credential: (id, owner) => ({
      kind: 'credential',
      id,
      owner,
      atSeconds: nowSeconds(),
      endsAtSeconds: endOf(isBearerId(id)),
    }),
    subject: (owner, bearerUntilSeconds) => ({
      kind: 'subject',
      owner,
      number: nextNumber(),
      bearerUntilSeconds,
      endsAtSeconds: endOf(true),
    }),
    providerSession: (source, providerSession) => ({
      kind: 'provider-session',
      source,
      providerSession,
      number: nextNumber(),
      endsAtSeconds: endOf(false),
    }),
    all: () => ({ kind: 'all', number: nextNumber(), bearerUntilSeconds: nowSeconds() }),
  }
}

/** Folds the oldest entries into wider ones until every table is within its limit. */
const makeRoom = (
  entries: RevocationEntries,
  entriesMax: number,
  nowSeconds: number,
  newRecord: NewRecord,
): readonly StateRecord[] => {
  const isFull = (): boolean => tablesOf(entries).some((table) => table.size > entriesMax)
  if (!isFull()) return []
  dropEnded(entries, nowSeconds)
  const made: StateRecord[] = []
  const fold = (record: StateRecord): void => {
    applyRevocation(entries, record)
    made.push(record)
  }
  for (const { id, owner, atSeconds } of entries.credentials.values()) {
    if (entries.credentials.size <= entriesMax || owner === undefined) break
    fold(newRecord.subject(owner, isBearerId(id) ? atSeconds : undefined))
    fold({ kind: 'folded', id })
  }
  // INVARIANT: what nobody can be named for is never dropped; it ends everybody instead, which is loud.
  if (isFull()) fold(newRecord.all())
  return made
}

/** `source|jti`; session ids are base64url. */
const isBearerId = (id: string): boolean => id.includes('|')

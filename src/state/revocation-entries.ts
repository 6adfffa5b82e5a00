// The entries behind revocations: what is over, by credential, by subject, by provider session, or all. Only looks up
// and takes over; what has to be made room for is decided next door.
import type { Owner, StateRecord } from './state-record.ts'

/** What of a credential a revocation may name. */
export interface Revocable {
  readonly id: string | undefined
  readonly source: string
  readonly subject: string
  readonly providerSession: string | undefined
  /** The number when a session was minted; undefined for a bearer token. */
  readonly number: number | undefined
  readonly issuedAtSeconds: number | undefined
}

export type Entry<K extends StateRecord['kind']> = Extract<StateRecord, { kind: K }>

/** Mutable tables, each with the oldest entry first. */
export interface RevocationEntries {
  readonly credentials: Map<string, Entry<'credential'>>
  /** Credentials of which only the id is known. */
  readonly ownerless: Map<string, Entry<'credential'>>
  readonly subjects: Map<string, Entry<'subject'>>
  readonly providerSessions: Map<string, Entry<'provider-session'>>
  all: Entry<'all'> | undefined
  /** Highest number that was given out or seen. */
  number: number
}

/** @param number to start from; the clock gives one that is higher than any before it */
export const makeRevocationEntries = (number: number): RevocationEntries => ({
  credentials: new Map(),
  ownerless: new Map(),
  subjects: new Map(),
  providerSessions: new Map(),
  all: undefined,
  number,
})

/** Clocks of issuers may be behind by this much. */
const SKEW_SECONDS = 60

/** Tells whether some entry ends a credential. Never throws. */
export const isRevoked = (entries: RevocationEntries, credential: Revocable): boolean => {
  const { id } = credential
  if (id !== undefined && (entries.credentials.has(id) || entries.ownerless.has(id))) return true
  if (entries.all !== undefined && covers(entries.all, credential)) return true
  if (entries.subjects.size > 0) {
    const entry = entries.subjects.get(ownerKey(credential))
    if (entry !== undefined && covers(entry, credential)) return true
  }
  return entries.providerSessions.size > 0 && isProviderSessionOver(entries, credential)
}

/**
 * What stands for the provider session of a subject's sessions that know none. No `sid` of a logout token is equal to
 * it, for none has a control byte.
 */
export const unnamedSessionOf = (subject: string): string => `\0${subject}`

const isProviderSessionOver = (entries: RevocationEntries, credential: Revocable): boolean => {
  const { source, subject, providerSession = unnamedSessionOf(subject), number } = credential
  // A bearer token belongs to no session of a provider.
  if (number === undefined) return false
  const entry = entries.providerSessions.get(ownerKey({ source, subject: providerSession }))
  return entry !== undefined && number < entry.number
}

const covers = (entry: Entry<'all'> | Entry<'subject'>, credential: Revocable): boolean => {
  if (credential.number !== undefined) return credential.number < entry.number
  if (entry.bearerUntilSeconds === undefined) return false
  const { issuedAtSeconds } = credential
  return issuedAtSeconds === undefined || issuedAtSeconds <= entry.bearerUntilSeconds + SKEW_SECONDS
}

/** Puts a record in force; records of other tables are passed by. Never throws. */
export const applyRevocation = (entries: RevocationEntries, record: StateRecord): void => {
  if ('number' in record) entries.number = Math.max(entries.number, record.number)
  switch (record.kind) {
    case 'credential':
      reinsert(record.owner === undefined ? entries.ownerless : entries.credentials, record.id, record)
      return
    case 'subject': {
      const key = ownerKey(record.owner)
      reinsert(entries.subjects, key, widest(record, entries.subjects.get(key)))
      return
    }
    case 'provider-session': {
      const key = ownerKey({ source: record.source, subject: record.providerSession })
      reinsert(entries.providerSessions, key, record)
      return
    }
    case 'all':
      entries.all = record
      for (const table of tablesOf(entries)) table.clear()
      return
    case 'folded':
      entries.credentials.delete(record.id)
      return
    case 'number':
    case 'last-use':
    case 'mark':
    case 'grant':
    case 'grant-end':
      return
  }
}

/** All entries that have not ended, in an order in which they can be taken over again. */
export const remainingRevocations = (
  entries: RevocationEntries,
  nowSeconds: number,
): readonly StateRecord[] => {
  dropEnded(entries, nowSeconds)
  const all: readonly StateRecord[] = entries.all === undefined ? [] : [entries.all]
  const number: StateRecord = { kind: 'number', number: entries.number }
  return [...all, number, ...tablesOf(entries).flatMap((table) => [...table.values()])]
}

/** Forgets what has ended: the credentials it named are over by themselves. */
export const dropEnded = (entries: RevocationEntries, nowSeconds: number): void => {
  for (const table of tablesOf(entries)) {
    for (const [key, entry] of table) if (entry.endsAtSeconds <= nowSeconds) table.delete(key)
  }
}

type Table = Map<string, StateRecord & { readonly endsAtSeconds: number }>

export const tablesOf = (entries: RevocationEntries): readonly Table[] => [
  entries.ownerless,
  entries.credentials,
  entries.subjects,
  entries.providerSessions,
]

/** A later entry of one subject may concern sessions alone: the tokens that an earlier one ended stay ended. */
const widest = (later: Entry<'subject'>, earlier: Entry<'subject'> | undefined): Entry<'subject'> =>
  earlier === undefined || later.bearerUntilSeconds !== undefined
    ? later
    : { ...later, bearerUntilSeconds: earlier.bearerUntilSeconds }

const ownerKey = (owner: Owner): string => `${owner.source.length}:${owner.source}${owner.subject}`

const reinsert = <T>(table: Map<string, T>, key: string, entry: T): void => {
  table.delete(key)
  table.set(key, entry)
}

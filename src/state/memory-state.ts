// The state of a single replica: everything in memory, and in a file where one is configured, so that a restart loses
// nothing. A change is in force before it is written; the answer says whether it was written.
import { openJournal, type Journal, type JournalSeal } from './journal.ts'
import { makeLastUseTable, type LastUseTable } from './last-use.ts'
import type { Revocable } from './revocation-entries.ts'
import { makeRevocationTable, type RevocationTable } from './revocations.ts'
import { makeSessionGrantTable, type SessionGrant, type SessionGrantTable } from './session-grants.ts'
import { fromRow, toRow, type Owner, type StateRecord } from './state-record.ts'
import { makeTicketTable, type Tickets } from './tickets.ts'
import { makeUsedMarkTable, type UsedMarks, type UsedMarkTable } from './used-marks.ts'

/** `stored`: `durable` is false where there is no file. `not-stored`: in force, but a restart would forget it. */
export type Revoked =
  | { readonly kind: 'stored'; readonly number: number; readonly durable: boolean }
  | { readonly kind: 'not-stored'; readonly number: number; readonly why: string }

export interface Revocations {
  /** `unknown` is for a state that cannot be reached: memory always knows. Never throws. */
  readonly check: (credential: Revocable) => 'live' | 'revoked' | 'unknown'
  /** Ends one session, or one bearer token as `source|jti`. Name the owner where it is known. */
  readonly revokeCredential: (id: string, owner: Owner | undefined) => Promise<Revoked>
  /** Ends all sessions of a subject and its bearer tokens issued so far. */
  readonly revokeSubject: (owner: Owner) => Promise<Revoked>
  /** Ends what a provider calls one session (`sid`, OIDC Back-Channel Logout §2.1). */
  readonly revokeProviderSession: (source: string, providerSession: string) => Promise<Revoked>
  /** Ends every session and every bearer token issued so far. */
  readonly revokeAll: () => Promise<Revoked>
}

/** What providers gave with sign-ins. */
export interface SessionGrants extends Pick<SessionGrantTable, 'get' | 'evicted' | 'bytes'> {
  /** @returns once it is written down, or why it is not; it is known at once either way. Never rejects. */
  readonly put: (sessionId: string, grant: SessionGrant) => Promise<Written>
  readonly drop: (sessionId: string) => Promise<Written>
}

export interface MemoryState {
  readonly revocations: Revocations
  readonly lastUse: Pick<LastUseTable, 'touch' | 'lastUse' | 'usedSince'>
  readonly usedMarks: UsedMarks
  readonly grants: SessionGrants
  /** In memory alone: a restart ends every ticket, taken or not, so that none works twice. */
  readonly tickets: Tickets
  /** To be sealed into each new session. */
  readonly revocationNumber: () => number
  /** Resolves when all that changed so far is written down, last uses apart, or says why it is not. Never rejects. */
  readonly settled: () => Promise<Written>
  /** Why the last write to the file failed; undefined = it did not, or there is no file. */
  readonly writeFault: () => string | undefined
  /** Writes what is left. Never rejects. */
  readonly close: () => Promise<void>
}

export interface MemoryStateSettings {
  /** `seal` has a purpose of its own, e.g. `state`. */
  readonly file: { readonly path: string; readonly seal: JournalSeal } | undefined
  /** Wall clock, epoch seconds. */
  readonly nowSeconds: () => number
  /** The same without its leaps ahead, see `makeSteadySeconds`; default: the wall clock. */
  readonly steadySeconds?: () => number
  /** Absolute limit of a session: what is known of one is kept for that long. */
  readonly absoluteSeconds: number
  /** Calls `run` again and again. @returns what stops it; must not keep the process alive by itself */
  readonly every: (intervalMs: number, run: () => void) => () => void
  /** Told when something could not be written in the background. */
  readonly onFault: (why: string) => void
  readonly limits?: Partial<MemoryLimits>
}

export interface MemoryLimits {
  readonly revocationsMax: number
  readonly lastUsesMax: number
  readonly marksMax: number
  readonly grantBytesMax: number
  readonly compactFromBytes: number
}

export type MemoryStateOpening =
  | { readonly kind: 'opened'; readonly state: MemoryState; readonly notice: string | undefined }
  | { readonly kind: 'refused'; readonly why: string }

const DEFAULT_LIMITS: MemoryLimits = {
  revocationsMax: 100_000,
  lastUsesMax: 200_000,
  marksMax: 200_000,
  grantBytesMax: 64 << 20,
  compactFromBytes: 1 << 20,
}

/** No bearer token should live longer; an entry that ends earlier would bring an old one back. */
const KEEP_BEARER_SECONDS = 31 * 86_400
const FLUSH_INTERVAL_MS = 60_000
/** Some thousands of the largest; one lives for half a minute. */
const TICKET_CHARACTERS_MAX = 32 << 20

interface Tables {
  readonly revocations: RevocationTable
  readonly lastUse: LastUseTable
  readonly usedMarks: UsedMarkTable
  readonly grants: SessionGrantTable
}

/**
 * Opens the state.
 * @returns `opened`, with a notice for the log where the file had been cut off by a crash; `refused` where the file
 *   cannot be trusted or written: the caller must not start. Never rejects.
 */
export const openMemoryState = async (settings: MemoryStateSettings): Promise<MemoryStateOpening> => {
  const limits = { ...DEFAULT_LIMITS, ...settings.limits }
  let write: Write = () => Promise.resolve({ kind: 'memory' })
  const writeLate = async (record: StateRecord): Promise<void> => {
    const result = await write([record])
    if (result.kind === 'failed') settings.onFault(result.why)
  }
  const tables = makeTables(settings, limits, (record) => void writeLate(record))
  if (settings.file === undefined) {
    return { kind: 'opened', notice: undefined, state: makeState(tables, () => write, settings, undefined) }
  }
  const opening = await openJournal({
    ...settings.file,
    compactFromBytes: limits.compactFromBytes,
    accept: (row) => accept(row, tables),
    snapshot: () => snapshot(tables).map(toRow),
  })
  if (opening.kind === 'refused') return opening
  const { journal, notice } = opening
  write = (records) => journal.append(records.map(toRow))
  return { kind: 'opened', notice, state: makeState(tables, () => write, settings, journal) }
}

type Write = (records: readonly StateRecord[]) => Promise<Written>
export type Written =
  | { readonly kind: 'durable' | 'memory' }
  | { readonly kind: 'failed'; readonly why: string }

const makeTables = (
  settings: MemoryStateSettings,
  limits: MemoryLimits,
  onBurnt: (record: StateRecord) => void,
): Tables => {
  const { nowSeconds, absoluteSeconds } = settings
  const { steadySeconds = nowSeconds } = settings
  return {
    revocations: makeRevocationTable(
      {
        entriesMax: limits.revocationsMax,
        keepSeconds: absoluteSeconds,
        keepBearerSeconds: KEEP_BEARER_SECONDS,
      },
      nowSeconds,
      steadySeconds,
    ),
    lastUse: makeLastUseTable(
      { entriesMax: limits.lastUsesMax, keepSeconds: absoluteSeconds },
      nowSeconds,
      steadySeconds,
    ),
    usedMarks: makeUsedMarkTable(limits.marksMax, nowSeconds, steadySeconds, onBurnt),
    grants: makeSessionGrantTable(limits.grantBytesMax, steadySeconds),
  }
}

const accept = (row: unknown, tables: Tables): boolean => {
  const record = fromRow(row)
  if (record === undefined) return false
  tables.revocations.apply(record)
  tables.lastUse.apply(record)
  tables.usedMarks.apply(record)
  tables.grants.apply(record)
  return true
}

const snapshot = (tables: Tables): readonly StateRecord[] => [
  ...tables.revocations.snapshot(),
  ...tables.lastUse.snapshot(),
  ...tables.usedMarks.snapshot(),
  ...tables.grants.snapshot(),
]

const makeState = (
  tables: Tables,
  write: () => Write,
  settings: MemoryStateSettings,
  journal: Journal | undefined,
): MemoryState => {
  const flush = async (): Promise<void> => {
    const changed = tables.lastUse.takeChanged()
    const result: Written = changed.length === 0 ? { kind: 'memory' } : await write()(changed)
    if (result.kind === 'failed') settings.onFault(result.why)
  }
  const stop = settings.every(FLUSH_INTERVAL_MS, () => void flush())
  return {
    revocations: makeRevocations(tables.revocations, write),
    lastUse: tables.lastUse,
    usedMarks: tables.usedMarks,
    grants: makeGrants(tables.grants, write),
    tickets: makeTicketTable(TICKET_CHARACTERS_MAX, settings.nowSeconds),
    revocationNumber: tables.revocations.number,
    settled: () => write()([]),
    writeFault: () => journal?.fault(),
    close: async () => {
      stop()
      await flush()
      await journal?.close()
    },
  }
}

const makeGrants = (table: SessionGrantTable, write: () => Write): SessionGrants => {
  const written = (records: readonly StateRecord[]): Promise<Written> =>
    records.length === 0 ? Promise.resolve({ kind: 'memory' }) : write()(records)
  return {
    get: table.get,
    evicted: table.evicted,
    bytes: table.bytes,
    put: (id, grant) => written(table.put(id, grant)),
    drop: (id) => written(table.drop(id)),
  }
}

const makeRevocations = (table: RevocationTable, write: () => Write): Revocations => {
  const stored = async (records: readonly StateRecord[]): Promise<Revoked> => {
    const number = table.number()
    const result = await write()(records)
    if (result.kind === 'failed') return { kind: 'not-stored', number, why: result.why }
    return { kind: 'stored', number, durable: result.kind === 'durable' }
  }
  return {
    check: table.check,
    revokeCredential: (id, owner) => stored(table.revokeCredential(id, owner)),
    revokeSubject: (owner) => stored(table.revokeSubject(owner)),
    revokeProviderSession: (source, sid) => stored(table.revokeProviderSession(source, sid)),
    revokeAll: () => stored(table.revokeAll()),
  }
}

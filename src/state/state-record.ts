// What the state file remembers, one row for each fact, and how a row is read back. A row of another shape is a fault
// of the file, never something to skip: a skipped row could be a revocation.

export type StateRecord =
  | {
      readonly kind: 'credential'
      /** Session id, or `source|jti` of a bearer token. */
      readonly id: string
      /** Undefined where a revocation named the id alone. */
      readonly owner: Owner | undefined
      readonly atSeconds: number
      readonly endsAtSeconds: number
    }
  | {
      readonly kind: 'subject'
      readonly owner: Owner
      /** Sessions minted under a lower number are over. */
      readonly number: number
      /** Bearer tokens issued up to then are over; undefined where only sessions were meant. */
      readonly bearerUntilSeconds: number | undefined
      readonly endsAtSeconds: number
    }
  | {
      readonly kind: 'provider-session'
      readonly source: string
      readonly providerSession: string
      readonly number: number
      readonly endsAtSeconds: number
    }
  | { readonly kind: 'all'; readonly number: number; readonly bearerUntilSeconds: number }
  /** A credential's entry that went into one of its subject. */
  | { readonly kind: 'folded'; readonly id: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'last-use'; readonly id: string; readonly atSeconds: number }
  | { readonly kind: 'mark'; readonly id: string; readonly endsAtSeconds: number }
  | {
      readonly kind: 'grant'
      /** Session id. */
      readonly id: string
      readonly learnedAtSeconds: number
      readonly endsAtSeconds: number
      /** Empty = none, as the next three. */
      readonly session: string
      readonly refreshToken: string
      readonly idToken: string
      readonly former: string
    }
  | { readonly kind: 'grant-end'; readonly id: string }

/** Whose a credential is: a subject is unique only together with its source. */
export interface Owner {
  readonly source: string
  readonly subject: string
}

export type Row = readonly (string | number)[]

/** The row of a record: short, positional, JSON-safe. */
export const toRow = (record: StateRecord): Row => {
  switch (record.kind) {
    case 'credential': {
      const { id, owner, atSeconds, endsAtSeconds } = record
      const named = owner === undefined ? [] : [owner.source, owner.subject]
      return ['c', id, atSeconds, endsAtSeconds, ...named]
    }
    case 'subject': {
      const { owner, number, bearerUntilSeconds, endsAtSeconds } = record
      return ['s', owner.source, owner.subject, number, endsAtSeconds, ...optional(bearerUntilSeconds)]
    }
    case 'provider-session':
      return ['p', record.source, record.providerSession, record.number, record.endsAtSeconds]
    case 'all':
      return ['a', record.number, record.bearerUntilSeconds]
    case 'folded':
      return ['f', record.id]
    case 'number':
      return ['n', record.number]
    case 'last-use':
      return ['l', record.id, record.atSeconds]
    case 'mark':
      return ['m', record.id, record.endsAtSeconds]
    case 'grant': {
      const { id, learnedAtSeconds, endsAtSeconds, session, refreshToken, idToken, former } = record
      return ['g', id, learnedAtSeconds, endsAtSeconds, session, refreshToken, idToken, former]
    }
    case 'grant-end':
      return ['h', record.id]
  }
}

const optional = (value: number | undefined): Row => (value === undefined ? [] : [value])

/** What each kind of row holds after its letter: s = text, n = number, in the lengths that it may have. */
const SHAPES: Readonly<Record<string, readonly string[]>> = {
  c: ['snn', 'snnss'],
  s: ['ssnn', 'ssnnn'],
  p: ['ssnn'],
  a: ['nn'],
  f: ['s'],
  n: ['n'],
  l: ['sn'],
  m: ['sn'],
  g: ['snnssss'],
  h: ['s'],
}

/**
 * Reads a row back.
 * @param row what a sealed line of the state file held
 * @returns the record, or undefined where it has another shape. Never throws.
 */
export const fromRow = (row: unknown): StateRecord | undefined => {
  if (!isRow(row)) return undefined
  const [letter, ...columns] = row
  const shape = columns.map((one) => (typeof one === 'string' ? 's' : 'n')).join('')
  if (typeof letter !== 'string' || !Object.hasOwn(SHAPES, letter)) return undefined
  return SHAPES[letter]?.includes(shape) === true ? build(letter, columns) : undefined
}

const isRow = (value: unknown): value is Row =>
  Array.isArray(value) &&
  value.every((one) => typeof one === 'string' || (typeof one === 'number' && Number.isFinite(one)))

const build = (letter: string, columns: Row): StateRecord | undefined => {
  const s = (index: number): string => String(columns[index])
  const n = (index: number): number => Number(columns[index])
  switch (letter) {
    case 'c': {
      const owner = columns.length > 3 ? { source: s(3), subject: s(4) } : undefined
      return { kind: 'credential', id: s(0), atSeconds: n(1), endsAtSeconds: n(2), owner }
    }
    case 's': {
      const bearerUntilSeconds = columns.length > 4 ? n(4) : undefined
      const owner = { source: s(0), subject: s(1) }
      return { kind: 'subject', owner, number: n(2), endsAtSeconds: n(3), bearerUntilSeconds }
    }
    case 'p':
      return {
        kind: 'provider-session',
        source: s(0),
        providerSession: s(1),
        number: n(2),
        endsAtSeconds: n(3),
      }
    case 'a':
      return { kind: 'all', number: n(0), bearerUntilSeconds: n(1) }
    case 'f':
      return { kind: 'folded', id: s(0) }
    case 'n':
      return { kind: 'number', number: n(0) }
    case 'l':
      return { kind: 'last-use', id: s(0), atSeconds: n(1) }
    case 'g':
      return {
        kind: 'grant',
        id: s(0),
        learnedAtSeconds: n(1),
        endsAtSeconds: n(2),
        session: s(3),
        refreshToken: s(4),
        idToken: s(5),
        former: s(6),
      }
    case 'h':
      return { kind: 'grant-end', id: s(0) }
    default:
      return { kind: 'mark', id: s(0), endsAtSeconds: n(1) }
  }
}

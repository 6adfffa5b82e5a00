// The session cookie's value: a session sealed for one cookie name on one domain or host. Nothing in it is believed
// before it opened, and what opens but has another shape counts as not opened.
import type { ClaimScalar, ClaimValue, StepUpAttempt } from '../policy/principal.ts'
import { sealedLength, type Seal } from './seal.ts'
import type { Session } from './session.ts'

/** Purpose of the {@link Seal} that sessions are sealed with. */
export const SESSION_PURPOSE = 'session'

/** Longest cookie value: with name and attributes it stays under the 4 096 bytes that browsers keep (RFC 6265bis §5.6). */
export const SESSION_BYTES_MAX = 3800

/** Where a session cookie is valid; a copy under another name or on another host does not open. */
export interface CookieBinding {
  readonly name: string
  /** The cookie's domain, or the host where it is bound to one. */
  readonly boundTo: string
}

export type Sealing =
  | { readonly kind: 'sealed'; readonly value: string }
  | { readonly kind: 'too-large'; readonly bytes: number }

/**
 * Seals a session into a cookie value.
 * @param seal of purpose {@link SESSION_PURPOSE}
 * @returns `sealed`, or `too-large` with the bytes it would have taken; see {@link fitSession}. Never throws.
 */
export const sealSession = (seal: Seal, session: Session, binding: CookieBinding): Sealing => {
  const plain = sessionText(session)
  const bytes = sealedLength(plain)
  if (bytes > SESSION_BYTES_MAX) return { kind: 'too-large', bytes }
  return { kind: 'sealed', value: seal.seal(plain, contextOf(binding)) }
}

/**
 * Opens a cookie value.
 * @param value untrusted
 * @returns the session, or undefined where it does not open under this name, place and key ring. Never throws; says
 *   nothing about whether the session still counts.
 */
export const openSession = (seal: Seal, value: string, binding: CookieBinding): Session | undefined => {
  if (value.length > SESSION_BYTES_MAX) return undefined
  const plain = seal.open(value, contextOf(binding))
  return plain === undefined ? undefined : fromJson(plain)
}

/** Bytes of the cookie value that a session would seal to. */
export const sessionBytes = (session: Session): number => sealedLength(sessionText(session))

/** The session as text, for a place that is sealed as a whole. */
export const sessionText = (session: Session): string => JSON.stringify(toRow(session))

/** Reads {@link sessionText} back; undefined where it has another shape. Never throws. */
export const sessionOfText = (text: string): Session | undefined => fromJson(text)

const contexts = new WeakMap<CookieBinding, readonly string[]>()

/** One array for one binding, which the seal knows again. */
const contextOf = (binding: CookieBinding): readonly string[] => {
  const known = contexts.get(binding)
  if (known !== undefined) return known
  const context = [binding.name, binding.boundTo]
  contexts.set(binding, context)
  return context
}

/** Positions are fixed; another layout is another version of the seal. */
const toRow = (session: Session): readonly unknown[] => [
  session.id,
  session.provider,
  session.subject,
  session.providerSession ?? 0,
  session.authTimeSeconds,
  session.amr,
  session.acr ?? 0,
  session.issuedAtSeconds,
  session.expiresAtSeconds,
  session.revocationNumber,
  session.claims,
  session.captured,
  session.cut,
  session.groupsRevision ?? 0,
  session.emailVerified ? 1 : 0,
  session.stepUp === undefined ? 0 : [session.stepUp.rule, session.stepUp.atSeconds],
  session.learnedAtSeconds,
]

const COLUMNS = 17
/** Of version 0.1, which did not say when it had learned: such a session is asked about once. */
const COLUMNS_WITHOUT_LEARNED = 16

const fromJson = (plain: string): Session | undefined => {
  try {
    const row: unknown = JSON.parse(plain)
    const isRow = Array.isArray(row) && (row.length === COLUMNS || row.length === COLUMNS_WITHOUT_LEARNED)
    return isRow ? fromRow(row) : undefined
  } catch {
    return undefined
  }
}

/** Throws within {@link fromJson}'s guard where a column has another type. */
const fromRow = (row: readonly unknown[]): Session => ({
  id: text(row[0]),
  provider: text(row[1]),
  subject: text(row[2]),
  providerSession: optional(row[3], text),
  authTimeSeconds: finite(row[4]),
  amr: texts(row[5]),
  acr: optional(row[6], text),
  issuedAtSeconds: finite(row[7]),
  expiresAtSeconds: finite(row[8]),
  revocationNumber: finite(row[9]),
  claims: claims(row[10]),
  captured: texts(row[11]),
  cut: texts(row[12]),
  groupsRevision: optional(row[13], text),
  emailVerified: flag(row[14]),
  stepUp: optional(row[15], stepUp),
  learnedAtSeconds: row.length === COLUMNS_WITHOUT_LEARNED ? 0 : finite(row[16]),
})

const misshapen = (): never => {
  throw new TypeError('a column of another type')
}

const text = (value: unknown): string => (typeof value === 'string' ? value : misshapen())

const finite = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : misshapen()

const flag = (value: unknown): boolean => (value === 0 || value === 1 ? value === 1 : misshapen())

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === 0 ? undefined : read(value)

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(text) : misshapen())

const stepUp = (value: unknown): StepUpAttempt =>
  Array.isArray(value) && value.length === 2
    ? { rule: text(value[0]), atSeconds: finite(value[1]) }
    : misshapen()

/** Without a prototype, so that a claim named `__proto__` or `constructor` is a claim like any other. */
const claims = (value: unknown): Readonly<Record<string, ClaimValue>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return misshapen()
  const found: Record<string, ClaimValue> = Object.create(null)
  for (const [name, one] of Object.entries(value)) {
    found[name] = Array.isArray(one) ? one.map(scalar) : scalar(one)
  }
  return found
}

const scalar = (value: unknown): ClaimScalar =>
  typeof value === 'string' || typeof value === 'boolean' ? value : finite(value)

// One sign-in under way. It lives sealed in the `state` parameter, not in a cookie of its own: ten tabs sign in at once
// and nothing piles up. One small cookie binds all of them to the browser.
import { SKEW_SECONDS } from '../identity/clock-skew.ts'
import type { Seal } from '../identity/seal.ts'

/** How long a sign-in may take. */
export const TRANSACTION_SECONDS = 600

export type Purpose =
  | { readonly kind: 'interactive' }
  /** Silent, for claims that the session did not capture. */
  | { readonly kind: 'reauth' }
  /** Silent, to learn who comes while the old control still decides; nobody is asked for anything. */
  | { readonly kind: 'invite' }
  /** For a rule that wants a stronger or newer sign-in. */
  | { readonly kind: 'step-up'; readonly rule: string }

/** False where the provider must not ask anybody: that way is redirects alone. */
export const mayShowForm = ({ kind }: Purpose): boolean => kind === 'interactive' || kind === 'step-up'

export interface Transaction {
  /** Used up once. */
  readonly id: string
  /** Value of the binding cookie of the browser that started it. */
  readonly binding: string
  readonly provider: string
  readonly nonce: string
  readonly verifier: string
  /** Absolute URL of the way back, validated when it was sealed and again when it is used; empty = the default. */
  readonly returnTo: string
  /** Mapped claim names that were asked for: captured at the end, whatever the policies read by then. */
  readonly asked: readonly string[]
  readonly purpose: Purpose
  readonly createdAtSeconds: number
}

export type OpenedTransaction =
  | { readonly kind: 'open'; readonly transaction: Transaction }
  | { readonly kind: 'expired'; readonly transaction: Transaction }
  | { readonly kind: 'unreadable' }

const CONTEXT: readonly string[] = ['state']

/** Seals a transaction into a `state` value. */
export const sealTransaction = (seal: Seal, transaction: Transaction): string =>
  seal.seal(
    JSON.stringify([
      transaction.id,
      transaction.binding,
      transaction.provider,
      transaction.nonce,
      transaction.verifier,
      transaction.returnTo,
      transaction.asked,
      transaction.purpose.kind,
      transaction.purpose.kind === 'step-up' ? transaction.purpose.rule : '',
      transaction.createdAtSeconds,
    ]),
    CONTEXT,
  )

/**
 * Opens a `state` value.
 * @param text untrusted
 * @returns the transaction, whether it is still in time, or `unreadable`. Never throws.
 */
export const openTransaction = (seal: Seal, text: string, nowSeconds: number): OpenedTransaction => {
  const plain = seal.open(text, CONTEXT)
  const transaction = plain === undefined ? undefined : fromJson(plain)
  if (transaction === undefined) return { kind: 'unreadable' }
  const age = nowSeconds - transaction.createdAtSeconds
  return age > TRANSACTION_SECONDS || age < -SKEW_SECONDS
    ? { kind: 'expired', transaction }
    : { kind: 'open', transaction }
}

/** It opened, so we sealed it; another version of ourselves may still have written another shape. */
const fromJson = (plain: string): Transaction | undefined => {
  try {
    const row: unknown = JSON.parse(plain)
    return Array.isArray(row) && row.length === 10 ? fromRow(row) : undefined
  } catch {
    return undefined
  }
}

const fromRow = (row: readonly unknown[]): Transaction | undefined => {
  const [id, binding, provider, nonce, verifier, returnTo, asked, kind, rule, createdAtSeconds] = row
  const texts = [id, binding, provider, nonce, verifier, returnTo, rule].filter(
    (one) => typeof one === 'string',
  )
  const purpose = purposeOf(kind, rule)
  const names = Array.isArray(asked) ? asked.filter((name) => typeof name === 'string') : []
  if (texts.length !== 7 || purpose === undefined || typeof createdAtSeconds !== 'number') return undefined
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    id: text(id),
    binding: text(binding),
    provider: text(provider),
    nonce: text(nonce),
    verifier: text(verifier),
    returnTo: text(returnTo),
    asked: names,
    purpose,
    createdAtSeconds,
  }
}

const purposeOf = (kind: unknown, rule: unknown): Purpose | undefined => {
  if (kind === 'interactive' || kind === 'reauth' || kind === 'invite') return { kind }
  return kind === 'step-up' && typeof rule === 'string' ? { kind, rule } : undefined
}

// A verified sign-in → the session that goes into the cookie. Always a new id; nothing of an earlier session is kept.
import type { Session } from '../identity/session.ts'
import type { ProviderSource } from '../identity/source.ts'
import { ownValue, type JsonObject } from '../identity/strict-json.ts'
import { takeClaims } from './session-claims.ts'
import type { Transaction } from './transaction.ts'

export interface SignedIn {
  readonly source: ProviderSource
  readonly transaction: Transaction
  readonly subject: string
  readonly idToken: JsonObject
  readonly userInfo: JsonObject | undefined
  /** Names that the policies read now; with those that were asked for at the start they are what is captured. */
  readonly readSet: readonly string[]
  readonly revocationNumber: number
  readonly absoluteSeconds: number
  readonly nowSeconds: number
  readonly id: string
}

/** The names that a sign-in captures: asked for at its start, or read by a policy at its end. */
export const capturedNames = (transaction: Transaction, readSet: readonly string[]): readonly string[] =>
  [...new Set([...transaction.asked, ...readSet])].toSorted()

/** Makes the session. Pure; never throws. */
export const newSession = (signedIn: SignedIn): Session => {
  const { source, transaction, idToken, userInfo, nowSeconds } = signedIn
  const captured = capturedNames(transaction, signedIn.readSet)
  const { claims, cut, emailVerified } = takeClaims(idToken, userInfo, source.claims, captured)
  return {
    id: signedIn.id,
    provider: source.id,
    subject: signedIn.subject,
    providerSession: textOf(idToken, 'sid'),
    authTimeSeconds: authTimeOf(idToken, nowSeconds),
    amr: textsOf(idToken, 'amr'),
    acr: textOf(idToken, 'acr'),
    issuedAtSeconds: nowSeconds,
    learnedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + signedIn.absoluteSeconds,
    revocationNumber: signedIn.revocationNumber,
    claims,
    captured,
    cut,
    groupsRevision: undefined,
    emailVerified,
    stepUp:
      transaction.purpose.kind === 'step-up'
        ? { rule: transaction.purpose.rule, atSeconds: nowSeconds }
        : undefined,
  }
}

/** 0 where the provider does not say, so that no rule takes an unknown age for a young one; never in the future. */
const authTimeOf = (idToken: JsonObject, nowSeconds: number): number => {
  const value = ownValue(idToken, 'auth_time')
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.max(0, Math.min(Math.floor(value), nowSeconds))
    : 0
}

const MAX_TEXT_LENGTH = 256

const textOf = (set: JsonObject, name: string): string | undefined => {
  const value = ownValue(set, name)
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : undefined
}

const textsOf = (set: JsonObject, name: string): readonly string[] => {
  const value = ownValue(set, name)
  return Array.isArray(value)
    ? value.filter((one) => typeof one === 'string' && one.length <= MAX_TEXT_LENGTH).slice(0, 16)
    : []
}

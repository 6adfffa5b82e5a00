// The digest of all that verification reads of a request: the part of a decision's cache key that stands for secrets.
import { hash } from 'node:crypto'
import type { Carried } from './carried.ts'
import { cookieValues } from './cookie-header.ts'
import { tupleText } from './tuple-text.ts'

/**
 * Digests what a caller carries.
 * @param carried untrusted
 * @param cookieNames the session cookie's names; other cookies do not count
 * @returns SHA-256 in base64url; equal for two requests only where verification would read the same of both.
 *   Never throws.
 */
export const credentialDigest = (carried: Carried, cookieNames: readonly string[]): string => {
  const parts: (string | undefined)[] = [carried.authorization, carried.proxyAuthorization, carried.apiKey]
  for (const name of cookieNames) {
    const values = cookieValues(carried.cookies, name)
    parts.push(String(values.length), ...values)
  }
  return hash('sha256', tupleText(parts), 'base64url')
}

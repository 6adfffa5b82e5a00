// The digest of all that verification reads of a request: the part of a decision's cache key that stands for secrets.
import { hash } from 'node:crypto'
import type { Carried } from './carried.ts'
import { cookieValues } from './cookie-header.ts'
import { makeTextMemo } from './text-memo.ts'
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

/** Lines of ten thousand browsers; a browser sends the same one again and again. */
const REMEMBERED_BYTES = 8 * 1024 * 1024
/** Of a sealed value: version and key id are the same for all, the nonce behind them is not. */
const TELLING_CHARACTERS = 40

/**
 * Makes the digest for one set of names. A caller that carries one `Cookie` line and nothing else, as browsers do, is
 * looked up by that line.
 * @returns `credentialDigest`, remembered
 */
export const makeCredentialDigest = (cookieNames: readonly string[]): ((carried: Carried) => string) => {
  const start = `${cookieNames[0] ?? ''}=`
  const ofLine = makeTextMemo(
    (line) =>
      credentialDigest(
        { authorization: undefined, proxyAuthorization: undefined, apiKey: undefined, cookies: [line] },
        cookieNames,
      ),
    REMEMBERED_BYTES,
    (line) => {
      const at = line.indexOf(start)
      return at < 0 ? '' : line.slice(at, at + start.length + TELLING_CHARACTERS)
    },
  )
  return (carried) => {
    const [line] = carried.cookies
    const isLineAll =
      line !== undefined &&
      carried.cookies.length === 1 &&
      carried.authorization === undefined &&
      carried.proxyAuthorization === undefined &&
      carried.apiKey === undefined
    return isLineAll ? ofLine(line) : credentialDigest(carried, cookieNames)
  }
}

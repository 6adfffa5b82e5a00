// What openid-client leaves to us of the checks of an ID token (OIDC Core §3.1.3.7).
import { isCleanText } from '../identity/claims.ts'
import { ownValue, type JsonObject } from '../identity/strict-json.ts'

/** An ID token whose signature, issuer, audience and times the library has checked. */
export interface CheckedIdToken extends JsonObject {
  readonly sub: string
  readonly exp: number
  readonly iat: number
}

/**
 * Tells why an ID token is not believed all the same.
 * @returns a stable code, or undefined where it is. Never throws.
 */
export const idTokenFault = (idToken: CheckedIdToken, clientId: string): string | undefined => {
  if (idToken.sub === '' || !isCleanText(idToken.sub)) return 'no_usable_subject'
  // JSON may spell a number that is none; the library compares it, and infinity is later than every clock.
  if (!Number.isFinite(idToken.exp) || !Number.isFinite(idToken.iat)) return 'time_not_finite'
  const party = ownValue(idToken, 'azp')
  return party === undefined || party === clientId ? undefined : 'another_authorized_party'
}

// Code → verified claims, through openid-client: state, iss, nonce, PKCE, signature, issuer, audience and times are its
// checks. Access tokens end here; what outlives the sign-in goes into the state alone. None is ever logged.
import { authorizationCodeGrant, fetchUserInfo, type Configuration } from 'openid-client'
import type { ClaimMapping } from '../identity/source.ts'
import type { JsonObject } from '../identity/strict-json.ts'
import { idTokenFault } from './id-token.ts'
import { faultOf, type ProviderFault } from './provider-fault.ts'
import { lacksClaims } from './session-claims.ts'
import type { Transaction } from './transaction.ts'
import type { Pair } from './web.ts'

export interface Redeeming {
  readonly client: Configuration
  readonly transaction: Transaction
  /** The registered callback address, without query. */
  readonly callback: string
  /** Parameters of the callback, untrusted; no deciding one is there twice. */
  readonly query: readonly Pair[]
  /** The `state` that was sealed for this transaction. */
  readonly state: string
  readonly mapping: ClaimMapping
  /** Mapped names that the session is to capture. */
  readonly wanted: readonly string[]
}

export type Redeemed =
  | {
      readonly kind: 'redeemed'
      readonly subject: string
      readonly idToken: JsonObject
      readonly userInfo: JsonObject | undefined
      /** Empty where the provider gave none. */
      readonly refreshToken: string
      /** To sign out with (OIDC RP-Initiated Logout §2, `id_token_hint`). */
      readonly idTokenHint: string
    }
  | { readonly kind: 'fault'; readonly fault: ProviderFault }

/**
 * Redeems the code of a callback.
 * @returns the claims of the ID token, and those of UserInfo where the token leaves wanted ones out; else the fault.
 *   UserInfo that cannot be had is a fault: a claim that was not asked about must not pass for absent. Never rejects.
 */
export const redeem = async (redeeming: Redeeming): Promise<Redeemed> => {
  const { client, transaction, mapping, wanted } = redeeming
  const url = new URL(redeeming.callback)
  for (const [name, value] of redeeming.query) url.searchParams.append(name, value)
  try {
    // `max_age` is not checked here: an answer that is not fresh enough is a session whose rule goes on missing.
    const tokens = await authorizationCodeGrant(client, url, {
      expectedState: redeeming.state,
      expectedNonce: transaction.nonce,
      pkceCodeVerifier: transaction.verifier,
      idTokenExpected: true,
    })
    const idToken = tokens.claims()
    const fault =
      idToken === undefined ? 'no_id_token' : idTokenFault(idToken, client.clientMetadata().client_id)
    if (idToken === undefined || fault !== undefined)
      return { kind: 'fault', fault: { kind: 'refused', why: fault ?? 'no_id_token' } }
    const asks =
      client.serverMetadata().userinfo_endpoint !== undefined && lacksClaims(idToken, mapping, wanted)
    const userInfo = asks ? await fetchUserInfo(client, tokens.access_token, idToken.sub) : undefined
    return {
      kind: 'redeemed',
      subject: idToken.sub,
      idToken,
      userInfo,
      refreshToken: tokens.refresh_token ?? '',
      idTokenHint: tokens.id_token ?? '',
    }
  } catch (error) {
    return { kind: 'fault', fault: faultOf(error) }
  }
}

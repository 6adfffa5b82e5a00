// A refresh token → what the provider says of this person now (OIDC Core §12). The same checks as at sign-in: signature,
// issuer, audience and times are openid-client's; the subject must be the one that signed in.
import { fetchUserInfo, refreshTokenGrant, type Configuration } from 'openid-client'
import type { ClaimMapping } from '../identity/source.ts'
import type { JsonObject } from '../identity/strict-json.ts'
import { idTokenFault } from './id-token.ts'
import { faultOf, whyOf } from './provider-fault.ts'
import { lacksClaims, takeClaims, type SessionClaims } from './session-claims.ts'

export interface Learning {
  readonly client: Configuration
  readonly refreshToken: string
  /** Of the session that is learned anew. */
  readonly subject: string
  readonly mapping: ClaimMapping
  /** Mapped names that the session is to hold. */
  readonly wanted: readonly string[]
}

export type Learned =
  | {
      readonly kind: 'learned'
      readonly claims: SessionClaims
      /** The token to use next: the new one, or the same where none came (RFC 6749 §6). */
      readonly refreshToken: string
      /** Undefined where none came. */
      readonly idToken: string | undefined
    }
  /** The provider, or what it sent, says that this session is over. */
  | { readonly kind: 'over'; readonly why: string }
  /** It cannot be said for now. */
  | { readonly kind: 'failed'; readonly why: string; readonly isUnreachable: boolean }

/** Redeems a refresh token. Never rejects. */
export const learnAnew = async (learning: Learning): Promise<Learned> => {
  const { client, subject } = learning
  try {
    const tokens = await refreshTokenGrant(client, learning.refreshToken)
    const idToken = tokens.claims()
    if (idToken !== undefined) {
      if (idToken.sub !== subject) return { kind: 'over', why: 'another_subject' }
      const fault = idTokenFault(idToken, client.clientMetadata().client_id)
      if (fault !== undefined) return { kind: 'failed', why: fault, isUnreachable: false }
    }
    const userInfo = await askUserInfo(learning, tokens.access_token, idToken)
    if (idToken === undefined && userInfo === undefined)
      return { kind: 'failed', why: 'nothing_was_said', isUnreachable: false }
    return {
      kind: 'learned',
      claims: takeClaims(idToken ?? {}, userInfo, learning.mapping, learning.wanted),
      refreshToken: tokens.refresh_token ?? learning.refreshToken,
      idToken: tokens.id_token,
    }
  } catch (error) {
    return failure(error)
  }
}

const askUserInfo = async (
  { client, subject, mapping, wanted }: Learning,
  accessToken: string,
  idToken: JsonObject | undefined,
): Promise<JsonObject | undefined> => {
  const isAsked =
    client.serverMetadata().userinfo_endpoint !== undefined &&
    (idToken === undefined || lacksClaims(idToken, mapping, wanted))
  return isAsked ? fetchUserInfo(client, accessToken, subject) : undefined
}

/** Answers by which a provider says that the token is used up, withdrawn, or of somebody who is gone (RFC 6749 §5.2). */
const FINAL: ReadonlySet<string> = new Set(['invalid_grant'])

const failure = (error: unknown): Learned => {
  const fault = faultOf(error)
  const why = whyOf(fault)
  return FINAL.has(why)
    ? { kind: 'over', why }
    : { kind: 'failed', why, isUnreachable: fault.kind === 'unavailable' }
}

// A refresh token → what the provider says of this person now (OIDC Core §12). The same checks as at sign-in: signature,
// issuer, audience and times are openid-client's; the subject must be the one that signed in.
import { customFetch, fetchUserInfo, refreshTokenGrant, type Configuration } from 'openid-client'
import type { ClaimMapping } from '../identity/source.ts'
import { isObject, ownValue, type JsonObject } from '../identity/strict-json.ts'
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
  /** The provider wants to see the person. */
  | { readonly kind: 'asks'; readonly why: string }
  /** It cannot be said for now. */
  | {
      readonly kind: 'failed'
      readonly why: string
      readonly isUnreachable: boolean
      /** The token to use next: it may have been turned over before something else failed. */
      readonly refreshToken: string
    }

/** Redeems a refresh token. @param client for this one use: it is listened to. Never rejects. */
export const learnAnew = async (learning: Learning): Promise<Learned> => {
  const { client, subject } = learning
  const next = listenForToken(client, learning.refreshToken)
  const failed = (why: string, isUnreachable: boolean): Learned => ({
    kind: 'failed',
    why,
    isUnreachable,
    refreshToken: next(),
  })
  try {
    const tokens = await refreshTokenGrant(client, learning.refreshToken)
    const idToken = tokens.claims()
    if (idToken !== undefined && idToken.sub !== subject) return { kind: 'over', why: 'another_subject' }
    const fault = idToken === undefined ? undefined : idTokenFault(idToken, client.clientMetadata().client_id)
    if (fault !== undefined) return failed(fault, false)
    const userInfo = await askUserInfo(learning, tokens.access_token, idToken)
    if (idToken === undefined && userInfo === undefined) return failed('nothing_was_said', false)
    return {
      kind: 'learned',
      claims: takeClaims(idToken ?? {}, userInfo, learning.mapping, learning.wanted),
      refreshToken: next(),
      idToken: tokens.id_token,
    }
  } catch (error) {
    const fault = faultOf(error)
    const why = whyOf(fault)
    // Said of the token that was sent; one that was just turned over is not meant.
    if (FINAL.has(why) && next() === learning.refreshToken) return { kind: 'over', why }
    return ASKING.has(why) ? { kind: 'asks', why } : failed(why, fault.kind === 'unavailable')
  }
}

/** Answers by which a provider says that the token is used up, withdrawn, or of somebody who is gone (RFC 6749 §5.2). */
const FINAL: ReadonlySet<string> = new Set(['invalid_grant', 'access_denied'])

/** Answers by which it says that only the person can go on (OIDC Core §3.1.2.6), conditional access among them. */
const ASKING: ReadonlySet<string> = new Set([
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
])

/**
 * Hears the refresh token that comes with an answer, whatever the library makes of the rest of it: a provider that turns
 * tokens over has taken the old one by then, and to lose the new one would be to lose the session.
 * @returns the token to use next
 */
const listenForToken = (client: Configuration, sent: string): (() => string) => {
  const { token_endpoint: endpoint } = client.serverMetadata()
  const inner = client[customFetch]
  if (inner === undefined) return () => sent
  let latest = sent
  client[customFetch] = async (url, options) => {
    const response = await inner(url, options)
    if (url === endpoint && response.ok) {
      const body: unknown = await response
        .clone()
        .json()
        .catch(() => undefined)
      const token = isObject(body) ? ownValue(body, 'refresh_token') : undefined
      if (typeof token === 'string' && token !== '') latest = token
    }
    return response
  }
  return () => latest
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

// Cookie renewal: seals a session anew with a time of its own once half of the idle limit has passed, so that a replica that lost the last uses does
// not end a session that was in use. The absolute limit stays where it was.
import type { Config } from '../config/config.ts'
import type { Ruling } from '../decide/ruling.ts'
import { sealSession } from '../identity/session-seal.ts'
import type { Decision } from '../policy/decision.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { setSessionCookie } from '../signin/set-cookie.ts'
import type { IdentityParts } from './compose-identity.ts'
import { signInSettings } from './compose-sign-in.ts'

/**
 * The `Set-Cookie` of an allow whose session is due; undefined where none is. Never throws.
 * @param exchange the host that it reports is the one that the browser gets the cookie for
 */
export type CookieRenewal = (
  decision: Decision,
  ruling: Ruling | undefined,
  exchange: Pick<Exchange, 'facts' | 'servedFacts'>,
) => string | undefined

/** Makes it. Only a decision that opened the cookie anew renews it: cached ones cost nothing. */
export const makeCookieRenewal = (
  config: Config,
  identity: IdentityParts,
  nowMs: () => number,
): CookieRenewal => {
  const settings = signInSettings(config, identity)
  const dueSeconds = config.session.idleMs / 2000
  return (decision, ruling, { facts, servedFacts }) => {
    const session =
      ruling?.cache === 'miss' && decision.outcome === 'allow' ? ruling.verified?.session : undefined
    // Of two hosts one alone opened the cookie: sealed anew for the other, it would have moved there.
    if (config.session.perHost && servedFacts !== undefined) return undefined
    const nowSeconds = Math.floor(nowMs() / 1000)
    if (session === undefined || nowSeconds - session.issuedAtSeconds < dueSeconds) return undefined
    const sealed = sealSession(
      identity.sessionSeal,
      { ...session, issuedAtSeconds: nowSeconds },
      identity.bindingFor(facts.host),
    )
    if (sealed.kind === 'too-large') return undefined
    return setSessionCookie(settings, sealed.value, Math.floor(session.expiresAtSeconds - nowSeconds))
  }
}

// The status of a challenge and the headers that say it. Whether the proxy or the browser acts on it differs by dialect:
// NGINX takes no redirect, Traefik, Caddy and Envoy hand one on.
import type { Demand } from '../policy/decision.ts'
import type { AnonymousNote } from '../policy/principal.ts'
import type { AnswerInput, AnswerSettings } from './answer.ts'
import { wwwAuthenticate } from './challenge.ts'
import type { Exchange } from './exchange.ts'
import { offersSignIn, signInLocation } from './sign-in-location.ts'

export interface Challenge {
  readonly status: 302 | 303 | 401 | 403
  /** `Location` or `WWW-Authenticate` lines, or both; flat. */
  readonly headers: readonly string[]
  /** Where to sign in, for the page; undefined where this caller is not sent there. */
  readonly signIn: string | undefined
}

/**
 * Words the challenge for one dialect.
 * @returns 302 or 303 where a redirect is proved to be wanted or the operator wants it, 403 for a script where the
 *   operator wants that, else 401. Never throws.
 */
export const challengeOf = (input: AnswerInput, demand: Demand, settings: AnswerSettings): Challenge => {
  const { exchange, route } = input
  if (exchange.manner.script && exchange.options.xhr === 403)
    return { status: 403, headers: [], signIn: undefined }
  const offered = offersSignIn(demand, route?.signin ?? 'none', exchange.manner)
  const signIn = offered ? signInLocation(settings.publicUrl, exchange.target, noteOf(input)) : undefined
  if (signIn !== undefined && redirects(exchange))
    return { status: redirectStatus(exchange), headers: ['Location', signIn], signIn }
  const lines = wwwAuthenticate(demand, exchange.manner.script)
  const headers = lines.flatMap((line) => ['WWW-Authenticate', line])
  if (signIn !== undefined && exchange.dialect === 'nginx') headers.push('Location', signIn)
  return { status: 401, headers, signIn }
}

const noteOf = ({ verified }: AnswerInput): AnonymousNote | undefined =>
  verified?.authentication.kind === 'anonymous' ? verified.authentication.note : undefined

/** By default only on positive proof of a navigation, and never to NGINX, which would make a 500 of it. */
const redirects = ({ dialect, manner, options }: Exchange): boolean => {
  if (options.unauth !== undefined) return options.unauth === 302
  return dialect !== 'nginx' && manner.navigation
}

/** 303 makes the browser come back with GET (RFC 9110 §15.4.4). */
const redirectStatus = ({ facts }: Exchange): 302 | 303 =>
  facts.method === 'GET' || facts.method === 'HEAD' ? 302 : 303

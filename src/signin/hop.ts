// The way from the host of sign-in to the host of an application, where each host has a session cookie of its own: out
// to `leave` there, which gives the browser a nonce, back here, and with a ticket to `land` there.
import { sealSession } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import {
  defaultTarget,
  errorAnswer,
  signInHref,
  unavailableAnswer,
  type Hop,
  type SignInContext,
} from './context.ts'
import { isNonceHash } from './nonce.ts'
import type { ReturnTarget } from './return-to.ts'
import { keepTicket } from './ticket.ts'
import { redirectAnswer, singleOf, type SignInWebAnswer, type SignInWebRequest } from './web.ts'

/** Name of the parameter by which `leave` tells sign-in the hash of its nonce. */
export const NONCE_PARAMETER = 'nonce'

/** The hop to a target; undefined where the cookie of sign-in is the one that counts there. */
const hopTo = (context: SignInContext, target: ReturnTarget): Hop | undefined =>
  target.host === context.publicHost ? undefined : context.hop

const addressThere = (hop: Hop, target: ReturnTarget, path: string, name: string, value: string): string =>
  `${target.scheme}://${target.authority}${hop.prefix}${path}?${name}=${encodeURIComponent(value)}`

/** Where a browser fetches a nonce of the target's host. */
export const leaveHref = (hop: Hop, target: ReturnTarget): string =>
  addressThere(hop, target, '/leave', 'rd', target.url)

/**
 * Where a browser goes on that has just signed in: straight to its target, or to where the hop begins.
 * @param target validated; undefined = the default
 */
export const onwardHref = (context: SignInContext, target: ReturnTarget | undefined): string => {
  if (target === undefined) return defaultTarget(context)
  const hop = hopTo(context, target)
  return hop === undefined ? target.url : leaveHref(hop, target)
}

/** True where the browser has a nonce to fetch before it can be sent back. */
export const mustLeaveFirst = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
): boolean => hopTo(context, target) !== undefined && !isNonceHash(singleOf(request.query, NONCE_PARAMETER))

/**
 * Sends back who may pass.
 * @param session of this browser; undefined = nobody, who needs none to pass
 * @returns a redirect to the target, or to a station of the hop; never a session by itself
 */
export const sendBack = async (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
  session: Session | undefined,
): Promise<SignInWebAnswer> => {
  const hop = hopTo(context, target)
  if (hop === undefined || session === undefined) return redirectAnswer(target.url)
  const nonceHash = singleOf(request.query, NONCE_PARAMETER)
  if (!isNonceHash(nonceHash)) return redirectAnswer(leaveHref(hop, target))
  const sealing = sealSession(context.deps.sessionSeal, session, context.bindingOn(target.host))
  if (sealing.kind === 'too-large') return errorAnswer(context, request, 500, 'PST-1009')
  const id = context.deps.randomId()
  const isKept = await keepTicket(hop.tickets, id, {
    host: target.host,
    nonceHash,
    returnTo: target.url,
    cookie: sealing.value,
    expiresAtSeconds: session.expiresAtSeconds,
  })
  return isKept
    ? redirectAnswer(addressThere(hop, target, '/land', 'ticket', id))
    : unavailableAnswer(context, request, 'PST-1013', signInHref(context, target))
}

/** True for a way back to our own paths on the host of an application: its proxy asks about them, and must not. */
export const isMisrouted = (context: SignInContext, values: readonly string[]): boolean => {
  const read = context.hop?.readAnyPath(values)
  return read?.kind === 'ok' && read.host !== context.publicHost && context.returnTo(values).kind !== 'ok'
}

/** The host that a request names, where it is one of an application. */
export const appHostOf = (context: SignInContext, request: SignInWebRequest): HostName | undefined => {
  const host = normalizeHost(request.headers.get('host') ?? '')
  return host !== undefined && context.deps.isRouteHost(host) ? host : undefined
}

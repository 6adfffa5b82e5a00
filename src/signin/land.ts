// `<prefix>/land?ticket=…` on the host of an application: the one place that sets a session there. A ticket that is not
// this browser's, not this host's and port's, late, altered or used never becomes a session; whatever it was, it is used up.
import { normalizeHost } from '../policy/host-pattern.ts'
import {
  errorAnswer,
  signInHref,
  signInRequired,
  unavailableAnswer,
  nowSeconds,
  type Hop,
  type SignInContext,
} from './context.ts'
import { leaveHref } from './hop.ts'
import { hashOfNonce, noncesOf } from './nonce.ts'
import type { ErrorCode } from './page.ts'
import { isAtPortOf, type ReturnTarget } from './return-to.ts'
import { setSessionCookie } from './set-cookie.ts'
import { takeTicket, type Ticket } from './ticket.ts'
import {
  isNavigation,
  methodNotAllowed,
  redirectAnswer,
  singleOf,
  type SignInHandler,
  type SignInWebAnswer,
  type SignInWebRequest,
} from './web.ts'

const TICKET_ID = /^[A-Za-z0-9_-]{22,64}$/

/** A landing whose ticket the state had. */
interface Landing {
  readonly context: SignInContext
  readonly hop: Hop
  readonly request: SignInWebRequest
  /** Still good as a way back, and on the host that is asked; undefined otherwise. */
  readonly target: ReturnTarget | undefined
}

/** Makes the handler of `land`. */
export const makeLandHandler =
  (context: SignInContext, hop: Hop): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET') return methodNotAllowed('GET')
    // An image or a script neither lands nor uses a ticket up.
    if (!isNavigation(request)) return signInRequired(context, request, undefined)
    const id = singleOf(request.query, 'ticket')
    if (id === undefined || !TICKET_ID.test(id))
      return refuse({ context, hop, request, target: undefined }, 'PST-1030')
    const found = await takeTicket(hop.tickets, id)
    switch (found.kind) {
      case 'unreachable':
        return unavailableAnswer(context, request, 'PST-1013', undefined)
      case 'unknown':
        return refuse({ context, hop, request, target: undefined }, 'PST-1030')
      case 'again':
        return goOnOr(
          { context, hop, request, target: targetOf(context, request, found.returnTo) },
          'PST-1030',
        )
      case 'taken':
        return land(
          { context, hop, request, target: targetOf(context, request, found.ticket.returnTo) },
          found.ticket,
        )
    }
  }

/** Routes may have changed since: validated once more, and only for the host that is asked. */
const targetOf = (
  context: SignInContext,
  request: SignInWebRequest,
  returnTo: string,
): ReturnTarget | undefined => {
  const read = context.returnTo([returnTo])
  const asked = request.headers.get('host') ?? ''
  return read.kind === 'ok' && read.host === normalizeHost(asked) && isAtPortOf(read, asked)
    ? read
    : undefined
}

const land = async (landing: Landing, ticket: Ticket): Promise<SignInWebAnswer> => {
  const { context, request, target } = landing
  if (target === undefined || target.host !== ticket.host) return refuse(landing, 'PST-1032')
  const { settings } = context.deps
  const nonces = noncesOf(settings, request.cookies)
  if (!nonces.some((nonce) => hashOfNonce(nonce) === ticket.nonceHash))
    return nonces.length === 0 ? goOnOr(landing, 'PST-1031') : goOnOr(landing, 'leave-again')
  // By the law that decisions follow: what ended since the ticket was made does not come back by it.
  const standing = await context.deps.readSession([`${settings.cookie.name}=${ticket.cookie}`], ticket.host)
  switch (standing.kind) {
    case 'unavailable':
      return unavailableAnswer(context, request, 'PST-1013', leaveHref(landing.hop, target))
    case 'none':
      return refuse(landing, 'PST-1033')
    case 'session': {
      const leftSeconds = Math.floor(ticket.expiresAtSeconds - nowSeconds(context))
      return redirectAnswer(target.url, [
        ['set-cookie', setSessionCookie(settings, ticket.cookie, leftSeconds)],
      ])
    }
  }
}

/**
 * A tab that comes late finds its browser signed in on this host already: it just goes on. One that left beside others,
 * each with the first nonce of this browser, leaves once more with the one that stayed.
 */
const goOnOr = async (landing: Landing, otherwise: ErrorCode | 'leave-again'): Promise<SignInWebAnswer> => {
  const { context, request, target, hop } = landing
  if (target === undefined) return refuse(landing, otherwise === 'leave-again' ? 'PST-1031' : otherwise)
  const current = await context.deps.readSession(request.cookies, target.host)
  switch (current.kind) {
    case 'session':
      return redirectAnswer(target.url)
    case 'unavailable':
      return unavailableAnswer(context, request, 'PST-1013', leaveHref(hop, target))
    case 'none':
      return otherwise === 'leave-again' ? redirectAnswer(leaveHref(hop, target)) : refuse(landing, otherwise)
  }
}

/** 403 with a way to start again; never a session. */
const refuse = ({ context, hop, request, target }: Landing, code: ErrorCode): SignInWebAnswer => {
  context.deps.onEvent({ kind: 'login-failed', provider: undefined, code, why: code })
  const tryAgainHref = target === undefined ? signInHref(context, undefined) : leaveHref(hop, target)
  return errorAnswer(context, request, 403, code, { tryAgainHref })
}

// `<prefix>/leave?rd=…` on the host of an application: gives the browser the nonce of that host and sends it to sign-in
// with the nonce's hash. It gives nothing else, and decides nothing.
import { normalizeHost } from '../policy/host-pattern.ts'
import { errorAnswer, signInHref, signInRequired, type SignInContext } from './context.ts'
import { NONCE_PARAMETER } from './hop.ts'
import { hashOfNonce, noncesOf, setNonceCookie } from './nonce.ts'
import type { ReturnTarget } from './return-to.ts'
import {
  isNavigation,
  methodNotAllowed,
  redirectAnswer,
  valuesOf,
  type SignInHandler,
  type SignInWebAnswer,
} from './web.ts'

/** Makes the handler of `leave`. */
export const makeLeaveHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const read = context.returnTo(valuesOf(request.query, 'rd'))
    const target = read.kind === 'ok' ? read : undefined
    if (!isNavigation(request)) return signInRequired(context, request, target)
    if (target === undefined) return redirectAnswer(signInHref(context, target))
    const host = normalizeHost(request.headers.get('host') ?? '')
    // The cookie would be for another host than the one that the ticket is for: nobody would ever arrive.
    if (host !== target.host)
      return errorAnswer(context, request, 500, 'PST-1032', {
        seen: [
          ['Host that the proxy passed on', host ?? 'none'],
          ['Application', target.host],
        ],
      })
    const [nonce] = noncesOf(context.deps.settings, request.cookies)
    return nonce === undefined ? leaveWithNew(context, target) : redirectAnswer(wayIn(context, target, nonce))
  }

/** Tabs that leave at once share what is there already, and none sets it anew: two would overwrite each other for ever. */
const leaveWithNew = (context: SignInContext, target: ReturnTarget): SignInWebAnswer => {
  const nonce = context.deps.randomId()
  return redirectAnswer(wayIn(context, target, nonce), [
    ['set-cookie', setNonceCookie(context.deps.settings, nonce)],
  ])
}

const wayIn = (context: SignInContext, target: ReturnTarget, nonce: string): string =>
  signInHref(context, target, [NONCE_PARAMETER, hashOfNonce(nonce)])

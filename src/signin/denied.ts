// `/denied`: the page behind a 403, for proxies that can show one. It changes nothing and gives nothing: it walks the
// request once more with this browser's own credentials and says in words what is missing.
import type { SignInContext } from './context.ts'
import { errorAnswer, signInHref, signInRequired } from './context.ts'
import { deniedPage } from './target-pages.ts'
import {
  isNavigation,
  pageAnswer,
  redirectAnswer,
  singleOf,
  valuesOf,
  type SignInHandler,
  type SignInWebRequest,
} from './web.ts'

/** Makes the handler of `/denied`. The proxy asks with the headers that it asked the decision with, or with `rd`. */
export const makeDeniedHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    const target = context.returnTo(targetOf(request))
    if (target.kind !== 'ok') return errorAnswer(context, request, 403, 'PST-1018')
    // A proxy asks with the cookies of the application's host, a browser comes with those of ours.
    const cookieHost = isAskedByProxy(request) ? target.host : context.publicHost
    const judged = await context.deps.decideFor(target, request.cookies, methodOf(request), cookieHost)
    if (judged.decision.outcome !== 'deny')
      return isNavigation(request)
        ? redirectAnswer(signInHref(context, target))
        : signInRequired(context, request, target)
    const decisionId = decisionOf(request) ?? judged.decisionId
    return pageAnswer(request, 403, deniedPage(context, target, { ...judged, decisionId }))
  }

const targetOf = (request: SignInWebRequest): readonly string[] =>
  isAskedByProxy(request) ? [request.headers.get('x-original-url') ?? ''] : valuesOf(request.query, 'rd')

const isAskedByProxy = (request: SignInWebRequest): boolean =>
  valuesOf(request.query, 'rd').length === 0 && request.headers.has('x-original-url')

/** What was refused may have been a write: a page about a GET would tell another story. */
const methodOf = (request: SignInWebRequest): string => {
  const method = request.headers.get('x-original-method') ?? singleOf(request.query, 'method')
  return method !== undefined && /^[A-Z]{1,20}$/.test(method) ? method : 'GET'
}

/** The id in the log of the refusal itself, where the proxy hands it on. */
const decisionOf = (request: SignInWebRequest): string | undefined => {
  const id = request.headers.get('x-postern-decision') ?? singleOf(request.query, 'id')
  return id !== undefined && /^[0-9A-Z]{10,40}$/.test(id) ? id : undefined
}

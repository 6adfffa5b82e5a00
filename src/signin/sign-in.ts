// `/sign-in?rd=…`: the target of every challenge. It decides the way back itself and does what is missing.
import { bindingsOf } from './binding-cookie.ts'
import { circleAnswer } from './circle.ts'
import {
  defaultTarget,
  errorAnswer,
  signInHref,
  signInRequired,
  unavailableAnswer,
  type SignInContext,
} from './context.ts'
import type { Judged } from './deps.ts'
import { isMisrouted, mustLeaveFirst, sendBack } from './hop.ts'
import type { ReturnTarget } from './return-to.ts'
import { chooseOrAsk, decideSignIn, interactive, type SignInStep, type Wish } from './sign-in-decides.ts'
import { startSignIn } from './start.ts'
import { appOf, choosePage, deniedPage } from './target-pages.ts'
import {
  isNavigation,
  methodNotAllowed,
  pageAnswer,
  redirectAnswer,
  singleOf,
  valuesOf,
  type SignInHandler,
  type SignInWebAnswer,
  type SignInWebRequest,
} from './web.ts'

/** Makes the handler of `/sign-in`. */
export const makeSignInHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const read = context.returnTo(valuesOf(request.query, 'rd'))
    const target = read.kind === 'ok' ? read : undefined
    if (!isNavigation(request)) return signInRequired(context, request, target)
    if (isMisrouted(context, valuesOf(request.query, 'rd')))
      return errorAnswer(context, request, 500, 'PST-1032')
    const wish: Wish = {
      provider: singleOf(request.query, 'provider'),
      otherAccount: singleOf(request.query, 'prompt') === 'select_account',
      choose: singleOf(request.query, 'prompt') === 'choose',
    }
    return target === undefined
      ? signInToNowhere(context, request, wish)
      : signInTo(context, request, target, wish)
  }

const signInToNowhere = async (
  context: SignInContext,
  request: SignInWebRequest,
  wish: Wish,
): Promise<SignInWebAnswer> => {
  const current = await context.deps.readSession(request.cookies)
  if (current.kind === 'unavailable')
    return unavailableAnswer(context, request, 'PST-1013', signInHref(context, undefined))
  const isSignedIn = current.kind === 'session'
  if (isSignedIn && !wish.otherAccount && !wish.choose) return redirectAnswer(defaultTarget(context))
  const ask = interactive(wish.otherAccount ? 'select_account' : undefined)
  const step = chooseOrAsk([...context.providers.keys()], wish, ask)
  return take({ context, request, step, otherAccount: wish.otherAccount || isSignedIn })
}

const signInTo = async (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
  wish: Wish,
): Promise<SignInWebAnswer> => {
  const judged = await context.deps.decideFor(target, request.cookies)
  const app = appOf(target, judged)
  const step = decideSignIn(judged, wish)
  const comesBack = step.kind === 'back' || step.kind === 'ask'
  if (needsCookie(step, judged) && !context.cookieReaches(target.host))
    return errorAnswer(context, request, 500, 'PST-1012', { app })
  const browser = browserOf(context, request, judged)
  const circling = browser.find((one) => context.rounds.isCircle(one, target.url))
  if (comesBack && !wish.otherAccount && circling !== undefined)
    return circleAnswer(context, request, target, judged, context.rounds.isNews(circling, target.url))
  const [known] = browser
  if (step.kind === 'back' && known !== undefined && !mustLeaveFirst(context, request, target))
    context.rounds.note(known, target.url)
  const otherAccount = wish.otherAccount || (wish.choose && judged.session !== undefined)
  return take({ context, request, step, target, judged, otherAccount })
}

/** True where the person is to come back with a session: by a sign-in, or with the one that is there. */
const needsCookie = ({ kind }: SignInStep, judged: Judged): boolean =>
  kind === 'ask' || kind === 'choose' || (kind === 'back' && judged.session !== undefined)

interface Taking {
  readonly context: SignInContext
  readonly request: SignInWebRequest
  readonly step: SignInStep
  readonly target?: ReturnTarget
  readonly judged?: Judged
  /** Whoever is signed in wants to be somebody else. */
  readonly otherAccount: boolean
}

const take = async (taking: Taking): Promise<SignInWebAnswer> => {
  const { context, request, step, target, judged } = taking
  const app = target === undefined ? undefined : appOf(target, judged)
  switch (step.kind) {
    case 'back':
      return target === undefined
        ? redirectAnswer(defaultTarget(context))
        : sendBack(context, request, target, judged?.session)
    case 'ask': {
      const provider = context.providers.get(step.provider)
      if (provider === undefined) return errorAnswer(context, request, 500, 'PST-1015', { app })
      return startSignIn(context, request, provider, target, step.ask)
    }
    case 'choose':
      return pageAnswer(
        request,
        200,
        choosePage(context, request, step.providers, target, app, taking.otherAccount),
      )
    case 'denied':
      return target === undefined || judged === undefined
        ? errorAnswer(context, request, 500, 'PST-1019')
        : pageAnswer(request, 403, deniedPage(context, target, judged))
    case 'no-session':
      return app === undefined
        ? errorAnswer(context, request, 500, 'PST-1019')
        : pageAnswer(request, 403, { name: 'no-session-accepted', app, accepts: step.accepts })
    case 'no-provider':
      return errorAnswer(context, request, 500, 'PST-1015', { app })
    case 'indeterminate':
      return unavailableAnswer(context, request, 'PST-1014', signInHref(context, target))
  }
}

/** What this browser is known by, to notice a circle; the first is what a return is counted under. */
const browserOf = (context: SignInContext, request: SignInWebRequest, judged: Judged): readonly string[] => [
  ...bindingsOf(context.deps.settings, request.cookies),
  ...(judged.session === undefined ? [] : [judged.session.id]),
]

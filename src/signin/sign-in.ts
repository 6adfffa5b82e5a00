// `/sign-in?rd=…`: the target of every challenge. It decides the way back itself and does what is missing.
import { bindingsOf } from './binding-cookie.ts'
import type { CurrentSession, Judged } from './deps.ts'
import {
  defaultTarget,
  errorAnswer,
  providerLabel,
  signedInAs,
  signInHref,
  unavailableAnswer,
  type SignInContext,
} from './context.ts'
import type { AskingApp, Page } from './page.ts'
import type { ReturnTarget } from './return-to.ts'
import { chooseOrAsk, decideSignIn, interactive, type SignInStep, type Wish } from './sign-in-decides.ts'
import { startSignIn } from './start.ts'
import {
  isNavigation,
  methodNotAllowed,
  pageAnswer,
  redirectAnswer,
  singleOf,
  valuesOf,
  type Pair,
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
    const wish: Wish = {
      provider: singleOf(request.query, 'provider'),
      otherAccount: singleOf(request.query, 'prompt') === 'select_account',
    }
    return target === undefined
      ? signInToNowhere(context, request, wish)
      : signInTo(context, request, target, wish)
  }

/** An image, a frame, a script: it gets an answer that it can read, and starts nothing (RFC 9110 §15.5.2). */
const signInRequired = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget | undefined,
): SignInWebAnswer =>
  pageAnswer(request, 401, { name: 'not-signed-in', signInHref: signInHref(context, target) }, [
    ['www-authenticate', 'Session realm="postern"'],
  ])

const signInToNowhere = async (
  context: SignInContext,
  request: SignInWebRequest,
  wish: Wish,
): Promise<SignInWebAnswer> => {
  const current: CurrentSession = wish.otherAccount
    ? { kind: 'none' }
    : await context.deps.readSession(request.cookies)
  if (current.kind === 'unavailable')
    return unavailableAnswer(context, request, 'PST-1013', signInHref(context, undefined))
  if (current.kind === 'session') return redirectAnswer(defaultTarget(context))
  const ask = interactive(wish.otherAccount ? 'select_account' : undefined)
  const step = chooseOrAsk([...context.providers.keys()], wish, ask)
  return take(context, request, step, undefined, undefined)
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
  const needsCookie = step.kind === 'ask' || judged.session !== undefined
  if (comesBack && needsCookie && !context.cookieReaches(target.host))
    return errorAnswer(context, request, 500, 'PST-1012', { app })
  const browser = browserOf(context, request, judged)
  if (
    comesBack &&
    !wish.otherAccount &&
    browser !== undefined &&
    context.rounds.isCircle(browser, target.url)
  )
    return circle(context, request, target, judged)
  if (step.kind === 'back' && browser !== undefined) context.rounds.note(browser, target.url)
  return take(context, request, step, target, judged)
}

const take = async (
  context: SignInContext,
  request: SignInWebRequest,
  step: SignInStep,
  target: ReturnTarget | undefined,
  judged: Judged | undefined,
): Promise<SignInWebAnswer> => {
  const app = target === undefined ? undefined : appOf(target, judged)
  switch (step.kind) {
    case 'back':
      return redirectAnswer(target?.url ?? defaultTarget(context))
    case 'ask': {
      const provider = context.providers.get(step.provider)
      if (provider === undefined) return errorAnswer(context, request, 500, 'PST-1015', { app })
      return startSignIn(context, request, provider, target, step.ask)
    }
    case 'choose':
      return pageAnswer(request, 200, choosePage(context, request, step.providers, target, app))
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

/** The application that asks, for a page. */
const appOf = (target: ReturnTarget, judged: Judged | undefined): AskingApp => ({
  route: judged?.decision.route,
  host: target.host,
  owner: judged?.owner,
})

const browserOf = (context: SignInContext, request: SignInWebRequest, judged: Judged): string | undefined =>
  bindingsOf(context.deps.settings, request.cookies)[0] ?? judged.session?.id

const choosePage = (
  context: SignInContext,
  request: SignInWebRequest,
  providers: readonly string[],
  target: ReturnTarget | undefined,
  app: AskingApp | undefined,
): Page => {
  const kept: readonly Pair[] =
    singleOf(request.query, 'prompt') === 'select_account' ? [['prompt', 'select_account']] : []
  return {
    name: 'choose',
    app,
    providers: providers.map((id) => ({
      label: providerLabel(context, id),
      href: signInHref(context, target, ['provider', id], ...kept),
    })),
  }
}

/** Why this person does not get in, told by the very walk that refused. */
export const deniedPage = (context: SignInContext, target: ReturnTarget, judged: Judged): Page => {
  const as = judged.session === undefined ? undefined : signedInAs(context, judged.session)
  const app = appOf(target, judged)
  return {
    name: 'denied',
    app,
    as,
    reason: judged.decision.reason,
    rule: judged.decision.rule,
    rules: judged.rules,
    decisionId: judged.decisionId,
    atMs: context.deps.nowMs(),
    otherAccountHref: signInHref(context, target, ['prompt', 'select_account']),
    requestAccessHref: requestAccessHref(context, app, judged),
    signOutHref: context.href('/sign-out'),
  }
}

/** A letter with what the owner needs to know; the person sends it, not we (RFC 6068 §2). */
const requestAccessHref = (context: SignInContext, app: AskingApp, judged: Judged): string | undefined => {
  const contact = context.deps.settings.accessContact
  if (contact === undefined) return undefined
  const who = judged.session === undefined ? 'nobody' : `${judged.session.provider}|${judged.session.subject}`
  const subject = `Access to ${app.host}`
  const body = [
    `Application: ${app.route ?? 'unknown'} (${app.host})`,
    `Account: ${who}`,
    `Decision: ${judged.decisionId}`,
  ].join('\r\n')
  return `mailto:${contact}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`
}

const circle = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
  judged: Judged,
): SignInWebAnswer => {
  const { cookie } = context.deps.settings
  const sent = request.cookies.some((line) => line.includes(`${cookie.name}=`))
  return errorAnswer(context, request, 508, 'PST-1011', {
    app: appOf(target, judged),
    tryAgainHref: target.url,
    seen: [
      ['Session cookie sent to sign-in', sent ? 'yes' : 'no'],
      ['Session counts at sign-in', judged.session === undefined ? 'no' : 'yes'],
      ['Cookie domain', cookie.domain ?? `${context.origin} only`],
      ['Application', `${target.scheme}://${target.authority}`],
      ['Decision here', judged.decision.reason],
    ],
  })
}

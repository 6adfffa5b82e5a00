// Pages about an application that somebody wants to reach: the chooser of providers, and the refusal.
import { providerLabel, signedInAs, signInHref, type SignInContext } from './context.ts'
import type { Judged } from './deps.ts'
import { lastUsedFirst } from './last-provider.ts'
import type { AskingApp, Page } from './page.ts'
import type { ReturnTarget } from './return-to.ts'
import type { Pair, SignInWebRequest } from './web.ts'

/** The application that asks, for a page. */
export const appOf = (target: ReturnTarget, judged: Judged | undefined): AskingApp => ({
  route: judged?.decision.route,
  host: target.host,
  owner: judged?.owner,
})

/**
 * The chooser: the provider that this browser used last stands first.
 * @param otherAccount true where whoever is signed in already wants to be somebody else
 */
export const choosePage = (
  context: SignInContext,
  request: SignInWebRequest,
  choice: readonly string[],
  target: ReturnTarget | undefined,
  app: AskingApp | undefined,
  otherAccount: boolean,
): Page => {
  const kept: readonly Pair[] = otherAccount ? [['prompt', 'select_account']] : []
  const { providers, last } = lastUsedFirst(context.deps.settings, choice, request.cookies)
  return {
    name: 'choose',
    app,
    providers: providers.map((id) => ({
      label: providerLabel(context, id),
      href: signInHref(context, target, ['provider', id], ...kept),
      isLast: id === last,
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

// Pages about an application that somebody wants to reach: the chooser of providers, and the refusal.
import { accessLetterHref } from './access-letter.ts'
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
  const { session } = judged
  const as = session === undefined ? undefined : signedInAs(context, session)
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
    requestAccessHref: accessLetterHref(context.deps.settings.accessContact, {
      app,
      decisionId: judged.decisionId,
      who: session && { source: session.provider, subject: session.subject },
    }),
    signOutHref: context.href('/sign-out'),
  }
}

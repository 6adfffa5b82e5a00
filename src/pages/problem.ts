// The twin of each page for programs: application/problem+json (RFC 9457). Same facts, no markup.
import type { Page } from '../signin/page.ts'
import { CIRCLE, WORDS } from './catalogue.ts'
import { deniedSentences } from './denied.ts'
import { errorText } from './error-codes.ts'

/** A problem document; members beyond RFC 9457 §3.1 are extensions. */
export type Problem = Readonly<Record<string, unknown>> & {
  readonly type: string
  readonly title: string
  readonly status: number
}

/**
 * The problem document of a page.
 * @param page what a person would have read
 * @param status of the answer
 */
export const problemOf = (page: Page, status: number): Problem => ({
  type: 'about:blank',
  status,
  ...contentOf(page),
})

const contentOf = (page: Page): Readonly<Record<string, unknown>> & { readonly title: string } => {
  switch (page.name) {
    case 'denied':
      return {
        title: WORDS.denied.title(page.app.host),
        detail: deniedSentences(page).join(' '),
        reason: page.reason,
        route: page.app.route,
        decision: page.decisionId,
        time: new Date(page.atMs).toISOString(),
      }
    case 'error':
      return {
        title: errorText(page.code).title,
        detail: `${errorText(page.code).what} ${errorText(page.code).mend}`,
        code: page.code,
        retryAfterSeconds: page.retryAfterSeconds,
        time: new Date(page.atMs).toISOString(),
      }
    case 'circle':
      return {
        title: errorText('PST-1011').title,
        detail: `${CIRCLE.cause[page.cause]} ${CIRCLE.next[page.cause]}`,
        code: 'PST-1011',
        cause: page.cause,
        seen: page.evidence,
        time: new Date(page.atMs).toISOString(),
      }
    case 'no-session-accepted':
      return {
        title: WORDS.noSession.title(page.app.host),
        accepts: page.accepts,
        route: page.app.route,
      }
    case 'not-signed-in':
      return { title: WORDS.notSignedIn.title, signIn: page.signInHref }
    case 'choose':
      return { title: WORDS.choose.title(page.app?.host), detail: WORDS.choose.plain }
    case 'sign-out':
      return { title: WORDS.signOutPage.title }
    case 'signed-out':
      return { title: WORDS.signedOut.title, ended: page.ended }
    case 'me':
      return { title: WORDS.me.title }
    case 'hop':
      return { title: WORDS.hop.title }
  }
}

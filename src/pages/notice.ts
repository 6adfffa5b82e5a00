// Pages that stand in the way: errors with a code, an address that takes no session, and the hop onward.
import type { Page } from '../signin/page.ts'
import { appName } from './account.ts'
import { WORDS } from './catalogue.ts'
import { errorText } from './error-codes.ts'
import { deed, deeds, documentOf, facts, instant } from './layout.ts'
import { markup } from './markup.ts'

type PageOf<Name extends Page['name']> = Extract<Page, { name: Name }>

/** What happened, what to do, and the code to quote. */
export const errorHtml = (page: PageOf<'error'>): string => {
  const text = errorText(page.code)
  const retry = page.retryAfterSeconds
  return documentOf({
    title: text.title,
    body: markup`<p>${text.what}</p>
      <p>${text.mend}${retry === undefined ? undefined : ` ${WORDS.error.retry(retry)}`}</p>
      ${facts([
        [WORDS.code, markup`<code>${page.code}</code>`],
        [WORDS.app, page.app === undefined ? undefined : appName(page.app)],
        [WORDS.owner, page.app?.owner],
        [WORDS.time, instant(page.atMs)],
      ])}
      ${
        page.seen.length === 0
          ? undefined
          : markup`<h2>${WORDS.error.seen}</h2>
              ${facts(page.seen)}`
      }
      ${page.tryAgainHref === undefined ? undefined : deeds([deed(page.tryAgainHref, WORDS.tryAgain, true)])}`,
  })
}

/** An address for programs: no sign-in would open it. */
export const noSessionHtml = (page: PageOf<'no-session-accepted'>): string =>
  documentOf({
    title: WORDS.noSession.title(page.app.host),
    body: markup`${
      page.accepts.length === 0
        ? markup`<p>${WORDS.noSession.nothing}</p>`
        : markup`<p>${WORDS.noSession.what}</p>
            <ul>
              ${page.accepts.map((kind) => markup`<li>${WORDS.credential(kind)}</li>`)}
            </ul>`
    }
    ${facts([
      [WORDS.route, page.app.route],
      [WORDS.owner, page.app.owner],
    ])}`,
  })

/** Goes on by itself, and by a button: a browser does not follow `Location` under a 401 (RFC 9110 §10.2.2). */
export const hopHtml = (page: PageOf<'hop'>): string =>
  documentOf({
    title: WORDS.hop.title,
    head: markup`<meta http-equiv="refresh" content="0; url=${page.to}" />`,
    body: markup`<p>${WORDS.hop.what}</p>
      ${deeds([deed(page.to, WORDS.goOn, true)])}`,
  })

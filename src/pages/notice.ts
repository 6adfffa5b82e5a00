// Pages that stand in the way: errors with a code, an address that takes no session, and the hop onward.
import type { Page } from '../signin/page.ts'
import { appName } from './account.ts'
import { WORDS } from './catalogue.ts'
import { errorText } from './error-codes.ts'
import { deed, deeds, documentOf, facts, instant, signInDeed } from './layout.ts'
import { markup, type Markup } from './markup.ts'

type PageOf<Name extends Page['name']> = Extract<Page, { name: Name }>

/** What happened, what to do, and the code to quote. */
export const errorHtml = (page: PageOf<'error'>): string => {
  const text = errorText(page.code)
  const retry = page.retryAfterSeconds
  return documentOf({
    title: text.title,
    script: page.tryAgainHref !== undefined,
    body: markup`<p>${text.what}</p>
      <p>${retry === undefined ? text.mend : timed(text.mend, WORDS.error.retry(retry))}</p>
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
      ${page.tryAgainHref === undefined ? undefined : deeds([signInDeed(page.tryAgainHref, WORDS.tryAgain, true, page.fragmentKey)])}`,
  })
}

/** With the time to wait in place of “a moment”. */
const timed = (mend: string, retry: string): string =>
  mend.includes(SOON) ? mend.replace(SOON, retry) : `${mend} ${retry}`

const SOON = 'Try again in a moment.'

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
export const hopHtml = (page: PageOf<'hop'>): string => {
  const refresh = markup`<meta http-equiv="refresh" content="0; url=${page.to}" />`
  return documentOf({
    title: WORDS.hop.title,
    // The script leaves by itself, once the fragment is safe; a refresh would outrun it.
    head: page.fragment === undefined ? refresh : markup`<noscript>${refresh}</noscript>`,
    script: page.fragment !== undefined,
    body: markup`<p>${WORDS.hop.what}</p>
      ${deeds([page.fragment === undefined ? deed(page.to, WORDS.goOn, true) : keeping(page.to, page.fragment)])}`,
  })
}

const keeping = (to: string, { deed: what, key }: NonNullable<PageOf<'hop'>['fragment']>): Markup =>
  markup`<a class="deed first" href="${to}" data-fragment="${what}" data-key="${key}">${WORDS.goOn}</a>`

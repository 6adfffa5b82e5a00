// The page that stops a circle: what was seen, what it most likely means, and what to do about it.
import type { CircleEvidence, Page } from '../signin/page.ts'
import { appName } from './account.ts'
import { CIRCLE, WORDS } from './catalogue.ts'
import { errorText } from './error-codes.ts'
import { deed, deeds, documentOf, facts, instant } from './layout.ts'
import { markup, type Markup } from './markup.ts'

type CirclePage = Extract<Page, { name: 'circle' }>

/** Renders it. */
export const circleHtml = (page: CirclePage): string => {
  const text = errorText('PST-1011')
  return documentOf({
    title: text.title,
    script: true,
    body: markup`<p>${text.what}</p>
      <p>${text.mend}</p>
      ${deeds([deed(page.tryAgainHref, WORDS.tryAgain, true)])}
      <h2>${CIRCLE.forOperators}</h2>
      <p>${CIRCLE.cause[page.cause]}</p>
      <p>${CIRCLE.next[page.cause]}</p>
      <h2>${WORDS.error.seen}</h2>
      ${facts(circleFacts(page))} ${byBrowser(page.atMs)}`,
  })
}

/** What was seen, in rows; for the page and, joined, for its twin. */
export const circleFacts = (
  page: CirclePage,
): readonly (readonly [string, string | Markup | undefined])[] => {
  const { evidence } = page
  return [
    [WORDS.code, markup`<code>PST-1011</code>`],
    [WORDS.app, appName(page.app)],
    [WORDS.owner, page.app.owner],
    [CIRCLE.here, hereText(evidence)],
    [CIRCLE.there, thereText(evidence)],
    [CIRCLE.cookie, CIRCLE.cookieOf(evidence.cookieName, evidence.cookieDomain, evidence.publicHost)],
    [CIRCLE.target, evidence.application],
    [CIRCLE.schemeThere, evidence.applicationScheme ?? CIRCLE.notTold],
    [CIRCLE.schemeHere, schemeHere(evidence)],
    ...evidence.clocks.map(
      ({ provider, aheadSeconds }) => [CIRCLE.clock(provider), CIRCLE.clockText(aheadSeconds)] as const,
    ),
    [WORDS.decision, evidence.decision],
    [WORDS.time, instant(page.atMs)],
  ]
}

const hereText = ({ copiesHere, countsHere }: CircleEvidence): string =>
  copiesHere === 0 ? CIRCLE.notSent : CIRCLE.sent(copiesHere, countsHere)

const thereText = ({ atApplication }: CircleEvidence): string =>
  atApplication === undefined ? CIRCLE.nothingThere : CIRCLE.notes[atApplication]

const schemeHere = ({ publicScheme, forwardedScheme }: CircleEvidence): string =>
  forwardedScheme === undefined || forwardedScheme === publicScheme
    ? publicScheme
    : CIRCLE.schemesDiffer(publicScheme, forwardedScheme)

/** What only the browser knows; without script it stays away. */
const byBrowser = (atMs: number): Markup =>
  markup`<dl hidden data-clock="${atMs}" data-yes="${WORDS.yes}" data-no="${WORDS.no}">
    <dt>${CIRCLE.browserScheme}</dt>
    <dd data-say="scheme"></dd>
    <dt>${CIRCLE.browserClock}</dt>
    <dd data-say="clock"></dd>
    <dt>${CIRCLE.browserCookies}</dt>
    <dd data-say="cookies"></dd>
  </dl>`

// The page behind a 403: who you are, what you asked for, what is missing in words, and the ways on.
import type { Page, SignedInAs } from '../signin/page.ts'
import { WORDS } from './catalogue.ts'
import { deed, deeds, documentOf, facts, instant, signInDeed } from './layout.ts'
import { markup, type Markup } from './markup.ts'
import { missingWords } from './missing-words.ts'

type DeniedPage = Extract<Page, { name: 'denied' }>

/** Renders the denied page. */
export const deniedHtml = (page: DeniedPage): string =>
  documentOf({
    title: WORDS.denied.title(page.app.host),
    script: true,
    body: markup`<p>${who(page.as)}</p>
      ${reasons(page)}
      ${facts([
        [WORDS.route, page.app.route],
        [WORDS.owner, page.app.owner],
        [WORDS.decision, markup`<code>${page.decisionId}</code>`],
        [WORDS.time, instant(page.atMs)],
      ])}
      ${deeds(ways(page))}`,
  })

/** The name that a person goes by here; the subject where nothing friendlier was captured. */
export const nameOf = (as: SignedInAs): string => as.label ?? as.subject

const who = (as: SignedInAs | undefined): string =>
  as === undefined ? WORDS.denied.anonymous : WORDS.denied.as(nameOf(as), as.provider)

/** Why, in sentences: for the page and for its twin in problem+json. */
export const deniedSentences = (page: DeniedPage): readonly string[] => {
  if (page.reason === 'DENY_NO_ROUTE') return [WORDS.denied.noRoute]
  if (page.reason === 'DENY_CONDITION_ERROR') return [WORDS.denied.failed]
  const { lines, more } = missingWords(page.rules, page.rule)
  const ended = page.reason === 'DENY_RULE_EXPIRED' || page.reason === 'DENY_LEGACY_RETIRED'
  return [
    ...(ended ? [WORDS.denied.ended] : []),
    ...(lines.length === 0 && !ended ? [WORDS.denied.nothingOpen] : lines),
    ...(more === 0 ? [] : [WORDS.denied.more(more)]),
  ]
}

const reasons = (page: DeniedPage): Markup => {
  const sentences = deniedSentences(page)
  const heading =
    missingWords(page.rules, page.rule).kind === 'refused' ? WORDS.denied.refuses : WORDS.denied.missing
  return markup`<h2>${heading}</h2>
    <ul>
      ${sentences.map((line) => markup`<li>${line}</li>`)}
    </ul>`
}

const ways = (page: DeniedPage): readonly Markup[] => [
  signInDeed(page.otherAccountHref, page.as === undefined ? WORDS.signIn : WORDS.otherAccount, true),
  ...(page.requestAccessHref === undefined ? [] : [deed(page.requestAccessHref, WORDS.requestAccess)]),
  ...(page.as === undefined ? [] : [deed(page.signOutHref, WORDS.signOut)]),
]

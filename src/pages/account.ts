// Pages about the own session: choosing a provider, who am I, signing out.
import type { AskingApp, MeClaim, MeSession, Page, ProviderChoice } from '../signin/page.ts'
import { WORDS } from './catalogue.ts'
import { nameOf } from './denied.ts'
import { deed, deeds, documentOf, facts, instant, signInDeed } from './layout.ts'
import { markup, type Markup } from './markup.ts'

type PageOf<Name extends Page['name']> = Extract<Page, { name: Name }>

const MAX_ROWS = 20
const MAX_VALUE = 400

/** The chooser: which application asks, and one button for each provider. */
export const chooseHtml = (page: PageOf<'choose'>): string =>
  documentOf({
    title: WORDS.choose.title(page.app?.host),
    script: true,
    body: markup`<p>${page.app === undefined ? WORDS.choose.plain : WORDS.choose.asks(appName(page.app))}</p>
      ${deeds(
        page.providers.map((provider, index) => signInDeed(provider.href, choiceText(provider), index === 0)),
        true,
      )}`,
  })

const choiceText = ({ label, isLast }: ProviderChoice): Markup =>
  markup`${WORDS.choose.with(label)}${isLast ? markup` <small>(${WORDS.choose.last})</small>` : undefined}`

/** An application in one phrase. */
export const appName = (app: AskingApp): string =>
  app.route === undefined ? app.host : `${app.route} (${app.host})`

/** Asks before it acts: signing out is a POST with a token, never a link. */
export const signOutHtml = (page: PageOf<'sign-out'>): string =>
  documentOf({
    title: WORDS.signOutPage.title,
    body: markup`<p>${WORDS.signOutPage.what(nameOf(page.as), page.as.provider)}</p>
      ${deeds([
        markup`<form method="post" action="${page.actionHref}">
          <input type="hidden" name="token" value="${page.token}" />
          <button class="deed first" type="submit">${WORDS.signOut}</button>
        </form>`,
        deed(page.backHref, WORDS.goBack),
      ])}`,
  })

/** Says which sessions have ended and which have not. */
export const signedOutHtml = (page: PageOf<'signed-out'>): string =>
  documentOf({
    title: WORDS.signedOut.title,
    body: markup`${signedOutSentences(page).map((line) => markup`<p>${line}</p>`)}
    ${page.recorded ? undefined : markup`<p class="warn" role="alert">${WORDS.signedOut.unrecorded}</p>`}
    ${deeds([deed(page.signInHref, WORDS.signInAgain)])}`,
  })

const signedOutSentences = (page: PageOf<'signed-out'>): readonly string[] => {
  const { signedOut } = WORDS
  switch (page.ended) {
    case 'none':
      return [signedOut.nobody]
    case 'here':
      return [
        signedOut.here,
        ...(page.provider === undefined ? [] : [signedOut.stays(page.provider)]),
        signedOut.own,
      ]
    case 'everywhere':
      return [
        signedOut.here,
        ...(page.provider === undefined ? [] : [signedOut.everywhere(page.provider)]),
        signedOut.own,
      ]
  }
}

/** Who am I: what was verified, what rules use, when it ends. No token, no session id. */
export const meHtml = (page: PageOf<'me'>): string =>
  documentOf({
    title: WORDS.me.title,
    body: markup`${facts([
      [WORDS.me.user, nameOf(page.as)],
      [WORDS.me.provider, page.as.provider],
      [WORDS.me.subject, page.as.subject],
      [WORDS.me.groups, groupsText(page.groups)],
    ])}
      ${sessionFacts(page.session)}
      <h2>${WORDS.me.claims}</h2>
      ${claimFacts(page.claims)} ${deeds([deed(page.signOutHref, WORDS.signOut)])}`,
  })

const groupsText = (groups: readonly string[] | undefined): string => {
  if (groups === undefined) return WORDS.me.groupsUnknown
  return groups.length === 0 ? WORDS.me.noGroups : listText(groups)
}

const listText = (values: readonly (string | number | boolean)[]): string => short(values.join(', '))

const sessionFacts = (session: MeSession): Markup =>
  facts([
    [WORDS.me.started, instant(session.issuedAtSeconds * 1000)],
    [WORDS.me.ends, instant(session.expiresAtSeconds * 1000)],
    [
      WORDS.me.proved,
      session.authTimeSeconds === 0 ? WORDS.me.unknownTime : instant(session.authTimeSeconds * 1000),
    ],
    [WORDS.me.methods, session.amr.length === 0 ? undefined : listText(session.amr)],
    [WORDS.me.level, session.acr],
  ])

const claimFacts = (claims: readonly MeClaim[]): Markup =>
  claims.length === 0
    ? markup`<p>${WORDS.me.noClaims}</p>`
    : facts(
        claims
          .slice(0, MAX_ROWS)
          .map(({ name, value }) => [name, listText(typeof value === 'object' ? value : [value])] as const),
      )

const short = (text: string): string => (text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text)

export const notSignedInHtml = (page: PageOf<'not-signed-in'>): string =>
  documentOf({
    title: WORDS.notSignedIn.title,
    body: markup`<p>${WORDS.notSignedIn.what}</p>
      ${deeds([deed(page.signInHref, WORDS.signIn, true)])}`,
  })

// `/sign-out` asks on GET and acts on POST; `/signed-out` says which sessions ended. Nobody is signed in again by it.
import { buildEndSessionUrl } from 'openid-client'
import type { Session } from '../identity/session.ts'
import {
  defaultTarget,
  errorAnswer,
  nowSeconds,
  providerLabel,
  signedInAs,
  unavailableAnswer,
  type SignInContext,
} from './context.ts'
import type { Page } from './page.ts'
import { clearSessionCookie } from './set-cookie.ts'
import {
  methodNotAllowed,
  pageAnswer,
  redirectAnswer,
  singleOf,
  type SignInHandler,
  type SignInWebAnswer,
  type SignInWebRequest,
} from './web.ts'

const FORM_SECONDS = 1800
/** The hint travels in a URL, which servers take to about 8 KiB; without it the provider asks the person. */
const HINT_MAX = 4_096
const FORM_CONTEXT: readonly string[] = ['sign-out']
const ENDED_CONTEXT: readonly string[] = ['signed-out']

/** Makes the handler of `/sign-out`. */
export const makeSignOutHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    const acts = request.method === 'POST'
    if (!acts && request.method !== 'GET' && request.method !== 'HEAD')
      return methodNotAllowed('GET, HEAD, POST')
    if (acts && isForeign(context, request)) return errorAnswer(context, request, 403, 'PST-1017')
    const current = await context.deps.readSession(request.cookies)
    switch (current.kind) {
      case 'unavailable':
        return unavailableAnswer(context, request, 'PST-1013', context.href('/sign-out'))
      case 'none':
        // A cookie that no longer counts is taken away too, so that the answer is true of this browser.
        return redirectAnswer(context.href('/signed-out'), [
          ['set-cookie', clearSessionCookie(context.deps.settings)],
        ])
      case 'session':
        return acts
          ? signOut(context, request, current.session)
          : pageAnswer(request, 200, confirmPage(context, current.session))
    }
  }

/** A form of another site: by Fetch Metadata where it is sent, else by Origin. The sealed token is asked for as well. */
const isForeign = (context: SignInContext, request: SignInWebRequest): boolean => {
  const site = request.headers.get('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin'
  const origin = request.headers.get('origin')
  // Our pages send no referrer, and a browser then writes `null` for the origin of their forms (Fetch standard).
  return origin !== undefined && origin !== context.origin && origin !== 'null'
}

const confirmPage = (context: SignInContext, session: Session): Page => ({
  name: 'sign-out',
  as: signedInAs(context, session),
  actionHref: context.href('/sign-out'),
  token: sealText(context, FORM_CONTEXT, [session.id, nowSeconds(context) + FORM_SECONDS]),
  backHref: defaultTarget(context),
})

const signOut = async (
  context: SignInContext,
  request: SignInWebRequest,
  session: Session,
): Promise<SignInWebAnswer> => {
  if (!isOwnForm(context, singleOf(request.form, 'token'), session))
    return errorAnswer(context, request, 403, 'PST-1017', { tryAgainHref: context.href('/sign-out') })
  const idToken = context.deps.grants.get(session.id)?.idToken ?? ''
  const recorded = await context.deps.revokeSession(session)
  context.deps.onEvent({ kind: 'logout', session, recorded })
  const cleared = ['set-cookie', clearSessionCookie(context.deps.settings)] as const
  const provider = await endSessionHref(context, session, idToken, recorded)
  if (provider === undefined)
    return redirectAnswer(endedHref(context, session.provider, 'here', recorded), [cleared])
  // No redirect: browsers hold the answer to a form to `form-action`, wherever it leads from there.
  return {
    status: 200,
    headers: [cleared],
    body: { kind: 'page', page: { name: 'hop', to: provider }, as: 'html' },
  }
}

const isOwnForm = (context: SignInContext, token: string | undefined, session: Session): boolean => {
  const row = token === undefined ? undefined : openText(context, FORM_CONTEXT, token)
  const [id, endsAtSeconds] = row ?? []
  return id === session.id && typeof endsAtSeconds === 'number' && nowSeconds(context) <= endsAtSeconds
}

/** Where the provider's own session ends (OIDC RP-Initiated Logout §2); undefined where it has no such place. */
const endSessionHref = async (
  context: SignInContext,
  session: Session,
  idToken: string,
  recorded: boolean,
): Promise<string | undefined> => {
  const found = await context.providers.get(session.provider)?.configuration()
  if (found?.kind !== 'found' || found.client.serverMetadata().end_session_endpoint === undefined)
    return undefined
  return buildEndSessionUrl(found.client, {
    post_logout_redirect_uri: context.href('/signed-out'),
    ...(idToken === '' || idToken.length > HINT_MAX ? {} : { id_token_hint: idToken }),
    state: sealText(context, ENDED_CONTEXT, [session.provider, 'everywhere', recorded ? 1 : 0]),
  }).href
}

const endedHref = (
  context: SignInContext,
  provider: string,
  ended: 'here' | 'everywhere',
  recorded: boolean,
): string =>
  context.href('/signed-out', [
    ['state', sealText(context, ENDED_CONTEXT, [provider, ended, recorded ? 1 : 0])],
  ])

/** Makes the handler of `/signed-out`. It believes only what it sealed itself. */
export const makeSignedOutHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const state = singleOf(request.query, 'state')
    const [provider, ended, recorded] =
      (state === undefined ? undefined : openText(context, ENDED_CONTEXT, state)) ?? []
    const isKnown = typeof provider === 'string' && (ended === 'here' || ended === 'everywhere')
    return pageAnswer(request, 200, {
      name: 'signed-out',
      provider: isKnown ? providerLabel(context, provider) : undefined,
      ended: isKnown ? ended : 'none',
      recorded: !isKnown || recorded === 1,
      signInHref: context.href('/sign-in'),
    })
  }

const sealText = (
  context: SignInContext,
  purpose: readonly string[],
  row: readonly (string | number)[],
): string => context.deps.formSeal.seal(JSON.stringify(row), purpose)

const openText = (
  context: SignInContext,
  purpose: readonly string[],
  text: string,
): readonly unknown[] | undefined => {
  const plain = context.deps.formSeal.open(text, purpose)
  if (plain === undefined) return undefined
  const row: unknown = JSON.parse(plain)
  return Array.isArray(row) ? row : undefined
}

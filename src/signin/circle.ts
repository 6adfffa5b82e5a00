// A browser that goes in a circle: what was seen of it, and what that means. Nothing here repeats a cookie's value.
import { cookieValues } from '../identity/cookie-header.ts'
import type { AnonymousNote } from '../policy/principal.ts'
import type { SignInContext } from './context.ts'
import type { Judged } from './deps.ts'
import type { CircleCause, CircleEvidence, Scheme } from './page.ts'
import type { ReturnTarget } from './return-to.ts'
import { appOf } from './target-pages.ts'
import { pageAnswer, singleOf, type SignInWebAnswer, type SignInWebRequest } from './web.ts'

/** The page that says what was seen; the first time for this browser and address, the logs say it too. */
export const circleAnswer = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
  judged: Judged,
  isNews: boolean,
): SignInWebAnswer => {
  const app = appOf(target, judged)
  const evidence = evidenceOf(context, request, target, judged)
  const cause = causeOf(evidence)
  if (isNews) context.deps.onEvent({ kind: 'circle', host: target.host, route: app.route, cause, evidence })
  return pageAnswer(request, 508, {
    name: 'circle',
    app,
    cause,
    evidence,
    tryAgainHref: target.url,
    atMs: context.deps.nowMs(),
  })
}

const evidenceOf = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget,
  judged: Judged,
): CircleEvidence => {
  const { cookie, publicUrl } = context.deps.settings
  return {
    copiesHere: cookieValues(request.cookies, cookie.name).length,
    countsHere: judged.session !== undefined,
    atApplication: NOTES.find((note) => note === singleOf(request.query, 'seen')),
    cookieName: cookie.name,
    cookieDomain: cookie.domain,
    publicHost: new URL(publicUrl).host,
    application: `${target.scheme}://${target.authority}`,
    applicationScheme: schemeOf(singleOf(request.query, 'rd')?.split('://', 1)[0]),
    publicScheme: publicUrl.startsWith('https:') ? 'https' : 'http',
    forwardedScheme: schemeOf(request.headers.get('x-forwarded-proto')),
    decision: judged.decision.reason,
    clocks: [...context.clocks.all()].map(([id, aheadSeconds]) => ({
      provider: context.providers.get(id)?.settings.label ?? id,
      aheadSeconds,
    })),
  }
}

const NOTES: readonly AnonymousNote[] = [
  'expired',
  'revoked',
  'stale',
  'two-sessions',
  'does-not-open',
  'not-believed',
]

const schemeOf = (text: string | undefined): Scheme | undefined => {
  const scheme = text?.toLowerCase()
  return scheme === 'http' || scheme === 'https' ? scheme : undefined
}

/** The most likely cause, from what was seen. Pure. */
export const causeOf = (seen: CircleEvidence): CircleCause => {
  if (seen.copiesHere === 0) return 'not-kept'
  if (!seen.countsHere) return seen.copiesHere > 1 ? 'two-sessions' : 'not-accepted-here'
  if (seen.applicationScheme === 'http' && seen.publicScheme === 'https') return 'insecure-application'
  return seen.atApplication === undefined ? 'not-sent-there' : 'not-accepted-there'
}

// The page behind a refusal, for proxies that hand our body on to a person (Traefik, Caddy, Envoy).
import { pageHeaders } from '../pages/page-headers.ts'
import { pageHtml } from '../pages/render.ts'
import { evaluate } from '../policy/evaluate.ts'
import { ANONYMOUS, type Authentication } from '../policy/principal.ts'
import type { TracedRule } from '../policy/trace.ts'
import type { AnswerInput, PageRequest, RenderedPage } from '../proxy/answer.ts'
import { accessLetterHref } from '../signin/access-letter.ts'
import type { Page, SignedInAs } from '../signin/page.ts'
import { personLabel } from '../signin/person-label.ts'

export interface RefusalPageDeps {
  /** Origin and path of the public listener, without a slash at its end. */
  readonly publicUrl: string
  readonly secure: boolean
  /** What pages call a provider or issuer. */
  readonly labelOf: (source: string) => string
  /** Whom the denied page offers to write to; undefined = nobody. */
  readonly accessContact: string | undefined
  readonly nowMs: () => number
}

const HEADERS_OF_THE_ANSWER: ReadonlySet<string> = new Set([
  'cache-control',
  'content-type',
  'content-length',
])

/** Makes the renderer of refusal pages. Pure but for the clock; never throws. */
export const makeRefusalPage = (deps: RefusalPageDeps): ((request: PageRequest) => RenderedPage) => {
  const headers = pageHeaders(deps.secure)
    .filter(([name]) => !HEADERS_OF_THE_ANSWER.has(name))
    .flat()
  return (request) => ({ html: pageHtml(pageOf(request, deps)), headers })
}

const pageOf = (request: PageRequest, deps: RefusalPageDeps): Page => {
  const { input } = request
  const app = { route: input.route?.id, host: input.exchange.facts.host, owner: input.route?.owner }
  switch (request.kind) {
    case 'sign-in':
      return request.signIn === undefined
        ? { name: 'no-session-accepted', app, accepts: input.section?.accepts ?? [] }
        : { name: 'hop', to: request.signIn }
    case 'denied':
      return deniedPage(input, app, deps)
    case 'unavailable':
      return {
        name: 'error',
        code: 'PST-1014',
        app,
        tryAgainHref: undefined,
        fragmentKey: undefined,
        retryAfterSeconds: undefined,
        seen: [],
        atMs: deps.nowMs(),
      }
  }
}

const deniedPage = (
  input: AnswerInput,
  app: Extract<Page, { name: 'denied' }>['app'],
  deps: RefusalPageDeps,
): Page => {
  const { scheme, authority, pathAndQuery } = input.exchange.target
  const rd = encodeURIComponent(`${scheme}://${authority}${pathAndQuery}`)
  const authentication = input.verified?.authentication ?? ANONYMOUS
  return {
    name: 'denied',
    app,
    as: signedInAs(authentication, deps),
    reason: input.decision.reason,
    rule: input.decision.rule,
    rules: walkAgain(input, authentication, deps.nowMs()),
    decisionId: input.decisionId,
    atMs: deps.nowMs(),
    otherAccountHref: `${deps.publicUrl}/sign-in?rd=${rd}&prompt=select_account`,
    requestAccessHref: accessLetterHref(deps.accessContact, {
      app,
      decisionId: input.decisionId,
      who: authentication.kind === 'verified' ? authentication.principal : undefined,
    }),
    signOutHref: `${deps.publicUrl}/sign-out`,
  }
}

const signedInAs = (authentication: Authentication, deps: RefusalPageDeps): SignedInAs | undefined => {
  if (authentication.kind !== 'verified') return undefined
  const { source, subject, claims } = authentication.principal
  return { provider: deps.labelOf(source), subject, label: personLabel(claims) }
}

/** The walk that refused, once more and traced: a person is told what is missing in words. */
const walkAgain = (
  input: AnswerInput,
  authentication: Authentication,
  nowMs: number,
): readonly TracedRule[] => {
  const { route, section } = input
  if (route === undefined || section === undefined) return []
  const rules: TracedRule[] = []
  evaluate(
    { kind: 'matched', route, sections: [section] },
    input.exchange.facts,
    () => authentication,
    nowMs,
    (_, rule) => {
      rules.push(rule)
    },
  )
  return rules
}

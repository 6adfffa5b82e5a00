// Refusals for Traefik, Caddy, HAProxy and Envoy, which hand status, headers and body on to the client: a page for a
// person, application/problem+json (RFC 9457) for everything else.
import type { Answer, AnswerInput, AnswerSettings, PageRequest } from './answer.ts'
import { answerHead, cookieLine } from './answer-head.ts'
import { challengeOf } from './answer-challenge.ts'

/** After how many seconds a caller may try again; a proxy, a browser or a client reads it. */
const RETRY_AFTER_SECONDS = 5

/** Writes everything but an allow. Never throws, as far as the page port does not. */
export const writeForward = (input: AnswerInput, settings: AnswerSettings): Answer => {
  const { decision } = input
  switch (decision.outcome) {
    case 'allow':
    case 'indeterminate': {
      const retry = ['Retry-After', String(RETRY_AFTER_SECONDS)]
      return refused(input, settings, { status: 503, headers: retry, page: 'unavailable', signIn: undefined })
    }
    case 'deny':
      return refused(input, settings, { status: 403, headers: [], page: 'denied', signIn: undefined })
    case 'challenge': {
      const challenge = challengeOf(input, decision.demand, settings)
      return refused(input, settings, { ...challenge, page: 'sign-in' })
    }
  }
}

interface Refused {
  readonly status: number
  readonly headers: readonly string[]
  readonly page: PageRequest['kind']
  readonly signIn: string | undefined
}

const refused = (input: AnswerInput, settings: AnswerSettings, what: Refused): Answer => {
  const content = contentOf(input, settings, what)
  const body = input.exchange.facts.method === 'HEAD' ? '' : content.body
  const headers = [...answerHead(input.decisionId, body), ...what.headers]
  const cookie = cookieLine(headers, input.setCookie)
  return { status: what.status, headers: [...headers, ...cookie, ...content.headers], body }
}

interface Content {
  readonly headers: readonly string[]
  readonly body: string
}

const contentOf = (input: AnswerInput, settings: AnswerSettings, what: Refused): Content => {
  if (what.status === 302 || what.status === 303) return { headers: [], body: '' }
  if (!input.exchange.manner.navigation) return problem(what.status, input.decisionId)
  const page = settings.page({ kind: what.page, input, signIn: what.signIn })
  return { headers: ['Content-Type', 'text/html; charset=utf-8', ...page.headers], body: page.html }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
}

/** A problem document that says no more than its status and the id by which an operator finds the rest. */
export const problem = (status: number, decisionId: string): Content => ({
  headers: ['Content-Type', 'application/problem+json', 'X-Content-Type-Options', 'nosniff'],
  body: JSON.stringify({ type: 'about:blank', title: TITLES[status], status, decision: decisionId }),
})

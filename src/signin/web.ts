// One request of the public listener and its answer as plain data: no framework, no markup, no socket.
import type { Page } from './page.ts'

export type Pair = readonly [string, string]

export interface SignInWebRequest {
  /** Upper case. */
  readonly method: string
  /** Path below `publicUrl`, e.g. `/callback/corp`. */
  readonly path: string
  /** Query parameters in order, decoded once (`application/x-www-form-urlencoded`). */
  readonly query: readonly Pair[]
  /** Lower-case name → value; a repeated header joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  /** Each `Cookie` line, in order, unparsed. */
  readonly cookies: readonly string[]
  /** Fields of an `application/x-www-form-urlencoded` body; empty for any other body. */
  readonly form: readonly Pair[]
}

export type AnswerBody =
  | { readonly kind: 'none' }
  /** `problem`: the caller is not a page load and gets the twin in RFC 9457. */
  | { readonly kind: 'page'; readonly page: Page; readonly as: 'html' | 'problem' }
  | { readonly kind: 'json'; readonly value: unknown }

export interface SignInWebAnswer {
  readonly status: number
  /** `Location`, `Set-Cookie`, `Retry-After`, `Allow`: what belongs to the answer; the pages add their own. */
  readonly headers: readonly Pair[]
  readonly body: AnswerBody
}

/** Answers one request of the public listener. Never rejects: what fails is a page with a code. */
export type SignInHandler = (request: SignInWebRequest) => Promise<SignInWebAnswer>

/** All values of a query parameter, in order. */
export const valuesOf = (pairs: readonly Pair[], name: string): readonly string[] =>
  pairs.filter(([key]) => key === name).map(([, value]) => value)

/** The value of a parameter that counts only if it is there exactly once. */
export const singleOf = (pairs: readonly Pair[], name: string): string | undefined => {
  const values = valuesOf(pairs, name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * Tells a page load from anything else, by Fetch Metadata. Images, frames and scripts reach sign-in through a proxy
 * that redirects every 401; a transaction for each of them is what piles up state cookies.
 * @returns true for a top-level navigation, and for a client that sends no Fetch Metadata and no sign of a script
 */
export const isNavigation = (request: SignInWebRequest): boolean => {
  const mode = request.headers.get('sec-fetch-mode')
  const destination = request.headers.get('sec-fetch-dest')
  if (mode === undefined && destination === undefined) return !request.headers.has('x-requested-with')
  return (mode ?? 'navigate') === 'navigate' && (destination ?? 'document') === 'document'
}

/** True where a person reads the answer; problem+json goes to the rest. */
export const wantsPage = (request: SignInWebRequest): boolean => {
  if (!isNavigation(request)) return false
  const accept = request.headers.get('accept')
  return accept === undefined || accept.includes('text/html') || !accept.includes('json')
}

/** A page, or its twin in problem+json for who cannot read one. */
export const pageAnswer = (
  request: SignInWebRequest,
  status: number,
  page: Page,
  headers: readonly Pair[] = [],
): SignInWebAnswer => ({
  status,
  headers,
  body: { kind: 'page', page, as: wantsPage(request) ? 'html' : 'problem' },
})

/**
 * A 303 (RFC 9700 §4.12) whose body goes on by itself too, for proxies that keep a 401 status over our answer.
 * @param to absolute URL, made by us
 */
export const redirectAnswer = (to: string, headers: readonly Pair[] = []): SignInWebAnswer => ({
  status: 303,
  headers: [['location', to], ...headers],
  body: { kind: 'page', page: { name: 'hop', to }, as: 'html' },
})

/** 405 with the methods that the path takes (RFC 9110 §15.5.6). */
export const methodNotAllowed = (allow: string): SignInWebAnswer => ({
  status: 405,
  headers: [['allow', allow]],
  body: { kind: 'none' },
})

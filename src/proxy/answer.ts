// Step 5's values: what an answer is written from, and what goes back to the proxy.
import type { Verified } from '../identity/verified.ts'
import type { Decision } from '../policy/decision.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Exchange } from './exchange.ts'

/** Status, flat header list (name, value, name, value …) ready for the socket, and a body where the dialect has one. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  /** The end of `headers`, where many answers have this very list there. */
  readonly shared?: readonly string[] | undefined
  readonly body: string
}

/** One decided request. Route and section are those of the policy that answers, undefined where none owns it. */
export interface AnswerInput {
  readonly exchange: Exchange
  readonly decision: Decision
  readonly route: Route | undefined
  readonly section: Section | undefined
  readonly verified: Verified | undefined
  /** Flat, from `identityHeaders`; may come from a cache. Read for an allow only. */
  readonly identityHeaders: readonly string[]
  /** True where they come from a cache, and the same list will come again. */
  readonly isShared?: boolean
  readonly decisionId: string
  /** A renewed or cleared cookie, whole; left out where the head would grow beyond what NGINX reads. */
  readonly setCookie: string | undefined
}

/** A page for a person who was not let in. */
export interface PageRequest {
  readonly kind: 'sign-in' | 'denied' | 'unavailable'
  readonly input: AnswerInput
  /** Where to sign in; undefined where the challenge takes no session. */
  readonly signIn: string | undefined
}

export interface RenderedPage {
  readonly html: string
  /** Flat; without Content-Type, Content-Length and Cache-Control, which the answer has. */
  readonly headers: readonly string[]
}

/** What of the configuration the answers read. */
export interface AnswerSettings {
  /** Origin and path of the public listener, e.g. `https://auth.example.com/postern`, without a slash at its end. */
  readonly publicUrl: string
  /** Names of our cookies, which never reach an application; one that ends in `-` stands for all that begin with it. */
  readonly ownCookies: ReadonlySet<string>
  readonly page: (request: PageRequest) => RenderedPage
}

// Step 1's value: one request as its proxy described it, facts apart from secrets.
import type { Carried } from '../identity/carried.ts'
import type { RequestFacts } from '../policy/facts.ts'
import type { ReasonCode } from '../policy/reason.ts'

export type DialectName = 'nginx' | 'forward' | 'ext'

/** What the client shows of itself; decides how a challenge is worded, never whether there is one. */
export interface Manner {
  /** Positive proof of a page load: Fetch Metadata, or an `Accept` with `text/html` and nothing that speaks against. */
  readonly navigation: boolean
  /** Evidently not a page load: XHR header, Fetch mode other than navigate, no Accept at all, gRPC, WebSocket. */
  readonly machine: boolean
  /** A script of a page (`fetch`, XHR): gets no Basic challenge. */
  readonly script: boolean
  /** Fetch Metadata proves that a top-level document is loaded: who may be invited to sign in. */
  readonly document: boolean
}

/** Where the caller wanted to go, for the way back after sign-in. */
export interface Target {
  readonly scheme: 'http' | 'https'
  /** Host with its port, as reported. */
  readonly authority: string
  /** Raw path and query; latin1 characters, one for each byte. */
  readonly pathAndQuery: string
}

/** What the operator wrote into the query of the decision URL. */
export interface DecisionOptions {
  readonly route: string | undefined
  readonly unauth: 401 | 302 | undefined
  readonly xhr: 401 | 403 | undefined
}

export interface Exchange {
  readonly kind: 'exchange'
  readonly dialect: DialectName
  readonly facts: RequestFacts
  /** The same request on the host that the proxy says it serves (`X-Postern-Host`), where that is another one. */
  readonly servedFacts: RequestFacts | undefined
  readonly carried: Carried
  readonly manner: Manner
  readonly target: Target
  readonly options: DecisionOptions
  readonly requestId: string | undefined
  readonly userAgent: string | undefined
}

/** A request that never reaches policy. 400: the proxy's doing; 403: the client's; 405: a method nobody decides. */
export interface Refusal {
  readonly kind: 'refused'
  readonly dialect: DialectName
  readonly status: 400 | 403 | 405
  readonly reason: ReasonCode
  /** For the log: names the header and the fault, holds no value of a credential. */
  readonly why: string
  readonly requestId: string | undefined
  readonly userAgent: string | undefined
}

export type Reading = Exchange | Refusal

/** The request that the proxy sent, before any library repaired it. */
export interface WireRequest {
  readonly method: string
  /** Raw request target, e.g. `/authz/ext//admin/x?y=1`. */
  readonly target: string
  /** Name, value, name, value … in the order and case of the wire. */
  readonly rawHeaders: readonly string[]
}

/** What of the configuration the dialects read. */
export interface ProxySettings {
  readonly hostHeader: 'optional' | 'required'
  readonly externalScheme: 'http' | 'https' | undefined
  /** Lower-case header name per dialect that carries the client's address; undefined = unknown. */
  readonly clientIp: Readonly<Record<DialectName, string | undefined>>
}

/** Reads one dialect. Pure; never throws. */
export type ReadExchange = (request: WireRequest, settings: ProxySettings) => Reading

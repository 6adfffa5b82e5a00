// The secrets of one request, kept apart from the facts: they are verified and never logged.

/** Credential-bearing headers exactly as received; duplicates of the single ones were refused by the reader. */
export interface Carried {
  readonly authorization: string | undefined
  readonly proxyAuthorization: string | undefined
  /** `X-API-Key`. */
  readonly apiKey: string | undefined
  /** Each `Cookie` line, in order, unparsed. */
  readonly cookies: readonly string[]
}

// What stands in front of the applications, nginx or the stand-in: both are built from these values alone.

/** One guarded application. */
export interface Site {
  /** Public name, without port. */
  readonly host: string
  /** Where the application listens on 127.0.0.1. */
  readonly port: number
}

export interface Front {
  /** Where the proxy listens on 127.0.0.1. */
  readonly port: number
  readonly decisionPort: number
  readonly publicPort: number
  /** Name of the sign-in site, without port. */
  readonly authHost: string
  /** What shows Postern that the question comes from this proxy; printable ASCII, no quotes. */
  readonly proxyKey: string
  readonly sites: readonly Site[]
}

/** Headers that only Postern may write; a client's copy never reaches an application. */
export const IDENTITY_HEADERS: readonly string[] = [
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Postern-Assertion',
  'Authorization',
  'Proxy-Authorization',
  'Cookie',
]

/** Headers by which a client could tell Postern or an application a story about the request. */
export const FORGEABLE_HEADERS: readonly string[] = [
  'Forwarded',
  'X-Original-URI',
  'X-Original-URL',
  'X-Original-Method',
  'X-Forwarded-Host',
  'X-Forwarded-Method',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Uri',
  'X-Postern-Host',
  'X-Postern-Key',
]

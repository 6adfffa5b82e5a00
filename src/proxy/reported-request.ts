// From what a dialect reports to an exchange. All dialects end here: one place turns bytes into facts, one place decides
// whose fault a malformed one is.
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import { readPath } from '../policy/path-views.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { droppedByConnection } from './connection-header.ts'
import type { DecisionOptions, DialectName, Exchange, ProxySettings, Reading, Refusal } from './exchange.ts'
import { mannerOf } from './manner.ts'
import { CREDENTIAL_NAMES, headerValue, type ReceivedHeaders } from './raw-headers.ts'
import { refuse, requestIdOf, userAgentOf } from './refusal.ts'
import { isMethod, isMethodOfProxies, pathOf } from './request-target.ts'

/** The client's request as one dialect reports it. */
export interface ReportedRequest {
  readonly dialect: DialectName
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly pathAndQuery: string
  /** The host that the proxy says it serves; undefined where it says none. */
  readonly servedAuthority: string | undefined
  /** The host that the operator asserts in the decision URL. */
  readonly assertedHost: HostName | undefined
  readonly options: DecisionOptions
}

/**
 * Refuses what no dialect may read: a header that decides or vouches and comes twice, one that `Connection` drops, or a
 * change to a protocol in which nothing more would be decided.
 * @param deciding lower-case names of the headers that the dialect decides by
 * @returns the refusal, or undefined. Never throws.
 */
export const refuseAmbiguous = (
  dialect: DialectName,
  headers: ReceivedHeaders,
  deciding: readonly string[],
): Refusal | undefined => {
  const twice = headers.repeated.find((name) => name === 'host' || deciding.includes(name))
  if (twice !== undefined) return refuse(dialect, 400, `the header \`${twice}\` was sent twice`, headers)
  const credential = headers.repeated.find((name) => CREDENTIAL_NAMES.includes(name))
  if (credential !== undefined)
    return refuse(dialect, 403, `the header \`${credential}\` was sent twice`, headers)
  if (droppedByConnection(headerValue(headers, 'connection')) !== undefined)
    return refuse(dialect, 403, '`connection` names a header that the proxy would drop', headers)
  return asksForTunnel(headers)
    ? refuse(dialect, 403, 'it asks for a change to another protocol than WebSocket', headers)
    : undefined
}

/**
 * HTTP/2 by `Upgrade` (RFC 7540 §3.2, withdrawn by RFC 9113), or anything else that is no WebSocket: a proxy that passes
 * it on opens a tunnel, and what runs through it is never shown to us.
 */
const asksForTunnel = (headers: ReceivedHeaders): boolean => {
  if (headerValue(headers, 'http2-settings') !== undefined) return true
  const protocol = headerValue(headers, 'upgrade') ?? ''
  return protocol !== '' && protocol.toLowerCase() !== 'websocket'
}

/** Refuses TRACE and PURGE, which echo or empty a cache and are nobody's page. */
export const refuseMethod = (
  dialect: DialectName,
  method: string,
  headers: ReceivedHeaders,
): Refusal | undefined =>
  method === 'TRACE' || method === 'PURGE'
    ? refuse(dialect, 405, `the method \`${method}\` is not decided here`, headers)
    : undefined

/**
 * Builds the exchange.
 * @param reported untrusted, except `scheme`, `options` and `assertedHost`
 * @param headers of the same request
 * @returns the exchange, or a refusal; never throws
 */
export const readReported = (
  reported: ReportedRequest,
  headers: ReceivedHeaders,
  settings: ProxySettings,
): Reading => {
  const { dialect } = reported
  const client = (why: string): Refusal => refuse(dialect, 403, why, headers)
  if (!isMethod(reported.method)) {
    return isMethodOfProxies(reported.method)
      ? client('the method is over-long or begins with no letter')
      : refuse(dialect, 400, 'the method is not one in upper case', headers)
  }
  const pretence = pretendedHandshake(reported.method, headers)
  if (pretence !== undefined) return client(pretence)
  const host = normalizeHost(reported.authority)
  if (host === undefined) return client('the host is malformed')
  const served = reported.servedAuthority === undefined ? host : normalizeHost(reported.servedAuthority)
  if (served === undefined) return client('the served host is malformed')
  const asserted = reported.assertedHost
  if (asserted !== undefined && (asserted !== host || asserted !== served))
    return client(`the host is not \`${asserted}\`, which the decision URL asserts`)
  const reading = readPath(pathOf(reported.pathAndQuery))
  if (reading.kind === 'malformed') return client(reading.why)
  const facts = factsOf(reported, host, reading.path, headers, settings)
  const servedFacts = served === host ? undefined : { ...facts, host: served }
  return exchangeOf(reported, facts, servedFacts, headers, settings)
}

/**
 * INVARIANT: only a handshake has the method `WEBSOCKET`, and a handshake is a GET (RFC 6455 §4.1): whoever answers one
 * to another method opens a tunnel that nobody decided.
 */
const pretendedHandshake = (method: string, headers: ReceivedHeaders): string | undefined => {
  if (method === 'WEBSOCKET') return 'the method `WEBSOCKET` was written out'
  const isTunnel = method !== 'GET' && (headerValue(headers, 'upgrade') ?? '') !== ''
  return isTunnel ? 'an upgrade was asked for by another method than GET' : undefined
}

const factsOf = (
  reported: ReportedRequest,
  host: HostName,
  path: RequestFacts['path'],
  headers: ReceivedHeaders,
  settings: ProxySettings,
): RequestFacts => {
  const origin = headerValue(headers, 'origin')
  const handshake = reported.method === 'GET' && isHandshake(headers)
  return {
    host,
    method: handshake ? 'WEBSOCKET' : reported.method,
    path,
    preflight:
      reported.method === 'OPTIONS' &&
      origin !== undefined &&
      headerValue(headers, 'access-control-request-method') !== undefined,
    origin: handshake ? origin : undefined,
    clientIp: clientIpOf(headers, settings.clientIp[reported.dialect]),
  }
}

/** A proxy may drop `Upgrade` on its way to us and keep the rest of the handshake (RFC 6455 §4.1): any sign counts. */
const isHandshake = (headers: ReceivedHeaders): boolean =>
  headerValue(headers, 'sec-websocket-key') !== undefined ||
  headerValue(headers, 'sec-websocket-version') !== undefined ||
  headerValue(headers, 'upgrade')?.toLowerCase().includes('websocket') === true

// Dotted digits, or at least two colons: cheap, and enough for a log line. Rules parse the address strictly.
const ADDRESS = /^(?:[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$/

/** Of `X-Forwarded-For` the last entry, which the proxy in front of us wrote; of any other header the whole value. */
const clientIpOf = (headers: ReceivedHeaders, name: string | undefined): string | undefined => {
  const value = headers.extra
  if (value === undefined) return undefined
  const address = name === 'x-forwarded-for' ? value.slice(value.lastIndexOf(',') + 1).trim() : value
  return address.length <= 45 && ADDRESS.test(address) ? address : undefined
}

const exchangeOf = (
  reported: ReportedRequest,
  facts: RequestFacts,
  servedFacts: RequestFacts | undefined,
  headers: ReceivedHeaders,
  settings: ProxySettings,
): Exchange => {
  return {
    kind: 'exchange',
    dialect: reported.dialect,
    facts,
    servedFacts,
    carried: {
      authorization: headerValue(headers, 'authorization'),
      proxyAuthorization: headerValue(headers, 'proxy-authorization'),
      apiKey: headerValue(headers, 'x-api-key'),
      cookies: headers.cookies,
    },
    manner: mannerOf(
      {
        accept: headerValue(headers, 'accept'),
        contentType: headerValue(headers, 'content-type'),
        requestedWith: headerValue(headers, 'x-requested-with'),
        fetchMode: headerValue(headers, 'sec-fetch-mode'),
        fetchDest: headerValue(headers, 'sec-fetch-dest'),
      },
      facts.method,
    ),
    target: {
      scheme: settings.externalScheme ?? reported.scheme,
      authority: reported.authority,
      pathAndQuery: reported.pathAndQuery,
    },
    options: reported.options,
    requestId: requestIdOf(headers),
    userAgent: userAgentOf(headers),
  }
}

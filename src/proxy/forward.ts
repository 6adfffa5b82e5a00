// Traefik, Caddy, HAProxy, APISIX: the request comes in X-Forwarded-Method, -Proto, -Host and -Uri. Never reads
// X-Original-*, which a client behind these proxies writes itself, nor any other X-Forwarded-* (CVE-2026-54764).
import { readDecisionQuery } from './decision-query.ts'
import type { ReadExchange } from './exchange.ts'
import { CLIENT_NAMES, headerValue, makeReceiveHeaders } from './raw-headers.ts'
import { refuse } from './refusal.ts'
import { readReported, refuseAmbiguous, refuseMethod } from './reported-request.ts'
import { webScheme } from './request-target.ts'

const METHOD_HEADER = 'x-forwarded-method'
const PROTO_HEADER = 'x-forwarded-proto'
const HOST_HEADER = 'x-forwarded-host'
const URI_HEADER = 'x-forwarded-uri'
const DECIDING = [METHOD_HEADER, PROTO_HEADER, HOST_HEADER, URI_HEADER] as const
const receiveHeaders = makeReceiveHeaders([...DECIDING, ...CLIENT_NAMES])

/**
 * Reads a request of the forward-auth dialect.
 * @param request the subrequest, raw; its own method only says TRACE or PURGE, and its body is nobody's business
 * @returns the exchange, or a refusal: 400 where one of the four headers is missing. Never throws.
 */
export const readForward: ReadExchange = (request, settings) => {
  const headers = receiveHeaders(request.rawHeaders, settings.clientIp.forward)
  const value = (name: (typeof DECIDING)[number]): string => headerValue(headers, name) ?? ''
  const method = value(METHOD_HEADER)
  const refusal =
    refuseAmbiguous('forward', headers, DECIDING) ??
    refuseMethod('forward', request.method, headers) ??
    refuseMethod('forward', method, headers)
  if (refusal !== undefined) return refusal
  const operator = (why: string) => refuse('forward', 400, why, headers)
  // Never a fallback to the subrequest's own URL: a proxy that dropped the header would open the wrong door.
  const missing = DECIDING.find((name) => value(name) === '')
  if (missing !== undefined) return operator(`the header \`${missing}\` is missing`)
  const query = readDecisionQuery(request.target)
  if (query.kind === 'malformed') return operator(query.why)
  const scheme = webScheme(value(PROTO_HEADER))
  if (scheme === undefined) return operator(`\`${PROTO_HEADER}\` is no web scheme`)
  const authority = value(HOST_HEADER)
  if (authority.includes(',')) return operator(`\`${HOST_HEADER}\` names several hosts`)
  const { options, host: assertedHost } = query
  const pathAndQuery = value(URI_HEADER)
  return readReported(
    {
      dialect: 'forward',
      method,
      scheme,
      authority,
      pathAndQuery,
      servedAuthority: undefined,
      assertedHost,
      options,
    },
    headers,
    settings,
  )
}

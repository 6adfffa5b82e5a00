// NGINX `auth_request`, ingress-nginx `auth-url`, F5: the URL and the method come in X-Original-URL and X-Original-Method.
// Never reads X-Forwarded-*, which a client behind these proxies writes itself (CVE-2026-40575).
import { readDecisionQuery } from './decision-query.ts'
import type { ProxySettings, ReadExchange } from './exchange.ts'
import { CLIENT_NAMES, headerValue, makeReceiveHeaders } from './raw-headers.ts'
import { refuse } from './refusal.ts'
import { readReported, refuseAmbiguous, refuseMethod } from './reported-request.ts'
import { splitUrl } from './request-target.ts'

const URL_HEADER = 'x-original-url'
const METHOD_HEADER = 'x-original-method'
const HOST_HEADER = 'x-postern-host'
const DECIDING = [URL_HEADER, METHOD_HEADER, HOST_HEADER] as const
const ALWAYS_NEEDED = [URL_HEADER, METHOD_HEADER] as const
const receiveHeaders = makeReceiveHeaders([...DECIDING, ...CLIENT_NAMES])

/**
 * Reads a request of the nginx dialect.
 * @param request the subrequest, raw; its own method only says TRACE or PURGE
 * @returns the exchange, or a refusal: 400 where nginx was not told to send what we need. Never throws.
 */
export const readNginx: ReadExchange = (request, settings) => {
  const headers = receiveHeaders(request.rawHeaders, settings.clientIp.nginx)
  const method = headerValue(headers, METHOD_HEADER) ?? ''
  const refusal =
    refuseAmbiguous('nginx', headers, DECIDING) ??
    refuseMethod('nginx', request.method, headers) ??
    refuseMethod('nginx', method, headers)
  if (refusal !== undefined) return refusal
  const operator = (why: string) => refuse('nginx', 400, why, headers)
  const missing = required(settings).find((name) => (headerValue(headers, name) ?? '') === '')
  if (missing !== undefined) return operator(`the header \`${missing}\` is missing`)
  const query = readDecisionQuery(request.target)
  if (query.kind === 'malformed') return operator(query.why)
  const url = splitUrl(headerValue(headers, URL_HEADER) ?? '')
  if (url === undefined) return operator(`\`${URL_HEADER}\` is no web address`)
  const { options, host: assertedHost } = query
  const servedAuthority = headerValue(headers, HOST_HEADER)
  const { scheme, authority, pathAndQuery } = url
  return readReported(
    { dialect: 'nginx', method, scheme, authority, pathAndQuery, servedAuthority, assertedHost, options },
    headers,
    settings,
  )
}

const required = (settings: ProxySettings): readonly (typeof DECIDING)[number][] =>
  settings.hostHeader === 'required' ? DECIDING : ALWAYS_NEEDED

// Envoy, Istio, Gateway API: the check is the client's own request with a prefix before its path. Reads its own method,
// Host and raw path, never a decoded or resolved one, and never the query, which belongs to the client.
import { NO_OPTIONS } from './decision-query.ts'
import type { ReadExchange } from './exchange.ts'
import { CLIENT_NAMES, headerValue, makeReceiveHeaders } from './raw-headers.ts'
import { refuse } from './refusal.ts'
import { readReported, refuseAmbiguous } from './reported-request.ts'

export const EXT_PREFIX = '/authz/ext'
const receiveHeaders = makeReceiveHeaders(CLIENT_NAMES)

/**
 * Reads a request of the ext_authz dialect.
 * @param request the check; its target starts with the prefix
 * @returns the exchange, or a refusal: 400 where nothing follows the prefix, so that the path was lost. Never throws.
 */
export const readExt: ReadExchange = (request, settings) => {
  const headers = receiveHeaders(request.rawHeaders, settings.clientIp.ext)
  const refusal = refuseAmbiguous('ext', headers, [])
  if (refusal !== undefined) return refusal
  const operator = (why: string) => refuse('ext', 400, why, headers)
  const pathAndQuery = request.target.slice(EXT_PREFIX.length)
  if (!request.target.startsWith(EXT_PREFIX) || !pathAndQuery.startsWith('/'))
    return operator(`the original path is missing after \`${EXT_PREFIX}\``)
  const authority = headerValue(headers, 'host') ?? ''
  if (authority === '') return operator('the header `host` is missing')
  if (authority.includes(',')) return operator('`host` names several hosts')
  return readReported(
    {
      dialect: 'ext',
      method: request.method,
      scheme: settings.externalScheme ?? 'https',
      authority,
      pathAndQuery,
      servedAuthority: undefined,
      assertedHost: undefined,
      options: NO_OPTIONS,
    },
    headers,
    settings,
  )
}

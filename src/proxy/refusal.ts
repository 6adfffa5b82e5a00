// Requests that never reach policy, and whose fault that is: 400 is loud for the operator, 403 is for the client, so
// that a client's nonsense does not look like a broken integration in the proxy's error log.
import type { DialectName, Refusal } from './exchange.ts'
import { headerValue, type ReceivedHeaders } from './raw-headers.ts'

/**
 * Refuses a request.
 * @param status 400: the proxy made it or should have refused it; 403: a client can make it; 405: TRACE, PURGE
 * @param why names the header and the fault; never a value of a credential. Never throws.
 */
export const refuse = (
  dialect: DialectName,
  status: Refusal['status'],
  why: string,
  headers: ReceivedHeaders,
): Refusal => ({
  kind: 'refused',
  dialect,
  status,
  reason: status === 400 ? 'ERROR_INTEGRATION' : 'DENY_BAD_REQUEST',
  why,
  requestId: requestIdOf(headers),
  userAgent: userAgentOf(headers),
})

/** `X-Request-ID` where it is short and plain; a log line takes nothing else. */
export const requestIdOf = (headers: ReceivedHeaders): string | undefined => {
  const id = headerValue(headers, 'x-request-id')
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined
}

const USER_AGENT_LIMIT = 256

/** `User-Agent`, cut; it is shown and logged, never judged (CVE-2026-34457). */
export const userAgentOf = (headers: ReceivedHeaders): string | undefined =>
  headerValue(headers, 'user-agent')?.slice(0, USER_AGENT_LIMIT)

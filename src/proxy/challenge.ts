// How a caller is asked for a credential, or for a better one: `WWW-Authenticate` (RFC 9110 §11.6.1). Only what the
// answering policy takes is offered, and a script of a page never makes the browser ask for a password.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { Demand } from '../policy/decision.ts'

const REALM = 'realm="postern"'
const NO_SCHEME = `Postern ${REALM}`

/**
 * Words a challenge.
 * @param demand what the policy wants
 * @param script true for `fetch` and XHR
 * @returns one value for each header line, at least one, in a stable order: what was rejected first, then Basic, since
 *   NGINX before 1.23 passes on the first line only. Never throws.
 */
export const wwwAuthenticate = (demand: Demand, script: boolean): readonly string[] => {
  switch (demand.kind) {
    case 'credential':
    case 'reauth':
      return offers(demand.accepts, script)
    case 'rejected':
      return rejected(demand, script)
    case 'step-up':
      return [stepUp(demand)]
  }
}

const BEARER_KINDS: readonly CredentialKind[] = ['bearer', 'service-account', 'api-key']

const offers = (accepts: readonly CredentialKind[], script: boolean): readonly string[] => {
  const lines: string[] = []
  if (accepts.includes('basic') && !script) lines.push(`Basic ${REALM}, charset="UTF-8"`)
  if (accepts.some((kind) => BEARER_KINDS.includes(kind))) lines.push(`Bearer ${REALM}`)
  // A 401 names a scheme. A browser ignores one that it does not know: no dialog over the sign-in page.
  return lines.length === 0 ? [NO_SCHEME] : lines
}

/** RFC 6750 §3.1. No description: what exactly was wrong is in the log, not in the hands of whoever tries tokens. */
const rejected = (demand: Extract<Demand, { kind: 'rejected' }>, script: boolean): readonly string[] => {
  const offered = offers(demand.accepts, script)
  if (!BEARER_KINDS.includes(demand.credential)) return offered
  const basic = offered.filter((line) => line.startsWith('Basic'))
  return [`Bearer ${REALM}, error="invalid_token"`, ...basic]
}

/** RFC 9470 §3. */
const stepUp = (demand: Extract<Demand, { kind: 'step-up' }>): string => {
  const acr = demand.acrValues.filter((value) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value))
  const parts = [
    `Bearer ${REALM}`,
    'error="insufficient_user_authentication"',
    ...(acr.length === 0 ? [] : [`acr_values="${acr.join(' ')}"`]),
    ...(demand.maxAgeSeconds === undefined ? [] : [`max_age="${demand.maxAgeSeconds}"`]),
  ]
  return parts.join(', ')
}

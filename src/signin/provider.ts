// One identity provider: found when first needed, so that the service starts while it is down; looked up again after a
// failure; never more than one look-up at a time.
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type ClientAuth,
  type Configuration,
} from 'openid-client'
import type { ProviderSettings } from './deps.ts'
import { guardedFetch, isLoopback, isPermittedUrl } from './provider-fetch.ts'
import { faultOf, whyOf, type ProviderFault } from './provider-fault.ts'

export interface Provider {
  readonly id: string
  readonly settings: ProviderSettings
  /** The configuration of openid-client, or why there is none. Never rejects. */
  readonly configuration: () => Promise<Found>
  /** Tells whether it answers now; what was seen within seconds counts. Never rejects. */
  readonly isReachable: () => Promise<boolean>
}

export type Found =
  | { readonly kind: 'found'; readonly client: Configuration }
  | { readonly kind: 'fault'; readonly fault: ProviderFault }

export interface ProviderDeps {
  readonly fetch: typeof globalThis.fetch
  readonly nowMs: () => number
}

/** After this the metadata is looked up again, while the known one goes on serving. */
const METADATA_MAX_AGE_MS = 3_600_000
/** For so long a provider that answered counts as reachable. */
const SEEN_MAX_AGE_MS = 10_000
/** Times written by a provider are read with this tolerance. */
const TOLERANCE_SECONDS = 60

/**
 * Makes a provider; nothing is fetched yet.
 * @param settings trusted
 */
export const makeProvider = (settings: ProviderSettings, deps: ProviderDeps): Provider => {
  let known: { readonly client: Configuration; readonly atMs: number } | undefined
  let flight: Promise<Found> | undefined
  const look = (): Promise<Found> => {
    flight ??= discover(settings, deps).then((found) => {
      if (found.kind === 'found') known = { client: found.client, atMs: deps.nowMs() }
      flight = undefined
      return found
    })
    return flight
  }
  return {
    id: settings.source.id,
    settings,
    configuration: async () => {
      if (known === undefined) return look()
      if (deps.nowMs() - known.atMs > METADATA_MAX_AGE_MS) void look()
      return { kind: 'found', client: known.client }
    },
    isReachable: async () => {
      if (known !== undefined && deps.nowMs() - known.atMs < SEEN_MAX_AGE_MS) return true
      const found = await look()
      return found.kind === 'found' || found.fault.kind !== 'unavailable'
    },
  }
}

const discover = async (settings: ProviderSettings, deps: ProviderDeps): Promise<Found> => {
  const { issuer, clientId } = settings.source
  if (!isPermittedUrl(issuer)) return misconfigured('issuer_not_permitted')
  const insecure = new URL(issuer).protocol === 'http:' && isLoopback(new URL(issuer).hostname)
  const secret = settings.clientSecret?.reveal()
  try {
    const client = await discovery(
      new URL(issuer),
      clientId,
      { [clockTolerance]: TOLERANCE_SECONDS },
      secret === undefined ? None() : authenticateWith(secret),
      {
        [customFetch]: guardedFetch(deps.fetch),
        timeout: settings.timeoutSeconds,
        // The signature is checked although the token comes straight from the provider: TLS may end before it.
        execute: [enableNonRepudiationChecks, ...(insecure ? [allowInsecureRequests] : [])],
      },
    )
    return accept(client, issuer)
  } catch (error) {
    const fault = faultOf(error)
    return fault.kind === 'unavailable' ? { kind: 'fault', fault } : misconfigured(whyOf(fault))
  }
}

/** The library compares issuers as URLs and makes exceptions for two vendors; ours is equality (OIDC Discovery §4.3). */
const accept = (client: Configuration, issuer: string): Found => {
  const metadata = client.serverMetadata()
  if (metadata.issuer !== issuer) return misconfigured('issuer_differs')
  const { authorization_endpoint: authorization, end_session_endpoint: endSession } = metadata
  if (authorization === undefined || !isPermittedUrl(authorization))
    return misconfigured('authorization_endpoint_not_permitted')
  if (endSession !== undefined && !isPermittedUrl(endSession))
    return misconfigured('end_session_endpoint_not_permitted')
  return { kind: 'found', client }
}

/** Basic unless the provider lists methods without it (RFC 6749 §2.3.1, OIDC Discovery §3). */
const authenticateWith = (secret: string): ClientAuth => {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported
    const usesPost =
      methods !== undefined &&
      !methods.includes('client_secret_basic') &&
      methods.includes('client_secret_post')
    return usesPost ? post(server, client, body, headers) : basic(server, client, body, headers)
  }
}

const misconfigured = (why: string): Found => ({ kind: 'fault', fault: { kind: 'misconfigured', why } })

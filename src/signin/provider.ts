// One identity provider: found when first needed, so that the service starts while it is down; looked up again after a
// failure; never more than one look-up at a time.
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  setJwksCache,
  type ClientAuth,
  type JWKS,
} from 'openid-client'
import { SKEW_SECONDS } from '../identity/clock-skew.ts'
import { isObject, ownValue } from '../identity/strict-json.ts'
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
  /**
   * The same with a key set of its own, read just before: a key that the provider rotated in is believed at once,
   * one that it withdrew no longer. The library would keep a set for minutes. Never rejects.
   */
  readonly withFreshKeys: () => Promise<Found>
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
  const configuration = async (): Promise<Found> => {
    if (known === undefined) return look()
    if (deps.nowMs() - known.atMs > METADATA_MAX_AGE_MS) void look()
    return { kind: 'found', client: known.client }
  }
  return {
    id: settings.source.id,
    settings,
    configuration,
    withFreshKeys: async () => {
      const found = await configuration()
      return found.kind === 'found' ? withKeys(copyOf(found.client, settings, deps), deps) : found
    },
    isReachable: async () => {
      if (known !== undefined && deps.nowMs() - known.atMs < SEEN_MAX_AGE_MS) return true
      const found = await look()
      return found.kind === 'found' || found.fault.kind !== 'unavailable'
    },
  }
}

/** The library keeps keys by the configuration that they were read for. */
const copyOf = (client: Configuration, settings: ProviderSettings, deps: ProviderDeps): Configuration => {
  const copy = new Configuration(
    client.serverMetadata(),
    settings.source.clientId,
    CLIENT,
    authenticationOf(settings),
  )
  copy[customFetch] = guardedFetch(deps.fetch)
  copy.timeout = settings.timeoutSeconds
  for (const extend of extensionsFor(settings.source.issuer)) extend(copy)
  return copy
}

/**
 * Fetches the keys before anything that works once (a code, a refresh token) is used up: they are needed right after, and
 * without them what was used up was for nothing.
 */
const withKeys = async (client: Configuration, deps: ProviderDeps): Promise<Found> => {
  const { jwks_uri: address } = client.serverMetadata()
  if (address === undefined) return misconfigured('no_jwks_uri')
  try {
    const response = await guardedFetch(deps.fetch)(address, {
      body: undefined,
      headers: { accept: 'application/json' },
      method: 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout((client.timeout ?? 5) * 1000),
    })
    const document: unknown = response.status === 200 ? await response.json() : undefined
    if (!isKeySet(document)) return { kind: 'fault', fault: { kind: 'unavailable', why: 'no_key_set' } }
    // The library compares this time with its own clock.
    setJwksCache(client, { jwks: document, uat: Math.floor(Date.now() / 1000) })
    return { kind: 'found', client }
  } catch (error) {
    return { kind: 'fault', fault: { kind: 'unavailable', why: whyNoKeys(error) } }
  }
}

const whyNoKeys = (error: unknown): string => {
  if (error instanceof SyntaxError) return 'no_key_set'
  return error instanceof DOMException ? 'keys_timeout' : whyOf(faultOf(error))
}

const isKeySet = (document: unknown): document is JWKS =>
  isObject(document) && Array.isArray(ownValue(document, 'keys'))

const discover = async (settings: ProviderSettings, deps: ProviderDeps): Promise<Found> => {
  const { issuer, clientId } = settings.source
  if (!isPermittedUrl(issuer)) return misconfigured('issuer_not_permitted')
  try {
    const client = await discovery(new URL(issuer), clientId, CLIENT, authenticationOf(settings), {
      [customFetch]: guardedFetch(deps.fetch),
      timeout: settings.timeoutSeconds,
      execute: [...extensionsFor(issuer)],
    })
    return accept(client, issuer)
  } catch (error) {
    const fault = faultOf(error)
    return fault.kind === 'unavailable' ? { kind: 'fault', fault } : misconfigured(whyOf(fault))
  }
}

const CLIENT = { [clockTolerance]: SKEW_SECONDS }

/** The signature is checked although the token comes straight from the provider: TLS may end before it. */
const extensionsFor = (issuer: string): readonly ((client: Configuration) => void)[] => {
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'http:' && isLoopback(hostname)
    ? [enableNonRepudiationChecks, allowInsecureRequests]
    : [enableNonRepudiationChecks]
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

const authenticationOf = (settings: ProviderSettings): ClientAuth => {
  const secret = settings.clientSecret?.reveal()
  return secret === undefined ? None() : authenticateWith(secret)
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

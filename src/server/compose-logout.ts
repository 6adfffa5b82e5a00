// Joins back-channel logout to the providers' keys and to the revocations. Keys are fetched when the first token comes.
import type { Config } from '../config/config.ts'
import { makeIssuerKeys, type IssuerKeys } from '../identity/issuer-keys.ts'
import type { KeyPlace } from '../identity/key-document.ts'
import { readLogoutToken } from '../identity/logout-token.ts'
import type { SignInDeps } from '../signin/deps.ts'
import type { Provider } from '../signin/provider.ts'
import type { MemoryState } from '../state/memory-state.ts'
import { unnamedSessionOf } from '../state/revocation-entries.ts'
import type { UpstreamTimes } from '../telemetry/upstream-times.ts'
import { keyPorts } from './compose-identity.ts'
import type { RenewalParts } from './compose-renewal.ts'

export interface LogoutPorts {
  readonly state: Pick<MemoryState, 'revocations'>
  readonly renewal: Pick<RenewalParts, 'providers'>
  readonly upstream: Pick<UpstreamTimes, 'timed'>
}

/** Builds what sign-in needs to be told of logouts. */
export const composeLogout = (
  config: Config,
  { state, renewal, upstream }: LogoutPorts,
): Pick<SignInDeps, 'readLogoutToken' | 'endProviderSession'> => {
  const parties = config.providers.map(({ id, issuer, clientId }) => ({ id, issuer, audiences: [clientId] }))
  const keysOf = keysByProvider(renewal.providers, upstream.timed(fetch, 'idp'))
  return {
    readLogoutToken: (text, nowSeconds) => readLogoutToken(text, nowSeconds, { providers: parties, keysOf }),
    endProviderSession: async ({ provider, subject, providerSession }) => {
      const { revocations } = state
      const revoking =
        providerSession === undefined
          ? [revocations.revokeSubject({ source: provider, subject: subject ?? '' })]
          : [
              revocations.revokeProviderSession(provider, providerSession),
              // A session whose ID token had no `sid` may be the one that is meant.
              ...(subject === undefined
                ? []
                : [revocations.revokeProviderSession(provider, unnamedSessionOf(subject))]),
            ]
      const revoked = await Promise.all(revoking)
      return {
        number: Math.max(...revoked.map(({ number }) => number)),
        durable: revoked.every(({ kind }) => kind === 'stored'),
      }
    },
  }
}

interface Held {
  readonly address: string | undefined
  readonly keys: IssuerKeys
}

/** One set of keys for each provider, at the address that its own metadata names now. */
const keysByProvider = (
  providers: ReadonlyMap<string, Provider>,
  fetch: typeof globalThis.fetch,
): ((id: string) => Promise<IssuerKeys | undefined>) => {
  const known = new Map<string, Held>()
  return async (id) => {
    const place = await placeOf(providers.get(id))
    if (place === undefined) return undefined
    const held = known.get(id)
    if (held !== undefined && held.address === place.jwksUri) return held.keys
    held?.keys.stop()
    const keys = makeIssuerKeys(place, keyPorts({ fetch }))
    known.set(id, { address: place.jwksUri, keys })
    await keys.start()
    return keys
  }
}

const placeOf = async (provider: Provider | undefined): Promise<KeyPlace | undefined> => {
  const found = await provider?.configuration()
  if (provider === undefined || found?.kind !== 'found') return undefined
  return { issuer: provider.settings.source.issuer, jwksUri: found.client.serverMetadata().jwks_uri }
}

/** The keys at the address that the metadata of a provider names. Never rejects. */
export const keysFor = async (
  provider: Provider | undefined,
  fetch: typeof globalThis.fetch,
): Promise<IssuerKeys | undefined> => {
  const place = await placeOf(provider)
  if (place === undefined) return undefined
  const keys = makeIssuerKeys(place, keyPorts({ fetch }))
  await keys.start()
  return keys
}

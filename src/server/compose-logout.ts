// Joins back-channel logout to the providers' keys and to the revocations. Keys are fetched when the first token comes.
import type { Config } from '../config/config.ts'
import { makeIssuerKeys, type IssuerKeys } from '../identity/issuer-keys.ts'
import { readLogoutToken } from '../identity/logout-token.ts'
import type { SignInDeps } from '../signin/deps.ts'
import type { Provider } from '../signin/provider.ts'
import type { MemoryState } from '../state/memory-state.ts'
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
      const revoked = await (providerSession === undefined
        ? revocations.revokeSubject({ source: provider, subject: subject ?? '' })
        : revocations.revokeProviderSession(provider, providerSession))
      return { number: revoked.number, durable: revoked.kind === 'stored' }
    },
  }
}

/** One set of keys for each provider, at the address that its own metadata names. */
const keysByProvider = (
  providers: ReadonlyMap<string, Provider>,
  fetch: typeof globalThis.fetch,
): ((id: string) => Promise<IssuerKeys | undefined>) => {
  const known = new Map<string, IssuerKeys>()
  return async (id) => {
    const found = known.get(id) ?? (await keysFor(providers.get(id), fetch))
    if (found !== undefined) known.set(id, found)
    return found
  }
}

/** The keys at the address that the metadata of a provider names. Never rejects. */
export const keysFor = async (
  provider: Provider | undefined,
  fetch: typeof globalThis.fetch,
): Promise<IssuerKeys | undefined> => {
  const found = await provider?.configuration()
  if (provider === undefined || found?.kind !== 'found') return undefined
  const { issuer } = provider.settings.source
  const keys = makeIssuerKeys(
    { issuer, jwksUri: found.client.serverMetadata().jwks_uri },
    keyPorts({ fetch }),
  )
  await keys.start()
  return keys
}

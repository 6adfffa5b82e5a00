// Joins what providers gave with sign-ins, kept in the state as text, to the renewal of sessions.
import type { Config, ProviderConfig } from '../config/config.ts'
import type { RenewSession } from '../identity/session-freshness.ts'
import { revocableOf } from '../identity/session-credential.ts'
import { sessionOfText, sessionText } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Grants, ProviderSettings, SignInEvent, SignInPolicy } from '../signin/deps.ts'
import { makeProvider, type Provider } from '../signin/provider.ts'
import { makeRenew } from '../signin/renew-session.ts'
import type { MemoryState } from '../state/memory-state.ts'

export interface RenewalParts {
  readonly providers: ReadonlyMap<string, Provider>
  readonly grants: Grants
  readonly renew: RenewSession
  /** The session as it was last learned anew; undefined = the cookie holds the latest. */
  readonly learned: (sessionId: string) => Session | undefined
  /** Ends a session and forgets what its provider gave. Resolves to false where that could not be written down. */
  readonly revokeSession: (session: Session) => Promise<boolean>
}

export interface RenewalPorts {
  readonly state: Pick<MemoryState, 'grants' | 'revocations'>
  readonly policies: () => PolicySet
  readonly sessionPolicy: (set: PolicySet) => SignInPolicy
  readonly fetch: typeof fetch
  readonly nowMs: () => number
  readonly onEvent: (event: SignInEvent) => void
  readonly onFault: (error: unknown) => void
}

/** Builds the renewal of sessions. No provider is contacted yet. */
export const composeRenewal = (config: Config, ports: RenewalPorts): RenewalParts => {
  const { state } = ports
  const providers = new Map(
    config.providers.map((one) => [one.id, makeProvider(providerSettings(one), ports)] as const),
  )
  const grants = grantsOf(state.grants)
  const revokeSession = async (session: Session): Promise<boolean> => {
    const owner = { source: session.provider, subject: session.subject }
    const ids = [session.id, ...(grants.get(session.id)?.former ?? [])]
    const revoked = await Promise.all(ids.map((id) => state.revocations.revokeCredential(id, owner)))
    await Promise.all(ids.map((id) => grants.drop(id)))
    return revoked.every(({ kind }) => kind === 'stored')
  }
  const renew = makeRenew({
    providers,
    grants,
    policy: () => ports.sessionPolicy(ports.policies()),
    revokeSession,
    isRevoked: (session) => state.revocations.check(revocableOf(session)) === 'revoked',
    freshnessSeconds: config.session.freshnessMs / 1000,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
    onEvent: ports.onEvent,
    onFault: ports.onFault,
  })
  return { providers, grants, renew, learned: learnedFrom(state.grants), revokeSession }
}

const PROVIDER_TIMEOUT_SECONDS = 5

/** What sign-in reads of a provider's configuration. */
export const providerSettings = (provider: ProviderConfig): ProviderSettings => ({
  source: provider,
  label: provider.label,
  clientSecret: provider.clientSecret,
  scopes: provider.scopes,
  timeoutSeconds: PROVIDER_TIMEOUT_SECONDS,
})

const grantsOf = (table: MemoryState['grants']): Grants => ({
  get: (id) => {
    const grant = table.get(id)
    if (grant === undefined) return undefined
    const { session, former, ...rest } = grant
    return {
      ...rest,
      session: sessionOfText(session),
      former: former === '' ? [] : former.split(' '),
    }
  },
  put: async (id, grant) => {
    const { session, former, ...rest } = grant
    await table.put(id, {
      ...rest,
      session: session === undefined ? '' : sessionText(session),
      former: former.join(' '),
    })
  },
  drop: async (id) => {
    await table.drop(id)
  },
})

/** Only for a session that was learned anew: its text is read at a decision that is made anew. */
const learnedFrom =
  (table: MemoryState['grants']) =>
  (id: string): Session | undefined => {
    const text = table.get(id)?.session ?? ''
    return text === '' ? undefined : sessionOfText(text)
  }

// What sign-in needs of the rest of the house, as ports: the composition joins them, a test fills them with fakes.
import type { Seal } from '../identity/seal.ts'
import type { Logout, LogoutReading } from '../identity/logout-token.ts'
import type { RenewSession } from '../identity/session-freshness.ts'
import type { FitPolicy } from '../identity/session-fit.ts'
import type { Session } from '../identity/session.ts'
import type { ProviderSource } from '../identity/source.ts'
import type { Decision } from '../policy/decision.ts'
import type { HostName } from '../policy/host-pattern.ts'
import type { Secret } from '../policy/secret.ts'
import type { TracedRule } from '../policy/trace.ts'
import type { CircleCause, CircleEvidence } from './page.ts'
import type { Provider } from './provider.ts'
import type { ReturnTarget } from './return-to.ts'

export interface SessionCookie {
  readonly name: string
  /** Undefined = a host-only cookie of the public host. */
  readonly domain: string | undefined
}

export interface SignInSettings {
  /** Without a slash at its end, e.g. `https://auth.example.com` or `https://app.example.com/postern`. */
  readonly publicUrl: string
  /** Prefix of our paths on the hosts of applications, e.g. `/postern`. */
  readonly ownPrefix: string | undefined
  readonly externalScheme: 'http' | 'https' | undefined
  readonly cookie: SessionCookie
  /** Absolute limit of a session. */
  readonly absoluteSeconds: number
  /** How old what the provider said may be. */
  readonly freshnessSeconds: number
  /** Whom the denied page offers to write to; undefined = the page offers nothing. */
  readonly accessContact: string | undefined
}

export interface ProviderSettings {
  readonly source: ProviderSource
  /** What pages call it. */
  readonly label: string
  /** Undefined = a public client. */
  readonly clientSecret: Secret | undefined
  readonly scopes: readonly string[]
  readonly timeoutSeconds: number
}

/** What deciding the way back under the answering policy found; no tuple was written for it. */
export interface Judged {
  readonly decision: Decision
  /** `X-Postern-Decision` of this walk. */
  readonly decisionId: string
  /** Who this browser is on that route; undefined = nobody. */
  readonly session: Session | undefined
  readonly owner: string | undefined
  /** Ids of the providers that the route believes, in the order of the configuration. */
  readonly providers: readonly string[]
  /** The walk, rule by rule. */
  readonly rules: readonly TracedRule[]
  /** Some allow waits for a credential: whoever is nobody yet may be let in after signing in. */
  readonly signInMayHelp: boolean
}

/**
 * Decides about a target with the credentials of this browser: a GET, with network predicates left undecided, since
 * sign-in asks what a credential could change. Never rejects.
 * @param refusedMethod set to tell about a request that was refused: its method, and networks that nobody knows
 * @param cookieHost whose cookies they are; default: the host of sign-in
 */
export type DecideFor = (
  target: ReturnTarget,
  cookies: readonly string[],
  refusedMethod?: string,
  cookieHost?: HostName,
) => Promise<Judged>

export type CurrentSession =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'none' }
  /** The store that knows revocations is out of reach: neither signed in nor signed out. */
  | { readonly kind: 'unavailable' }

export interface SignInPolicy {
  /** Mapped names that live or candidate policies, headers or `session.claims` read: what a session captures. */
  readonly claims: readonly string[]
  readonly fit: FitPolicy
}

/** One line of the decision log about a session; holds no token, code or query string. */
export type SignInEvent =
  | {
      readonly kind: 'login'
      readonly session: Session
      readonly purpose: 'interactive' | 'reauth' | 'invite' | 'step-up'
      readonly cut: readonly string[]
    }
  | {
      readonly kind: 'login-failed'
      readonly provider: string | undefined
      readonly code: string
      readonly why: string
    }
  | {
      readonly kind: 'circle'
      readonly host: string
      readonly route: string | undefined
      readonly cause: CircleCause
      readonly evidence: CircleEvidence
    }
  | { readonly kind: 'logout'; readonly session: Session; readonly recorded: boolean }
  | { readonly kind: 'renewed'; readonly session: Session }
  /** The session goes on; the provider is not asked again until then. */
  | {
      readonly kind: 'renewal-failed'
      readonly session: Session
      readonly why: string
      readonly untilMs: number
    }
  /** The provider ended it. */
  | {
      readonly kind: 'renewal-refused'
      readonly session: Session
      readonly why: string
      readonly recorded: boolean
    }
  | ({ readonly kind: 'back-channel-logout'; readonly ended: EndedSessions } & Logout)
  | { readonly kind: 'back-channel-refused'; readonly provider: string | undefined; readonly why: string }

/** What was ended is over at once; `durable`: a restart knows it too, or there is nothing to keep it in. */
export interface EndedSessions {
  /** The state's number after it. */
  readonly number: number
  readonly durable: boolean
}

/** What a provider gave with a sign-in; kept in the state, never in a cookie. */
export interface Grant {
  /** As it was learned anew; undefined = the cookie holds the latest. */
  readonly session: Session | undefined
  readonly learnedAtSeconds: number
  readonly endsAtSeconds: number
  /** Earlier session ids of the same person in this browser: whatever signs out of the one signs out of all. */
  readonly former: readonly string[]
  /** Empty = there is none. */
  readonly refreshToken: string
  /** Empty = there is none. */
  readonly idToken: string
}

export interface Grants {
  readonly get: (sessionId: string) => Grant | undefined
  /** Resolves when it is written down, or could not be; it is known at once. Never rejects. */
  readonly put: (sessionId: string, grant: Grant) => Promise<void>
  readonly drop: (sessionId: string) => Promise<void>
}

type MaybePromise<T> = T | Promise<T>

/** `full`, `unreachable`: it cannot be remembered, which is a refusal. */
export type Use = 'first' | 'again' | 'full' | 'unreachable'

/** `again`: somebody took it already; `unknown`: it was never kept, or its time is over. */
export type TakenTicket =
  | { readonly kind: 'first' | 'again'; readonly text: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unreachable' }

/** What carrying a session from the host of sign-in to one of an application needs. */
export interface TicketPorts {
  /** Of a purpose of its own: what the state keeps of a ticket. */
  readonly seal: Seal
  /** Keeps a text for one taker; its time is counted by the state. False where the state cannot keep it. */
  readonly keep: (id: string, text: string, lifetimeSeconds: number) => MaybePromise<boolean>
  /** Takes it. One caller hears `first`. */
  readonly take: (id: string) => MaybePromise<TakenTicket>
}

export interface SignInDeps {
  readonly settings: SignInSettings
  readonly providers: ReadonlyMap<string, Provider>
  readonly grants: Grants
  readonly isRouteHost: (host: HostName) => boolean
  readonly decideFor: DecideFor
  /**
   * The session of these cookies, if it opens, has not ended and is not revoked.
   * @param host whose cookies they are; default: the host of sign-in
   */
  readonly readSession: (cookies: readonly string[], host?: HostName) => MaybePromise<CurrentSession>
  readonly policy: () => SignInPolicy
  /** Of the session's purpose. */
  readonly sessionSeal: Seal
  /** Of a purpose of its own: what travels in `state`. */
  readonly transactionSeal: Seal
  /** Of a purpose of its own: tokens of forms and of the way back from sign-out. */
  readonly formSeal: Seal
  /** What `useOnce` would say now; uses nothing up. */
  readonly mayUse: (id: string) => MaybePromise<Use>
  /** Uses a transaction up; anything but `first` is a refusal. */
  readonly useOnce: (id: string, lifetimeSeconds: number) => MaybePromise<Use>
  /** True when all that was used up so far is written down, or there is nothing to write it to. Never rejects. */
  readonly isSettled: () => Promise<boolean>
  /** Resolves when the revocation is in force and written down; false where that could not be. */
  readonly revokeSession: (session: Session) => MaybePromise<boolean>
  /**
   * Ends what a logout token names: one session of the provider, or all of the subject. Where both are named, the
   * subject's sessions that know no session of the provider end too: it may be theirs. Never rejects.
   */
  readonly endProviderSession: (logout: Logout) => Promise<EndedSessions>
  /** Verifies a logout token. Never rejects. */
  readonly readLogoutToken: (text: string, nowSeconds: number) => Promise<LogoutReading>
  readonly renew: RenewSession
  /** The state's rising number; undefined where the state is out of reach. */
  readonly revocationNumber: () => MaybePromise<number | undefined>
  /** Undefined where one cookie serves the whole domain. */
  readonly tickets?: TicketPorts | undefined
  readonly nowMs: () => number
  /** 128 bits or more from a cryptographic source, base64url. */
  readonly randomId: () => string
  readonly onEvent: (event: SignInEvent) => void
}

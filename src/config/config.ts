// The configuration as the rooms get it: decoded once, at start. Units are in the names, paths are absolute, and every
// secret is a `Secret`.
import type { Network } from '../policy/network.ts'
import type { Secret } from '../policy/secret.ts'
import type { ListenAddress } from './listen-address.ts'
import type { PublicUrl } from './public-url.ts'

export interface Config {
  /** As the operator named it; several files with a comma in between. */
  readonly file: string
  readonly publicUrl: PublicUrl
  readonly listen: {
    readonly decision: ListenAddress
    readonly public: ListenAddress
    readonly admin: ListenAddress
  }
  /** Absolute path of the policy folder. */
  readonly policiesFolder: string
  readonly proxies: ProxiesConfig
  readonly session: SessionConfig
  readonly providers: readonly ProviderConfig[]
  readonly issuers: readonly IssuerConfig[]
  /** Undefined = decisions carry no signed assertion. */
  readonly assertion: AssertionConfig | undefined
  readonly cache: { readonly decisions: number; readonly ttlMs: number }
  readonly state: StateConfig
  readonly audit: AuditConfig
  readonly admin: { readonly tokens: readonly AdminToken[] }
  readonly pages: PagesConfig
  readonly log: { readonly level: LogLevel }
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface ProxiesConfig {
  /** Never empty. */
  readonly trusted: readonly Network[]
  readonly key: Secret | undefined
  readonly hostHeader: 'optional' | 'required'
  readonly externalScheme: 'http' | 'https' | undefined
  /** Lower-case header name per dialect that carries the client's address; undefined = unknown. */
  readonly clientIp: {
    readonly nginx: string | undefined
    readonly forward: string | undefined
    readonly ext: string | undefined
  }
}

export interface SessionConfig {
  /** Base64 of 32 bytes each, see `keyBytes`; the first one seals, every one opens. Never empty. */
  readonly keys: readonly Secret[]
  /** The cookie's `Domain`; the host of `publicUrl` where none is configured. */
  readonly domain: string
  /** One `__Host-` cookie for each host instead of one for the domain. */
  readonly perHost: boolean
  /** Where the hosts of applications reach the public listener, e.g. `/postern`; counts with `perHost` only. */
  readonly prefix: string
  readonly absoluteMs: number
  readonly idleMs: number
  readonly freshnessMs: number
  /** Claims that sessions keep though no policy reads them. */
  readonly claims: readonly string[]
}

interface SourceConfig {
  readonly id: string
  readonly issuer: string
  /** Mapped name → claim of the token, defaults included. */
  readonly claims: Readonly<Record<string, string>>
  /** What `mfa: true` means here; undefined = two factors of different classes. */
  readonly mfa: { readonly amr: readonly string[]; readonly acr: readonly string[] } | undefined
  readonly emailTrusted: boolean
  /** Believed by routes that name no `issuers`. */
  readonly isDefault: boolean
}

/** A provider of sessions (OIDC). */
export interface ProviderConfig extends SourceConfig {
  readonly kind: 'provider'
  readonly clientId: string
  /** Undefined = a public client. */
  readonly clientSecret: Secret | undefined
  readonly scopes: readonly string[]
  /** What the sign-in page calls it. */
  readonly label: string
}

/** An issuer of bearer tokens. */
export interface IssuerConfig extends SourceConfig {
  readonly kind: 'issuer'
  readonly audiences: readonly string[]
  /** What its tokens are, by the kind of the issuer. */
  readonly credential: 'bearer' | 'service-account'
  readonly jwksUri: string | undefined
  readonly subjects: 'people' | 'machines'
  readonly algorithms: readonly string[]
  /** Lower case. */
  readonly tokenTypes: readonly string[]
  readonly maxTokenAgeSeconds: number | undefined
}

export interface AssertionConfig {
  /** PKCS#8 PEM of a key that fits `alg`. */
  readonly key: Secret
  readonly alg: 'ES256' | 'RS256' | 'EdDSA'
  /** At most 300. */
  readonly lifetimeSeconds: number
}

export interface StateConfig {
  readonly kind: 'memory'
  /** Absolute path; undefined = nothing outlives the process. */
  readonly file: string | undefined
  readonly maxStaleMs: number
}

export interface AuditConfig {
  readonly sink:
    | { readonly kind: 'stdout' }
    | {
        readonly kind: 'file'
        readonly path: string
        /** Undefined = the file grows until somebody moves it away. */
        readonly rotation: { readonly bytes: number; readonly keep: number | undefined } | undefined
      }
  /** Undefined = the chain of the log is not signed. */
  readonly chain: { readonly key: Secret; readonly checkpointMs: number } | undefined
}

export interface PagesConfig {
  /** An address to write to; undefined = the denied page offers nothing. */
  readonly accessContact: string | undefined
}

export interface AdminToken {
  readonly id: string
  readonly token: Secret
}

/** The 32 bytes of a session key. */
export const keyBytes = (key: Secret): Uint8Array => Buffer.from(key.reveal(), 'base64')

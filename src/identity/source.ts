// Who may vouch for whom: the providers that sign people in and the issuers of bearer tokens, as configured.

/** Which claim of a token feeds which mapped name, e.g. `{groups: 'roles', user: 'preferred_username'}`. */
export type ClaimMapping = Readonly<Record<string, string>>

interface Source {
  readonly id: string
  /** Exact issuer identifier (OIDC Core §2, RFC 8414 §2). */
  readonly issuer: string
  readonly claims: ClaimMapping
  readonly isDefault: boolean
  readonly emailTrusted: boolean
  /** What `mfa: true` means here; undefined = the default of RFC 8176 classes. */
  readonly mfa: { readonly amr: readonly string[]; readonly acr: readonly string[] } | undefined
}

/** A provider of sessions (OIDC). */
export interface ProviderSource extends Source {
  readonly kind: 'provider'
  readonly clientId: string
}

/** An issuer of bearer tokens. */
export interface IssuerSource extends Source {
  readonly kind: 'issuer'
  readonly audiences: readonly string[]
  /** What its tokens are; those of a cluster's service accounts are a kind of their own. */
  readonly credential: 'bearer' | 'service-account'
  readonly algorithms: readonly string[]
  /** Where its keys are; undefined = by discovery at the issuer. */
  readonly jwksUri: string | undefined
  /** `people`: its subjects are persons and `authenticated` hits them. */
  readonly subjects: 'people' | 'machines'
  /** `typ` values that are accepted, lower case, e.g. `at+jwt`, `jwt`. */
  readonly tokenTypes: readonly string[]
  /** Longest time since `iat`; of service accounts also between `iat` and `exp`. */
  readonly maxTokenAgeSeconds: number | undefined
}

export type IdentitySource = ProviderSource | IssuerSource

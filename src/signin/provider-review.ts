// What a provider says of itself, held against what sign-in asks of it. Reads its metadata only; nothing is fetched.
import type { Configuration, ServerMetadata } from 'openid-client'
import type { ProviderSettings } from './deps.ts'
import { isPermittedUrl } from './provider-fetch.ts'

/** `error`: a sign-in would fail. `warning`: it may, and the provider does not say. */
export interface ReviewFault {
  readonly severity: 'error' | 'warning'
  readonly what: string
  readonly why: string
  readonly mend: string
}

export interface ProviderReview {
  readonly faults: readonly ReviewFault[]
  /** Algorithms with which it may sign ID tokens (OIDC Discovery §3; without it, RS256). */
  readonly idTokenAlgorithms: readonly string[]
  readonly jwksUri: string | undefined
  /** It takes PKCE with S256, and says so. */
  readonly pkce: boolean
  /** Signing out here ends the session there (OIDC RP-Initiated Logout §2.1). */
  readonly endSession: boolean
  /** It tells when a session ends there (OIDC Back-Channel Logout §2.1). */
  readonly backChannelLogout: boolean
}

/**
 * Reviews a provider that was found.
 * @param client its metadata is untrusted
 * @returns what would go wrong, and what it offers. Never throws.
 */
export const reviewProvider = (client: Configuration, settings: ProviderSettings): ProviderReview => {
  const metadata = client.serverMetadata()
  return {
    faults: [
      ...endpointFaults(metadata),
      ...pkceFaults(metadata),
      ...flowFaults(metadata),
      ...clientFaults(metadata, settings),
      ...scopeFaults(metadata, settings),
    ],
    idTokenAlgorithms: textsOf(metadata.id_token_signing_alg_values_supported) ?? ['RS256'],
    jwksUri: metadata.jwks_uri,
    pkce: takesPkce(metadata),
    endSession: metadata.end_session_endpoint !== undefined,
    backChannelLogout: metadata.backchannel_logout_supported === true,
  }
}

/** Lists of other people's metadata are lists of texts, or nothing that we read. */
const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : undefined

const endpointFaults = (metadata: ServerMetadata): readonly ReviewFault[] => {
  const endpoints = [
    ['token_endpoint', metadata.token_endpoint, true],
    ['jwks_uri', metadata.jwks_uri, true],
    ['userinfo_endpoint', metadata.userinfo_endpoint, false],
  ] as const
  return endpoints.flatMap(([name, address, needed]): readonly ReviewFault[] => {
    if (address === undefined)
      return needed
        ? [{ severity: 'error', what: `its metadata has no \`${name}\``, why: NEEDED, mend: ASK_PROVIDER }]
        : []
    return isPermittedUrl(address)
      ? []
      : [
          {
            severity: 'error',
            what: `its \`${name}\` is an address that is not permitted`,
            why: 'nothing but https is used, outside of this machine, and never an address of the link',
            mend: ASK_PROVIDER,
          },
        ]
  })
}

const NEEDED = 'a sign-in cannot be completed without it'
const ASK_PROVIDER = 'whoever runs the provider has to mend its discovery document'

const takesPkce = (metadata: ServerMetadata): boolean =>
  textsOf(metadata.code_challenge_methods_supported)?.includes('S256') === true

/** Every sign-in is made with PKCE and S256 (RFC 9700 §2.1.1). */
const pkceFaults = (metadata: ServerMetadata): readonly ReviewFault[] => {
  if (takesPkce(metadata)) return []
  return textsOf(metadata.code_challenge_methods_supported) === undefined
    ? [
        {
          severity: 'warning',
          what: 'its metadata does not say whether it takes PKCE with `S256`',
          why: 'every sign-in uses it; a provider that does not know it ignores it, and a stolen code is then worth more',
          mend: 'look into its documentation, and switch PKCE on for this client',
        },
      ]
    : [
        {
          severity: 'error',
          what: 'it does not take PKCE with `S256`',
          why: 'every sign-in uses it, and this provider would refuse it',
          mend: 'switch it on at the provider for this client',
        },
      ]
}

const flowFaults = (metadata: ServerMetadata): readonly ReviewFault[] =>
  textsOf(metadata.response_types_supported)?.includes('code') === false
    ? [
        {
          severity: 'error',
          what: 'it does not offer the code flow (`response_types_supported` lacks `code`)',
          why: 'Postern uses no other',
          mend: 'switch the code flow on at the provider',
        },
      ]
    : []

const clientFaults = (
  metadata: ServerMetadata,
  { clientSecret }: ProviderSettings,
): readonly ReviewFault[] => {
  const methods = textsOf(metadata.token_endpoint_auth_methods_supported)
  const ours = clientSecret === undefined ? ['none'] : ['client_secret_basic', 'client_secret_post']
  if (methods === undefined || ours.some((one) => methods.includes(one))) return []
  return [
    {
      severity: clientSecret === undefined ? 'warning' : 'error',
      what: `its token endpoint does not list ${ours.map((one) => `\`${one}\``).join(' or ')}`,
      why: `the client authenticates in no other way ${clientSecret === undefined ? 'without' : 'with'} a \`clientSecret\``,
      mend:
        clientSecret === undefined
          ? 'register a confidential client and name its secret in `clientSecret`'
          : 'let the provider accept a client secret for this client',
    },
  ]
}

const scopeFaults = (metadata: ServerMetadata, { scopes }: ProviderSettings): readonly ReviewFault[] => {
  const offered = textsOf(metadata.scopes_supported)
  const missing = offered === undefined ? [] : scopes.filter((scope) => !offered.includes(scope))
  return missing.length === 0
    ? []
    : [
        {
          severity: 'warning',
          what: `it does not list the ${missing.length === 1 ? 'scope' : 'scopes'} ${missing.map((one) => `\`${one}\``).join(', ')}`,
          why: 'a scope that it does not know is refused or ignored, and the claims behind it are then absent',
          mend: 'take it out of `scopes`, or define it at the provider',
        },
      ]
}

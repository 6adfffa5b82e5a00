// Decodes who may vouch for whom: what each source asserts, and which ones are believed where a route names none.
import { secret, seconds, sure, type DecodeContext } from './checked.ts'
import type { IssuerConfig, ProviderConfig } from './config.ts'
import type { Settings } from './schema.ts'

/** What a provider may assert unless it is configured otherwise: OIDC Core §5.1 without what is no text, and no groups. */
export const STANDARD_CLAIMS = [
  'sub',
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'email',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'phone_number',
  'updated_at',
] as const

const mapping = (
  defaults: readonly string[],
  written: Readonly<Record<string, string | false>>,
): Readonly<Record<string, string>> => {
  const mapped = new Map<string, string | false>([
    ...defaults.map((name) => [name, name] as const),
    ...Object.entries(written),
  ])
  return Object.fromEntries([...mapped].filter((entry): entry is [string, string] => entry[1] !== false))
}

/** `default: true`, or the only one of its kind that does not say otherwise. */
const isDefault = (sources: readonly { readonly default?: boolean | undefined }[], index: number): boolean =>
  sources[index]?.default ?? sources.length === 1

/** Decodes the provider at an index. */
export const decodeProvider = (
  { providers }: Settings,
  index: number,
  context: DecodeContext,
): ProviderConfig => {
  const provider = sure(providers[index])
  return {
    kind: 'provider',
    id: provider.id,
    issuer: provider.issuer,
    clientId: provider.clientId,
    clientSecret:
      provider.clientSecret === undefined ? undefined : secret(context, `providers[${index}].clientSecret`),
    scopes: provider.scopes,
    claims: mapping(STANDARD_CLAIMS, provider.claims),
    mfa: provider.mfa,
    emailTrusted: provider.emailTrusted,
    isDefault: isDefault(providers, index),
    label: provider.label ?? provider.id,
  }
}

/** What the kind of an issuer says about its tokens. Those of a cluster have no `typ`, and are asked for by the hour. */
const ISSUER_STANDARD = {
  oidc: { credential: 'bearer', tokenTypes: ['at+jwt', 'jwt'], maxTokenAgeSeconds: undefined },
  kubernetes: { credential: 'service-account', tokenTypes: ['jwt'], maxTokenAgeSeconds: 3600 },
} as const

/** Decodes the issuer at an index. */
export const decodeIssuer = ({ issuers }: Settings, index: number): IssuerConfig => {
  const issuer = sure(issuers[index])
  const standard = ISSUER_STANDARD[issuer.kind === 'kubernetes' ? 'kubernetes' : 'oidc']
  return {
    kind: 'issuer',
    id: issuer.id,
    issuer: issuer.issuer,
    audiences: typeof issuer.audience === 'string' ? [issuer.audience] : issuer.audience,
    credential: standard.credential,
    jwksUri: issuer.jwksUri,
    claims: mapping(['sub'], issuer.claims),
    subjects: issuer.subjects,
    algorithms: issuer.algorithms,
    tokenTypes: issuer.tokenTypes ?? standard.tokenTypes,
    maxTokenAgeSeconds:
      issuer.maxTokenAge === undefined ? standard.maxTokenAgeSeconds : seconds(issuer.maxTokenAge),
    mfa: issuer.mfa,
    emailTrusted: issuer.emailTrusted,
    isDefault: isDefault(issuers, index),
  }
}

// Settings that passed every check become the configuration: texts to numbers, paths to absolute ones, references to
// secrets. Nothing here can fail any more; what would is a fault of the checks before it.
import { resolve } from 'node:path'
import { normalizeHost } from '../policy/host-pattern.ts'
import { parseNetwork } from '../policy/network.ts'
import type { Secret } from '../policy/secret.ts'
import type {
  AdminToken,
  AssertionConfig,
  Config,
  IssuerConfig,
  ProviderConfig,
  ProxiesConfig,
  SessionConfig,
} from './config.ts'
import { parseDurationMs } from './duration.ts'
import { parseListenAddress } from './listen-address.ts'
import { parsePublicUrl, type PublicUrl } from './public-url.ts'
import type { Settings } from './schema.ts'
import type { Secrets } from './secret-source.ts'

/** What decoding needs beside the settings. */
export interface DecodeContext {
  readonly file: string
  /** Absolute; paths in the settings are relative to it. */
  readonly folder: string
  readonly secrets: Secrets
}

/**
 * Decodes settings.
 * @throws {TypeError} where a setting was not checked before: a fault of Postern
 */
export const decode = (settings: Settings, context: DecodeContext): Config => {
  const publicUrl = decodePublicUrl(settings.publicUrl)
  const { listen, state, audit } = settings
  return {
    file: context.file,
    publicUrl,
    listen: {
      decision: sure(parseListenAddress(listen.decision)),
      public: sure(parseListenAddress(listen.public)),
      admin: sure(parseListenAddress(listen.admin)),
    },
    policiesFolder: resolve(context.folder, settings.policies),
    proxies: decodeProxies(settings, context),
    session: decodeSession(settings, context, publicUrl),
    providers: settings.providers.map((_, index) => decodeProvider(settings, index, context)),
    issuers: settings.issuers.map((_, index) => decodeIssuer(settings, index)),
    assertion: decodeAssertion(settings, context),
    cache: { decisions: settings.cache.decisions, ttlMs: ms(settings.cache.ttl) },
    state: {
      kind: 'memory',
      file: state.file === undefined ? undefined : resolve(context.folder, state.file),
      maxStaleMs: ms(state.maxStale),
    },
    audit: {
      sink:
        audit.sink === 'stdout'
          ? { kind: 'stdout' }
          : { kind: 'file', path: resolve(context.folder, audit.sink.file) },
    },
    admin: { tokens: decodeTokens(settings, context) },
    log: settings.log,
  }
}

const sure = <T>(value: T | undefined): T => {
  if (value === undefined) throw new TypeError('a setting was decoded that had not been checked')
  return value
}

const ms = (duration: string): number => sure(parseDurationMs(duration))
const seconds = (duration: string): number => Math.ceil(ms(duration) / 1000)

const secret = ({ secrets }: DecodeContext, path: string): Secret => sure(secrets.get(path))

const decodePublicUrl = (text: string): PublicUrl => {
  const reading = parsePublicUrl(text)
  return sure(reading.kind === 'url' ? reading.url : undefined)
}

const decodeProxies = ({ proxies }: Settings, context: DecodeContext): ProxiesConfig => ({
  trusted: proxies.trusted.map((network) => sure(parseNetwork(network))),
  key: proxies.key === undefined ? undefined : secret(context, 'proxies.key'),
  hostHeader: proxies.hostHeader,
  externalScheme: proxies.externalScheme,
  clientIp: {
    nginx: proxies.clientIp.nginx?.toLowerCase(),
    forward: proxies.clientIp.forward?.toLowerCase(),
    ext: proxies.clientIp.ext?.toLowerCase(),
  },
})

const decodeSession = (
  { session }: Settings,
  context: DecodeContext,
  publicUrl: PublicUrl,
): SessionConfig => ({
  keys: session.keys.map((_, index) => secret(context, `session.keys[${index}]`)),
  domain: sure(normalizeHost(session.domain ?? publicUrl.host)),
  perHost: session.host,
  absoluteMs: ms(session.absolute),
  idleMs: ms(session.idle),
  freshnessMs: ms(session.freshness),
  claims: session.claims,
})

/** OIDC Core §5.1 without what is no text; groups are not among them. */
const STANDARD_CLAIMS = [
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

const decodeProvider = ({ providers }: Settings, index: number, context: DecodeContext): ProviderConfig => {
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

const decodeIssuer = ({ issuers }: Settings, index: number): IssuerConfig => {
  const issuer = sure(issuers[index])
  return {
    kind: 'issuer',
    id: issuer.id,
    issuer: issuer.issuer,
    audiences: typeof issuer.audience === 'string' ? [issuer.audience] : issuer.audience,
    jwksUri: issuer.jwksUri,
    claims: mapping(['sub'], issuer.claims),
    subjects: issuer.subjects,
    algorithms: issuer.algorithms,
    tokenTypes: issuer.tokenTypes,
    maxTokenAgeSeconds: issuer.maxTokenAge === undefined ? undefined : seconds(issuer.maxTokenAge),
    mfa: issuer.mfa,
    emailTrusted: issuer.emailTrusted,
    isDefault: isDefault(issuers, index),
  }
}

const decodeAssertion = ({ assertion }: Settings, context: DecodeContext): AssertionConfig | undefined =>
  assertion === undefined
    ? undefined
    : {
        key: secret(context, 'assertion.key'),
        alg: assertion.alg,
        lifetimeSeconds: Math.floor(ms(assertion.lifetime) / 1000),
      }

const decodeTokens = ({ admin }: Settings, context: DecodeContext): readonly AdminToken[] =>
  admin.token === undefined
    ? (admin.tokens ?? []).map(({ id }, index) => ({ id, token: secret(context, `admin.tokens[${index}]`) }))
    : [{ id: 'admin', token: secret(context, 'admin.token') }]

// Settings that passed every check become the configuration: texts to numbers, paths to absolute ones, references to
// secrets. Nothing here can fail any more; what would is a fault of the checks before it.
import { normalizeHost } from '../policy/host-pattern.ts'
import { parseNetwork } from '../policy/network.ts'
import { parseByteSize } from './byte-size.ts'
import { absolute, ms, secret, sure, type DecodeContext } from './checked.ts'
import type {
  AdminToken,
  AssertionConfig,
  AuditConfig,
  Config,
  ProxiesConfig,
  SessionConfig,
} from './config.ts'
import { decodeIssuer, decodeProvider } from './decode-sources.ts'
import { parseListenAddress } from './listen-address.ts'
import { parsePublicUrl, type PublicUrl } from './public-url.ts'
import type { Settings } from './schema.ts'

/**
 * Decodes settings.
 * @throws {TypeError} where a setting was not checked before: a fault of Postern
 */
export const decode = (settings: Settings, context: DecodeContext): Config => {
  const publicUrl = decodePublicUrl(settings.publicUrl)
  const { listen, state } = settings
  return {
    file: context.file,
    publicUrl,
    listen: {
      decision: sure(parseListenAddress(listen.decision)),
      public: sure(parseListenAddress(listen.public)),
      admin: sure(parseListenAddress(listen.admin)),
    },
    policiesFolder: absolute(context, ['policies'], settings.policies),
    proxies: decodeProxies(settings, context),
    session: decodeSession(settings, context, publicUrl),
    providers: settings.providers.map((_, index) => decodeProvider(settings, index, context)),
    issuers: settings.issuers.map((_, index) => decodeIssuer(settings, index)),
    assertion: decodeAssertion(settings, context),
    cache: { decisions: settings.cache.decisions, ttlMs: ms(settings.cache.ttl) },
    state: {
      kind: 'memory',
      file: state.file === undefined ? undefined : absolute(context, ['state', 'file'], state.file),
      maxStaleMs: ms(state.maxStale),
    },
    audit: decodeAudit(settings, context),
    admin: { tokens: decodeTokens(settings, context) },
    pages: { accessContact: settings.pages.accessContact },
    log: settings.log,
  }
}

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
  prefix: session.prefix ?? '/postern',
  absoluteMs: ms(session.absolute),
  idleMs: ms(session.idle),
  freshnessMs: ms(session.freshness),
  claims: session.claims,
})

const decodeAssertion = ({ assertion }: Settings, context: DecodeContext): AssertionConfig | undefined =>
  assertion === undefined
    ? undefined
    : {
        key: secret(context, 'assertion.key'),
        alg: assertion.alg,
        lifetimeSeconds: Math.floor(ms(assertion.lifetime) / 1000),
      }

const decodeAudit = ({ audit }: Settings, context: DecodeContext): AuditConfig => ({
  sink: decodeSink(audit.sink, context),
  chain:
    audit.chain === undefined
      ? undefined
      : { key: secret(context, 'audit.chain.key'), checkpointMs: ms(audit.chain.checkpoint) },
})

const decodeSink = (sink: Settings['audit']['sink'], context: DecodeContext): AuditConfig['sink'] => {
  if (sink === 'stdout') return { kind: 'stdout' }
  const { file, rotate } = sink
  const rotation =
    rotate === undefined ? undefined : { bytes: sure(parseByteSize(rotate.size)), keep: rotate.keep }
  return { kind: 'file', path: absolute(context, ['audit', 'sink', 'file'], file), rotation }
}

const decodeTokens = ({ admin }: Settings, context: DecodeContext): readonly AdminToken[] =>
  admin.token === undefined
    ? (admin.tokens ?? []).map(({ id }, index) => ({ id, token: secret(context, `admin.tokens[${index}]`) }))
    : [{ id: 'admin', token: secret(context, 'admin.token') }]

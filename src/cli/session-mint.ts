// Mints a session without a sign-in. Whoever holds the session keys can do that anyway; this way it is logged.
import { randomBytes } from 'node:crypto'
import { appendChain, wholeChain } from '../audit/append-chain.ts'
import { makeLogSigner } from '../audit/log-key.ts'
import type { Config, ProviderConfig } from '../config/config.ts'
import { parseDurationMs } from '../config/duration.ts'
import { fitSession } from '../identity/session-fit.ts'
import { sealSession, SESSION_BYTES_MAX, SESSION_PURPOSE } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import { loadPolicies } from '../policy-file/load.ts'
import { didYouMean } from '../policy/closest-word.ts'
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import type { ClaimScalar, ClaimValue } from '../policy/principal.ts'
import { cookieBinding, sealFor } from '../server/compose-identity.ts'
import { makeSessionPolicy } from '../server/session-policy.ts'
import type { SignInPolicy } from '../signin/deps.ts'
import { readRevocationNumber } from '../state/revocation-number.ts'
import { complain } from './complain.ts'
import { flagsOf, type GivenOptions } from './config-options.ts'
import { loadedConfig } from './loaded-config.ts'
import { otherOwner } from './log-owner.ts'

export interface MintOptions extends GivenOptions {
  readonly config: readonly string[]
  readonly provider: string
  readonly sub: string
  readonly email: string | undefined
  readonly claim: readonly string[]
  readonly amr: readonly string[]
  readonly acr: string | undefined
  readonly ttl: string
  readonly host: string | undefined
}

/** Prints `name=value`; returns the exit code. Nothing is printed on standard output where something is wrong. */
export const mintSession = async (options: MintOptions): Promise<number> => {
  const config = loadedConfig(options.config, flagsOf(options))
  if (config === undefined) return 2
  const provider = config.providers.find(({ id }) => id === options.provider)
  if (provider === undefined) return complain(unknownProvider(config, options.provider))
  const host = readHost(options.host, config)
  if (host.kind === 'bad') return complain(host.why)
  const ttlMs = readTtlMs(options.ttl, config)
  if (typeof ttlMs === 'string') return complain(ttlMs)
  const claims = readClaims(options, provider)
  if (typeof claims === 'string') return complain(claims)
  const stranger = await ownerFault(config)
  if (stranger !== undefined) return complain(stranger)
  const number = await revocationNumber(config)
  if (typeof number === 'string') return complain(number)
  const policy = await sessionPolicy(config)
  const session = fitSession(
    newSession(options, claims, ttlMs, number, policy),
    SESSION_BYTES_MAX,
    policy.fit,
  )
  const binding = cookieBinding(config, host.host)
  const sealed = sealSession(sealFor(config, SESSION_PURPOSE), session, binding)
  if (sealed.kind === 'too-large')
    return complain(
      `the session takes ${sealed.bytes} bytes and a cookie ${SESSION_BYTES_MAX}; leave claims out`,
    )
  await record(config, session)
  process.stdout.write(`${binding.name}=${sealed.value}\n`)
  return 0
}

const unknownProvider = (config: Config, id: string): string => {
  const known = config.providers.map((provider) => `\`${provider.id}\``).join(', ')
  return `\`--provider\`: \`${id}\` is not configured in ${config.file}; ${known === '' ? 'there is none' : `there is ${known}`}`
}

type HostReading =
  | { readonly kind: 'host'; readonly host: HostName }
  | { readonly kind: 'bad'; readonly why: string }

const readHost = (text: string | undefined, config: Config): HostReading => {
  const { perHost } = config.session
  if (perHost === (text === undefined))
    return {
      kind: 'bad',
      why: perHost
        ? 'each host has a session cookie of its own (`session.host`); name one with `--host`'
        : '`--host` counts only with `session.host: true`; the cookie is good for the whole domain',
    }
  const host = text === undefined ? config.publicUrl.host : normalizeHost(text)
  return host === undefined
    ? { kind: 'bad', why: `\`--host\`: \`${text}\` is no host; write \`app.example.com\`` }
    : { kind: 'host', host }
}

/** What was revoked is remembered for `session.absolute`: a session that lives longer would come back. */
const readTtlMs = (text: string, { session }: Config): number | string => {
  const ttlMs = parseDurationMs(text)
  if (ttlMs === undefined) return `\`--ttl\`: \`${text}\` is no duration; write \`1h\` or \`30m\``
  if (ttlMs <= session.absoluteMs) return ttlMs
  return (
    `\`--ttl\`: \`${text}\` is longer than a session may live, ${session.absoluteMs / 60_000} minutes; ` +
    `write less, or raise \`session.absolute\``
  )
}

/** The policies say what a session captures; a folder that does not load leaves it at what was asked for. */
const sessionPolicy = async (config: Config): Promise<SignInPolicy> => {
  const load = await loadPolicies(config.policiesFolder)
  if (load.kind === 'loaded') return makeSessionPolicy(config.session.claims)(load.set)
  process.stderr.write('the policies do not load; only the claims that were named are in the session\n')
  return {
    claims: config.session.claims,
    fit: { headerOnlyClaims: new Set(), namedGroups: new Set(), groupsRevision: '' },
  }
}

/**
 * Numbers of revocations rise with the clock: one from before this second is below every later revocation, and not
 * below any earlier one.
 */
const revocationNumber = async (config: Config): Promise<number | string> => {
  const beforeNowSeconds = Math.floor(Date.now() / 1000) - 1
  if (config.state.file === undefined) return beforeNowSeconds
  const reading = await readRevocationNumber(
    config.state.file,
    sealFor(config, 'state'),
    () => Date.now() / 1000,
  )
  return reading.kind === 'number'
    ? Math.max(reading.number, beforeNowSeconds)
    : `\`state.file\`: ${reading.why}`
}

const newSession = (
  options: MintOptions,
  claims: ReadonlyMap<string, ClaimValue>,
  ttlMs: number,
  revocationNumberNow: number,
  policy: SignInPolicy,
): Session => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return {
    id: randomBytes(18).toString('base64url'),
    provider: options.provider,
    subject: options.sub,
    providerSession: undefined,
    authTimeSeconds: nowSeconds,
    amr: options.amr,
    acr: options.acr,
    issuedAtSeconds: nowSeconds,
    learnedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + Math.max(1, Math.floor(ttlMs / 1000)),
    revocationNumber: revocationNumberNow,
    claims: Object.fromEntries(claims),
    captured: [...new Set([...policy.claims, ...claims.keys()])].toSorted(),
    cut: [],
    groupsRevision: undefined,
    emailVerified: options.email !== undefined,
    stepUp: undefined,
  }
}

const readClaims = (
  options: MintOptions,
  provider: ProviderConfig,
): ReadonlyMap<string, ClaimValue> | string => {
  const claims = new Map<string, ClaimValue>()
  if (options.email !== undefined) claims.set('email', options.email)
  for (const text of options.claim) {
    const equals = text.indexOf('=')
    const value = equals < 1 ? undefined : readValue(text.slice(equals + 1))
    if (value === undefined)
      return `\`--claim\`: \`${text}\` is no claim; write \`dept=payroll\` or \`groups=["sre"]\``
    const name = text.slice(0, equals)
    if (!Object.hasOwn(provider.claims, name)) return unmapped(name, provider)
    claims.set(name, value)
  }
  return claims
}

/** A sign-in could never bring it: what a probe saw with it would not be what people see. */
const unmapped = (name: string, { id, claims }: ProviderConfig): string => {
  const names = Object.keys(claims)
  const mapped = names.map((one) => `\`${one}\``).join(', ')
  return (
    `\`--claim\`: \`${name}\` is not mapped by \`${id}\`${didYouMean(name, names)}; mapped are ${mapped}; ` +
    `use one of them, or map it in \`claims\` of that entry of \`providers\``
  )
}

/** JSON where it is JSON; any other text is a text, unless it was meant to be JSON. Objects are no claim values. */
const readValue = (text: string): ClaimValue | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return /^\s*[[{"]/.test(text) ? undefined : text
  }
  if (isScalar(value)) return value
  return Array.isArray(value) && value.every(isScalar) ? value : undefined
}

const isScalar = (value: unknown): value is ClaimScalar =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value))

/** A log that root begins could not be written by the service afterwards. */
const ownerFault = async ({ audit }: Config): Promise<string | undefined> => {
  if (audit.sink.kind !== 'file') return undefined
  const { path } = audit.sink
  const owner = await otherOwner(path, process.getuid?.())
  return owner === undefined
    ? undefined
    : `\`audit.sink\`: ${path} is not there yet, and as root this would make a file that the service cannot write: ` +
        `its folder belongs to user ${owner}; run it as that user, like \`runuser -u postern -- postern session mint …\``
}

/** One line and the chain of its own that proves it: into the log's file, or on standard error. */
const record = async (config: Config, session: Session): Promise<void> => {
  const { sink, chain } = config.audit
  const line = {
    v: 1,
    type: 'session.mint',
    ts: new Date().toISOString(),
    session: session.id,
    sub: { kind: 'user', id: `${session.provider}|${session.subject}` },
    expires: new Date(session.expiresAtSeconds * 1000).toISOString(),
  } as const
  const text = await wholeChain([line], {
    writerId: `mint-${process.pid}-${session.id.slice(0, 6)}`,
    nowMs: Date.now,
    signer: chain === undefined ? undefined : makeLogSigner(chain.key.reveal()),
  })
  if (sink.kind === 'file') await appendChain(sink.path, text)
  else process.stderr.write(text)
}

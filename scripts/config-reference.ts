// Writes the table of keys in docs/configuration.md from the schema that the service reads its configuration with. With
// `--check` it writes nothing and fails where the table is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { DURATION } from '../src/config/duration.ts'
import { configSchema } from '../src/config/schema.ts'

type Schema = z.core.$ZodType

/** One key of `postern.yaml`. */
export interface Key {
  /** `[]` stands for an entry of a list, e.g. `providers[].id`. */
  readonly path: string
  /** What may be written, in Markdown. */
  readonly value: string
  /** In Markdown; `required` where there is none and the key may not be left out. */
  readonly standard: string
  readonly meaning: string
}

/** Keys whose name and value say all that the schema has to say; the others describe themselves. */
const MEANING: Readonly<Record<string, string>> = {
  listen: 'host and port of the three listeners',
  'proxies.clientIp.nginx': 'for `/authz/nginx`, such as `X-Real-IP`',
  'proxies.clientIp.forward': 'for `/authz/forward`, such as `X-Forwarded-For` (its last entry)',
  'proxies.clientIp.ext': 'for `/authz/ext`, such as `X-Envoy-External-Address`',
  dialects: 'drop-in answers for clients of other services',
  'providers[].scopes': 'asked for at sign-in; must hold `openid`',
  'providers[].mfa.amr': 'authentication methods, any of which counts',
  'providers[].mfa.acr': 'authentication contexts, any of which counts; asked for at a step-up',
  'issuers[].kind':
    '`oidc`: any issuer of JWTs with a JWKS; `kubernetes`: a cluster, whose tokens are service accounts; the others are **not built yet**',
  'issuers[].algorithms': 'accepted signature algorithms',
  'issuers[].mfa.amr': 'as for providers',
  'issuers[].mfa.acr': 'as for providers',
  'issuers[].emailTrusted': 'believe `email` without `email_verified`',
  'issuers[].default': 'believed by routes that name no `issuers`',
  introspection: 'opaque tokens (RFC 7662)',
  kubernetes: 'TokenReview of service account tokens',
  apiKeys: 'file of API keys',
  basic: 'passwords of the old control',
  assertion: 'the signed assertion in `X-Postern-Assertion`; without it the header is empty',
  'assertion.alg': 'must fit the key',
  cache: 'the decision cache',
  'cache.ttl': 'longest time that a decision is kept',
  state: 'what outlives a request: revocations, last uses, used sign-ins, what providers gave',
  'state.kind': '`valkey` is **not built yet**',
  'state.replicas': 'how many services share the state; more than 1 is an error with `memory`',
  audit: 'the decision log',
  'audit.sink':
    '`stdout` or `{file: PATH}`; a file has mode 0600; `rotate: {size: 100MB, keep: 10}` beside `file` begins a new one when it is full',
  'admin.token': 'one bearer token for `/admin/v1/*`; the log calls it `admin`',
  'admin.tokens[].id': 'who this is, in the log',
  'admin.tokens[].file': 'where the token is; this or `env`',
  'admin.tokens[].env': 'variable that holds it; this or `file`',
  'log.level': 'least level of a line on standard error',
}

const bare = (schema: Schema): Schema =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? bare(schema.unwrap())
    : schema

/** The descriptions from the outside in. */
const descriptionOf = (schema: Schema): string | undefined => {
  const own = z.globalRegistry.get(schema)?.description
  const inner = bare(schema)
  return own ?? (inner === schema ? undefined : z.globalRegistry.get(inner)?.description)
}

/** True for a key that the schema knows and no code stands behind. */
const isNotBuilt = (schema: Schema): boolean =>
  (bare(schema)._zod.def.checks ?? []).some((check) => {
    const complain: unknown = Reflect.get(check._zod.def, 'error')
    if (check._zod.def.check !== 'custom' || typeof complain !== 'function') return false
    const said: unknown = Reflect.apply(complain, undefined, [{ code: 'custom', input: undefined }])
    return typeof said === 'string' && said.includes('not built yet; leave it out')
  })

const isSecret = (schema: Schema): boolean =>
  schema instanceof z.ZodUnion &&
  schema.options
    .map((option) => (option instanceof z.ZodObject ? Object.keys(option.shape).join() : ''))
    .join() === 'file,env'

const code = (text: string): string => `\`${text.replaceAll('|', String.raw`\|`)}\``

const kindOf = (given: Schema): string => {
  const schema = bare(given)
  if (isSecret(schema)) return 'secret'
  if (schema instanceof z.ZodUnion) return schema.options.map(kindOf).join(' or ')
  if (schema instanceof z.ZodArray) return `list of ${kindOf(schema.element)}`
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => code(String(option))).join(', ')
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => code(String(value))).join(', ')
  if (schema instanceof z.ZodRecord) return 'map'
  if (schema instanceof z.ZodObject) return 'map'
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodBoolean) return '`true`, `false`'
  return isDuration(schema) ? 'duration' : 'text'
}

const isDuration = (schema: Schema): boolean =>
  schema instanceof z.ZodString &&
  (schema._zod.def.checks ?? []).some(
    ({ _zod: { def } }) => 'pattern' in def && String(def.pattern) === String(DURATION),
  )

const standardOf = (schema: Schema): string => {
  if (schema instanceof z.ZodOptional) return ''
  if (schema instanceof z.ZodPrefault) return ''
  if (!(schema instanceof z.ZodDefault)) return 'required'
  const value: unknown = schema.def.defaultValue
  return code(Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value))
}

const keysOf = (given: Schema, path: string): readonly Key[] => {
  const schema = bare(given)
  if (schema instanceof z.ZodArray) {
    const element = bare(schema.element)
    return element instanceof z.ZodObject ? keysOf(element, `${path}[]`) : []
  }
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const at = path === '' ? name : `${path}.${name}`
    const notBuilt = isNotBuilt(child)
    const described = descriptionOf(child)
    const meaning = [
      described,
      described === undefined ? MEANING[at] : undefined,
      notBuilt ? '**not built yet**' : undefined,
    ]
    const own: Key = {
      path: at,
      value: kindOf(child),
      standard: standardOf(child),
      meaning: meaning
        .filter((part) => part !== undefined)
        .join('; ')
        .replaceAll('|', String.raw`\|`),
    }
    // What is inside of a key that nothing stands behind need not be learned.
    return [own, ...(notBuilt ? [] : keysOf(child, at))]
  })
}

/** Every key, in the order of the schema. */
export const CONFIG_KEYS: readonly Key[] = keysOf(configSchema, '')

/** Meanings that this file gives to keys which are not there, or which describe themselves. */
export const idleMeanings = (): readonly string[] => {
  const used = new Set(
    CONFIG_KEYS.filter(
      (key) => MEANING[key.path] !== undefined && key.meaning.startsWith(MEANING[key.path] ?? ''),
    ).map((key) => key.path),
  )
  return Object.keys(MEANING).filter((path) => !used.has(path))
}

const BEGIN = '<!-- keys: written by scripts/config-reference.ts -->'
const END = '<!-- end of keys -->'
export const REFERENCE_FILE = 'docs/configuration.md'

/** The table. */
export const referenceTable = (): string =>
  [
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...CONFIG_KEYS.map(
      ({ path, value, standard, meaning }) => `| ${code(path)} | ${value} | ${standard} | ${meaning} |`,
    ),
  ].join('\n')

/** The page with the table that belongs into it. */
export const withReference = (page: string): string => {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`${REFERENCE_FILE} has no place for the keys`)
  return `${page.slice(0, begin + BEGIN.length)}\n${referenceTable()}\n${page.slice(end)}`
}

if (import.meta.main) {
  const page = readFileSync(REFERENCE_FILE, 'utf8')
  const next = withReference(page)
  if (page === next) process.exitCode = 0
  else if (process.argv.includes('--check')) {
    console.error(`the keys in ${REFERENCE_FILE} are stale; run \`node scripts/config-reference.ts\``)
    process.exitCode = 1
  } else {
    writeFileSync(REFERENCE_FILE, next)
    console.error(`wrote the keys in ${REFERENCE_FILE}`)
  }
}

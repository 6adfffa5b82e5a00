// The one way from `postern.yaml` to the configuration: file, variables, flags, defaults; then every check; then secrets
// are read and values decoded. Serving, checking and showing all go this way, so that none of them knows better.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Secret } from '../policy/secret.ts'
import { makeComplain, type Complain } from './complaint.ts'
import type { Config } from './config.ts'
import { crossFindings } from './cross-rules.ts'
import { decode } from './decode.ts'
import { pathText, type ConfigIssue, type Origin, type Path } from './issue.ts'
import { layer, type Environment } from './layers.ts'
import { configSchema, type Settings } from './schema.ts'
import { schemaFaults } from './schema-issues.ts'
import { faultOf, readSecret, secretPlaces, type SecretPlace, type Secrets } from './secret-source.ts'
import { strangeVariables } from './setting.ts'
import { readYaml } from './yaml-source.ts'

export interface LoadInput {
  /** Path of the configuration file, as the operator named it. */
  readonly file: string
  readonly env: Environment
  /** Flag → text, e.g. `--session-idle` → `30m`; those that are no key of the configuration are ignored. */
  readonly flags?: Readonly<Record<string, string>>
  /** `POSTERN_*` variables that somebody else reads. */
  readonly knownVariables?: readonly string[]
}

export type Loaded =
  | {
      readonly kind: 'loaded'
      readonly config: Config
      /** As written, with defaults; secrets are references. */
      readonly settings: Settings
      readonly originOf: (path: Path) => Origin
      readonly warnings: readonly ConfigIssue[]
    }
  /** Never empty; variables and flags first, then in the order of the file. */
  | { readonly kind: 'refused'; readonly issues: readonly ConfigIssue[] }

/**
 * Loads the configuration.
 * @returns `loaded`, or `refused` with everything that is wrong. Never throws.
 */
export const loadConfig = (input: LoadInput): Loaded => {
  const read = readText(input.file)
  return read.kind === 'text' ? loadText(read.text, input) : { kind: 'refused', issues: [read.issue] }
}

type TextReading =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly issue: ConfigIssue }

const readText = (file: string): TextReading => {
  try {
    return { kind: 'text', text: readFileSync(file, 'utf8') }
  } catch (error) {
    const origin: Origin = { kind: 'file', file, line: 1, column: 1 }
    const message = `cannot read the configuration: ${faultOf(error)}; name another one with \`-c FILE\``
    return { kind: 'unreadable', issue: { origin, message, excerpt: undefined } }
  }
}

const loadText = (text: string, input: LoadInput): Loaded => {
  const source = readYaml(text, input.file)
  if (source.issues.length > 0) return { kind: 'refused', issues: source.issues }
  const layers = layer(source.value ?? {}, input.env, input.flags ?? {})
  const parsed = configSchema.safeParse(layers.value)
  const faults = parsed.success ? [] : schemaFaults(parsed.error.issues, layers.value)
  const complain = makeComplain(
    source,
    layers,
    faults.filter((fault) => fault.hide).map((fault) => fault.path),
  )
  const folder = dirname(resolve(input.file))
  const places = secretPlaces(layers.value)
  const { secrets, issues: secretIssues } = readSecrets(places, folder, input.env, complain)
  const strange = strangeIssues(input, places)
  const cross = parsed.success ? crossIssues(parsed.data, secrets, complain) : NO_ISSUES
  const issues = [
    ...layers.faults.map((fault) => ({ ...fault, excerpt: undefined })),
    ...strange.errors,
    ...faults.map(({ path, part, message }) => complain(path, part, message)),
    ...secretIssues,
    ...cross.errors,
  ]
  if (!parsed.success || issues.length > 0) return { kind: 'refused', issues: issues.toSorted(inOrder) }
  return {
    kind: 'loaded',
    config: decode(parsed.data, { file: input.file, folder, secrets }),
    settings: parsed.data,
    originOf: (path) => layers.overriddenBy(path) ?? source.originOf(path) ?? { kind: 'default' },
    warnings: [...strange.warnings, ...cross.warnings],
  }
}

interface Issues {
  readonly errors: readonly ConfigIssue[]
  readonly warnings: readonly ConfigIssue[]
}

const NO_ISSUES: Issues = { errors: [], warnings: [] }

const readSecrets = (
  places: readonly SecretPlace[],
  folder: string,
  env: Environment,
  complain: Complain,
): { readonly secrets: Secrets; readonly issues: readonly ConfigIssue[] } => {
  const secrets = new Map<string, Secret>()
  const issues: ConfigIssue[] = []
  for (const place of places) {
    const read = readSecret(place, folder, env)
    const key = pathText(place.path)
    if (read.kind === 'secret') secrets.set(key, read.secret)
    else issues.push(complain(place.path, 'value', `\`${key}\`: ${read.why}`))
  }
  return { secrets, issues }
}

const crossIssues = (settings: Settings, secrets: Secrets, complain: Complain): Issues => {
  const findings = crossFindings(settings, secrets)
  const of = (severity: 'error' | 'warning'): readonly ConfigIssue[] =>
    findings
      .filter((finding) => finding.severity === severity)
      .map(({ path, message }) => complain(path, 'value', `\`${pathText(path)}\`: ${message}`))
  return { errors: of('error'), warnings: of('warning') }
}

/** A variable that resembles one of ours was meant to set something; any other is only told. */
const strangeIssues = (input: LoadInput, places: readonly SecretPlace[]): Issues => {
  const read = places.filter(({ by }) => by === 'env').map(({ where }) => where)
  const known = new Set([...(input.knownVariables ?? []), ...read])
  const strange = strangeVariables(Object.keys(input.env), known)
  const issue = ({ name, meant }: { readonly name: string; readonly meant: string }): ConfigIssue => ({
    origin: { kind: 'variable', name },
    message: `this variable sets nothing${meant}`,
    excerpt: undefined,
  })
  return {
    errors: strange.filter(({ meant }) => meant !== '').map(issue),
    warnings: strange.filter(({ meant }) => meant === '').map(issue),
  }
}

const inOrder = ({ origin: a }: ConfigIssue, { origin: b }: ConfigIssue): number =>
  a.kind === 'file' && b.kind === 'file'
    ? a.line - b.line || a.column - b.column
    : Number(a.kind === 'file') - Number(b.kind === 'file')

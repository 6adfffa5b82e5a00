// The one way from `postern.yaml` to the configuration: files, variables, flags, defaults; then every check; then secrets
// are read and values decoded. Serving, checking and showing all go this way, so that none of them knows better.
import type { Secret } from '../policy/secret.ts'
import { makeComplain, type Complain } from './complaint.ts'
import type { Config } from './config.ts'
import { crossFindings } from './cross-rules.ts'
import { decode } from './decode.ts'
import { readFiles } from './files.ts'
import { pathText, type ConfigIssue, type Path } from './issue.ts'
import { joinSources, type NamedSource } from './joined-source.ts'
import { layer, type Environment } from './layers.ts'
import { overruledIssues } from './overruled.ts'
import { makeProvenance, type Provenance } from './provenance.ts'
import { configSchema, type Settings } from './schema.ts'
import { schemaFaults } from './schema-issues.ts'
import { readSecret, secretPlaces, type SecretPlace, type Secrets } from './secret-source.ts'
import { strangeVariables } from './setting.ts'

export interface LoadInput {
  /** Path of the configuration file or of a folder of them, as the operator named it; of several the later ones win. */
  readonly file: string | readonly string[]
  readonly env: Environment
  /** Flag → text, e.g. `--session-idle` → `30m`; those that are no key of the configuration are ignored. */
  readonly flags?: Readonly<Record<string, string>>
  /** `POSTERN_*` variables that somebody else reads. */
  readonly knownVariables?: readonly string[]
}

export type Loaded =
  | ({
      readonly kind: 'loaded'
      readonly config: Config
      /** As written, with defaults; secrets are references. */
      readonly settings: Settings
      readonly warnings: readonly ConfigIssue[]
    } & Provenance)
  /** Never empty; variables and flags first, then in the order of the files. */
  | { readonly kind: 'refused'; readonly issues: readonly ConfigIssue[] }

/**
 * Loads the configuration.
 * @returns `loaded`, or `refused` with everything that is wrong. Never throws.
 */
export const loadConfig = (input: LoadInput): Loaded => {
  const names = typeof input.file === 'string' ? [input.file] : input.file
  const read = readFiles(names)
  return read.kind === 'read' ? loadSources(read.sources, input) : { kind: 'refused', issues: read.issues }
}

const loadSources = (sources: readonly NamedSource[], input: LoadInput): Loaded => {
  const source = joinSources(sources)
  const layers = layer(source.value ?? {}, input.env, input.flags ?? {})
  const parsed = configSchema.safeParse(layers.value)
  const faults = parsed.success ? [] : schemaFaults(parsed.error.issues, layers.value)
  const complain = makeComplain(
    source,
    layers,
    faults.filter((fault) => fault.hide).map((fault) => fault.path),
  )
  const places = secretPlaces(layers.value)
  const folderOf = (path: Path): string =>
    source.folderOf(layers.overriddenBy(path) === undefined ? path : undefined)
  const { secrets, issues: secretIssues } = readSecrets(places, folderOf, input.env, complain)
  const strange = strangeIssues(input, places)
  const files = sources.map(({ file }) => file)
  const cross = parsed.success ? crossIssues(parsed.data, secrets, complain) : NO_ISSUES
  const issues = [
    ...layers.faults.map((fault) => ({ ...fault, excerpt: undefined })),
    ...strange.errors,
    ...faults.map(({ path, part, message }) => complain(path, part, message)),
    ...secretIssues,
    ...cross.errors,
  ]
  if (!parsed.success || issues.length > 0)
    return { kind: 'refused', issues: issues.toSorted(inOrderOf(files)) }
  return {
    kind: 'loaded',
    config: decode(parsed.data, { file: files.join(', '), folderOf, secrets }),
    settings: parsed.data,
    ...makeProvenance(source, layers),
    warnings: [...strange.warnings, ...cross.warnings, ...overruledIssues(source, layers, complain)],
  }
}

interface Issues {
  readonly errors: readonly ConfigIssue[]
  readonly warnings: readonly ConfigIssue[]
}

const NO_ISSUES: Issues = { errors: [], warnings: [] }

const readSecrets = (
  places: readonly SecretPlace[],
  folderOf: (path: Path) => string,
  env: Environment,
  complain: Complain,
): { readonly secrets: Secrets; readonly issues: readonly ConfigIssue[] } => {
  const secrets = new Map<string, Secret>()
  const issues: ConfigIssue[] = []
  for (const place of places) {
    const read = readSecret(place, folderOf([...place.path, place.by]), env)
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

const inOrderOf =
  (files: readonly string[]) =>
  ({ origin: a }: ConfigIssue, { origin: b }: ConfigIssue): number =>
    a.kind === 'file' && b.kind === 'file'
      ? files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
      : Number(a.kind === 'file') - Number(b.kind === 'file')

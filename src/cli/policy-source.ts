// Which policy folder a command works on, and who may vouch for callers there: named directly, or by a configuration.
import { relative } from 'node:path'
import type { Command } from 'commander'
import { issueText as configIssueText } from '../config/issue.ts'
import { loadConfig } from '../config/load.ts'
import type { KnownSource } from '../policy-file/check-source.ts'
import { issueText, type PolicyIssue } from '../policy-file/issue.ts'
import { configNotes, type LoadedConfig } from './config-note.ts'
import {
  addConfigOptions,
  DEFAULT_FILES,
  flagsOf,
  optionalConfigOption,
  type GivenOptions,
} from './config-options.ts'
import { loadPolicies, type LoadedPolicies, type RefusedPolicies } from '../policy-file/load.ts'

export interface FolderOptions extends GivenOptions {
  readonly policies?: string
  readonly config?: readonly string[]
}

export type FolderChoice =
  | {
      readonly kind: 'folder'
      readonly folder: string
      readonly sources: readonly KnownSource[] | undefined
      /** For which browsers take the session cookie; undefined where it is not known, or nobody can sign in. */
      readonly sessionDomain: string | undefined
      /** What is to say of the configuration itself. */
      readonly notes: readonly PolicyIssue[]
      /** Undefined where none was named. */
      readonly configuration: LoadedConfig | undefined
    }
  | { readonly kind: 'refused'; readonly text: string }

/** Adds `[dir]`, `--policies`, `-c` and the flags of the configuration to a command. */
export const addFolderOptions = (command: Command): Command =>
  addConfigOptions(
    command
      .argument('[dir]', 'policy folder (default: ./policies)')
      .option('--policies <dir>', 'the same, as an option'),
    optionalConfigOption('take folder, providers and issuers from this configuration (repeatable)'),
  )

/**
 * Chooses the folder; never throws.
 * @param dir as the argument says it, before the option, before the configuration
 */
const chooseFolder = (dir: string | undefined, options: FolderOptions): FolderChoice => {
  if (dir !== undefined && options.policies !== undefined && dir !== options.policies)
    return { kind: 'refused', text: `two folders, \`${dir}\` and \`${options.policies}\`; name one` }
  const named = dir ?? options.policies
  const { '--policies': _, ...flags } = flagsOf(options)
  const files = options.config ?? (Object.keys(flags).length === 0 ? undefined : DEFAULT_FILES)
  return files === undefined ? unconfigured(named ?? 'policies') : configured(named, files, flags)
}

const unconfigured = (folder: string): FolderChoice => ({
  kind: 'folder',
  folder,
  sources: undefined,
  sessionDomain: undefined,
  notes: [],
  configuration: undefined,
})

/** @param named goes before the folder of the configuration */
const configured = (
  named: string | undefined,
  files: readonly string[],
  flags: Readonly<Record<string, string>>,
): FolderChoice => {
  const loaded = loadConfig({ file: files, env: process.env, flags })
  if (loaded.kind === 'refused')
    return { kind: 'refused', text: loaded.issues.map(configIssueText).join('\n') }
  for (const warning of loaded.warnings) process.stderr.write(`${configIssueText(warning)}\n`)
  const { policiesFolder, providers, issuers, session } = loaded.config
  const sources = [...providers, ...issuers].map((source): KnownSource => ({
    id: source.id,
    credential: source.kind === 'provider' ? 'session' : source.credential,
    isDefault: source.isDefault,
    claims: new Set(Object.keys(source.claims)),
  }))
  return {
    kind: 'folder',
    folder: named ?? shortPath(policiesFolder),
    sources,
    sessionDomain: providers.length === 0 || session.perHost ? undefined : session.domain,
    notes: configNotes(loaded),
    configuration: loaded,
  }
}

/** As somebody would write it here. */
const shortPath = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

export type PolicyChoice =
  | {
      readonly kind: 'loaded'
      readonly loaded: LoadedPolicies
      readonly folder: string
      readonly sources: readonly KnownSource[] | undefined
      /** For which browsers take the session cookie; undefined where it is not known, or nobody can sign in. */
      readonly sessionDomain: string | undefined
      readonly notes: readonly PolicyIssue[]
      readonly configuration: LoadedConfig | undefined
    }
  | {
      readonly kind: 'refused'
      readonly folder: string
      readonly refused: RefusedPolicies
      readonly configuration: LoadedConfig | undefined
    }
  | { readonly kind: 'misused'; readonly text: string }

/** Chooses the folder and loads it as the server would. Never rejects. */
export const choosePolicies = async (
  dir: string | undefined,
  options: FolderOptions,
): Promise<PolicyChoice> => {
  const choice = chooseFolder(dir, options)
  if (choice.kind === 'refused') return { kind: 'misused', text: choice.text }
  const { folder, ...rest } = choice
  const loaded = await loadPolicies(folder)
  return loaded.kind === 'refused'
    ? { kind: 'refused', folder, refused: loaded, configuration: rest.configuration }
    : { ...rest, kind: 'loaded', loaded, folder }
}

/** Tells why a command that needs a whole set cannot run: invalid input, exit 2. */
export const tellRefusal = (choice: Exclude<PolicyChoice, { kind: 'loaded' }>): void => {
  const text =
    choice.kind === 'misused'
      ? `error: ${choice.text}`
      : choice.refused.issues
          .map((issue) =>
            issueText(issue, choice.refused.files.find((file) => file.path === issue.file)?.text),
          )
          .join('\n\n')
  process.stderr.write(`${text}\n`)
  process.exitCode = 2
}

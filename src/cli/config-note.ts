// What `check` says of a configuration: whether the proxy must tell which host it serves, and whether proxies and public
// URL speak of the same scheme.
import type { Path } from '../config/issue.ts'
import type { Loaded } from '../config/load.ts'
import { issueOfFile, type Fault, type PolicyIssue } from '../policy-file/issue.ts'

export type LoadedConfig = Extract<Loaded, { kind: 'loaded' }>

const UNSAID: Fault = {
  code: 'W27',
  what: '`proxies.hostHeader` is `optional`',
  why: 'where the proxy does not say which host it serves, the host that the client asked for decides alone',
  mend: 'set it to `required` and send `X-Postern-Host`, or assert `host=` in every decision URL',
}

/**
 * Judges a configuration that loaded.
 * @returns warnings with their places. Never throws.
 */
export const configNotes = (loaded: LoadedConfig): readonly PolicyIssue[] => [
  ...hostNotes(loaded),
  ...schemeNotes(loaded),
]

const hostNotes = (loaded: LoadedConfig): readonly PolicyIssue[] =>
  loaded.config.proxies.hostHeader === 'required' ? [] : [noteAt(loaded, 'hostHeader', 'optional', UNSAID)]

const schemeNotes = (loaded: LoadedConfig): readonly PolicyIssue[] => {
  const { publicUrl, proxies } = loaded.config
  const { externalScheme } = proxies
  if (externalScheme === undefined || externalScheme === publicUrl.scheme) return []
  const fault: Fault = {
    code: 'W29',
    what: `\`publicUrl\` is \`${publicUrl.scheme}\`, and \`proxies.externalScheme\` is \`${externalScheme}\``,
    why: 'people are sent back from sign-in to the external scheme, where the session cookie may not be sent',
    mend: 'write in `proxies.externalScheme` what browsers see, or change `publicUrl`',
  }
  return [noteAt(loaded, 'externalScheme', externalScheme, fault)]
}

/** A warning at a key of `proxies`, where a file has it. */
const noteAt = (
  loaded: LoadedConfig,
  key: 'hostHeader' | 'externalScheme',
  value: string,
  fault: Fault,
): PolicyIssue => issueOfConfig(loaded, ['proxies', key], value.length, fault)

/** A finding about a key of the configuration, at its place where a file has it. */
export const issueOfConfig = (
  loaded: LoadedConfig,
  path: Path,
  length: number,
  fault: Fault,
): PolicyIssue => {
  const origin = loaded.originOf(path)
  if (origin.kind !== 'file') return issueOfFile(loaded.config.file, fault)
  return { ...issueOfFile(origin.file, fault), line: origin.line, col: origin.column, length }
}

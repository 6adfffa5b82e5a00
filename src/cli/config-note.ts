// What `check` says of a configuration: whether the proxy must tell which host it serves, and whether proxies and public
// URL speak of the same scheme.
import type { Loaded } from '../config/load.ts'
import { issueOfFile, type Fault, type PolicyIssue } from '../policy-file/issue.ts'

type LoadedConfig = Extract<Loaded, { kind: 'loaded' }>

const UNSAID: Fault = {
  code: 'W27',
  what: '`proxies.hostHeader` is `optional`',
  why: 'where the proxy does not say which host it serves, the host that the client asked for decides alone',
  mend: 'set it to `required` and send `X-Postern-Host`, or assert `host=` in every decision URL',
}

/**
 * Judges a configuration that loaded.
 * @param file as it is shown to people
 * @returns warnings with their places. Never throws.
 */
export const configNotes = (file: string, loaded: LoadedConfig): readonly PolicyIssue[] => [
  ...hostNotes(file, loaded),
  ...schemeNotes(file, loaded),
]

const hostNotes = (file: string, loaded: LoadedConfig): readonly PolicyIssue[] =>
  loaded.config.proxies.hostHeader === 'required'
    ? []
    : [noteAt(file, loaded, 'hostHeader', 'optional', UNSAID)]

const schemeNotes = (file: string, loaded: LoadedConfig): readonly PolicyIssue[] => {
  const { publicUrl, proxies } = loaded.config
  const { externalScheme } = proxies
  if (externalScheme === undefined || externalScheme === publicUrl.scheme) return []
  const fault: Fault = {
    code: 'W29',
    what: `\`publicUrl\` is \`${publicUrl.scheme}\`, and \`proxies.externalScheme\` is \`${externalScheme}\``,
    why: 'people are sent back from sign-in to the external scheme, where the session cookie may not be sent',
    mend: 'write in `proxies.externalScheme` what browsers see, or change `publicUrl`',
  }
  return [noteAt(file, loaded, 'externalScheme', externalScheme, fault)]
}

/** A warning at a key of `proxies`, where the file has it. */
const noteAt = (
  file: string,
  loaded: LoadedConfig,
  key: 'hostHeader' | 'externalScheme',
  value: string,
  fault: Fault,
): PolicyIssue => {
  const issue = issueOfFile(file, fault)
  const origin = loaded.originOf(['proxies', key])
  return origin.kind === 'file'
    ? { ...issue, line: origin.line, col: origin.column, length: value.length }
    : issue
}

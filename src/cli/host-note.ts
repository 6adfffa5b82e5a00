// What `check` says of a configuration: whether the proxy must tell which host it serves.
import type { Loaded } from '../config/load.ts'
import { issueOfFile, type Fault, type PolicyIssue } from '../policy-file/issue.ts'

const UNSAID: Fault = {
  code: 'W27',
  what: '`proxies.hostHeader` is `optional`',
  why: 'where the proxy does not say which host it serves, the host that the client asked for decides alone',
  mend: 'set it to `required` and send `X-Postern-Host`, or assert `host=` in every decision URL',
}

/**
 * Judges a configuration that loaded.
 * @param file as it is shown to people
 * @returns a warning with its place, or nothing. Never throws.
 */
export const hostNotes = (
  file: string,
  loaded: Extract<Loaded, { kind: 'loaded' }>,
): readonly PolicyIssue[] => {
  if (loaded.config.proxies.hostHeader === 'required') return []
  const issue = issueOfFile(file, UNSAID)
  const origin = loaded.originOf(['proxies', 'hostHeader'])
  return [
    origin.kind === 'file'
      ? { ...issue, line: origin.line, col: origin.column, length: 'optional'.length }
      : issue,
  ]
}

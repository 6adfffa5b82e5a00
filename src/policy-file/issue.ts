// What is wrong with a policy file: what, where, why, and how to mend it. Plain data, so that a worker can send it and
// text, JSON, SARIF and the readiness page can print it.
import { excerpt, spotAt, type TextRange } from '../policy/text-excerpt.ts'

/** Stable codes, additive: `E` stops a load or fails a check, `W` is worth a look. */
export const ISSUE_MEANING = {
  E00: 'a file or folder that cannot be read',
  E01: 'unknown or duplicate key',
  E02: 'a host and path, or a route, owned by two files',
  E03: 'a rule that can never hit',
  W04: 'a rule made redundant by a wider one',
  E05: 'a name that the directory does not know',
  E07: 'network trust without an end, or with a far one',
  E08: 'a public rule without reason, end or review, or wider than its section',
  W10: 'a rule that no test reaches',
  E11: 'a test that fails',
  E15: 'YAML that is refused',
  E16: 'a value of the wrong type or form',
  E17: 'a rule or section that breaks a law of the language',
  E18: 'not built yet',
  E19: 'a rule that needs a kind of credential which the route does not accept',
  E20: 'a path or host that is no pattern, or stands twice',
  W21: 'an exact section that narrows, so that its neighbours stay open',
  W22: 'a child section that drops an allow of its parent',
  W23: 'a deny that another file on the same host escapes',
  W24: 'a file that is not read',
  E25: 'a claim or issuer that nobody asserts',
  W26: 'an allow that ends within 14 days',
  W27: 'a configuration that lets a proxy leave its host unsaid',
  W28: 'a host where the session cookie never arrives',
  W29: 'a configuration whose public URL has another scheme than its proxies',
  E40: 'a provider or issuer that cannot be reached (`--online`)',
  E41: 'a provider or issuer whose metadata or keys the service would not take (`--online`)',
  W42: 'a provider that does not promise what is asked of it (`--online`)',
  W43: 'a clock that is more than 30 s away (`--online`)',
  E44: 'a clock that is more than 60 s away (`--online`)',
} as const

export type IssueCode = keyof typeof ISSUE_MEANING

export type Severity = 'error' | 'warning'

/** An issue before it has a place. */
export interface Fault {
  readonly code: IssueCode
  readonly what: string
  readonly why: string
  readonly mend: string
}

/** A fault with its place in one file. */
export interface PolicyIssue extends Fault {
  readonly severity: Severity
  readonly file: string
  /** From 1; 0 where the issue is about a file as a whole or a folder. */
  readonly line: number
  readonly col: number
  readonly length: number
}

/** One file as it was read. */
export interface PolicyFile {
  /** As shown to people, e.g. `policies/grafana.yaml`. */
  readonly path: string
  readonly text: string
}

/** Tells whether a code stops something or only warns. */
const severityOf = (code: IssueCode): Severity => (code.startsWith('W') ? 'warning' : 'error')

/** Gives a fault its place. Never throws. */
export const issueAt = (file: PolicyFile, range: TextRange, fault: Fault): PolicyIssue => {
  const { line, column, length } = spotAt(file.text, range)
  const { code, what, why, mend } = fault
  return { severity: severityOf(code), code, file: file.path, line, col: column, length, what, why, mend }
}

/** Gives a fault to a file or folder as a whole. */
export const issueOfFile = (path: string, fault: Fault): PolicyIssue => ({
  ...fault,
  severity: severityOf(fault.code),
  file: path,
  line: 0,
  col: 0,
  length: 0,
})

/** `policies/grafana.yaml:14:7`, or the path alone where there is no line. */
const issuePlace = (issue: PolicyIssue): string =>
  issue.line === 0 ? issue.file : `${issue.file}:${issue.line}:${issue.col}`

/** The first line of every complaint: where, what, and how to mend it. */
export const issueLine = (issue: PolicyIssue): string =>
  `${issuePlace(issue)}: ${issue.severity} ${issue.code}: ${issue.what}`

/**
 * Prints an issue with the line it stands on and a caret below.
 * @param text the file, where it is known
 * @returns several lines without a final line break. Never throws.
 */
export const issueText = (issue: PolicyIssue, text: string | undefined): string => {
  const spot = { line: issue.line, column: issue.col, length: issue.length }
  const shown = text === undefined || issue.line === 0 ? [] : [excerpt(text, spot)]
  return [issueLine(issue), ...shown, `  why: ${issue.why}`, `  mend: ${issue.mend}`].join('\n')
}

/** File by file, line by line. */
export const byPlace = (one: PolicyIssue, other: PolicyIssue): number => {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1
  return one.line - other.line || one.col - other.col || (one.code < other.code ? -1 : 1)
}

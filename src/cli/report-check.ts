// What `check` found, for people, for programs, and for code review (SARIF 2.1.0). Strings in, strings out.
import { ISSUE_MEANING, issueText, type PolicyFile, type PolicyIssue } from '../policy-file/issue.ts'
import { onlineText, type OnlineReport } from './online.ts'
import { paint } from './paint.ts'
import { counted } from './counted.ts'

/** What a check came to. */
export interface CheckReport {
  readonly folder: string
  /** Undefined where the set does not load. */
  readonly revision: string | undefined
  readonly files: readonly PolicyFile[]
  readonly routes: number
  readonly issues: readonly PolicyIssue[]
  /** Undefined where nobody was asked. */
  readonly online: OnlineReport | undefined
}

export const errorsOf = (issues: readonly PolicyIssue[]): readonly PolicyIssue[] =>
  issues.filter((issue) => issue.severity === 'error')

/** Who was asked, then each issue with its line and a caret, an empty line between two; empty where there is none. */
export const checkText = ({ issues, files, online }: CheckReport): string => {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const asked = online === undefined ? '' : onlineText(online)
  const found = issues
    .map((issue) => `${painted(issueText(issue, texts.get(issue.file)), issue)}\n`)
    .join('\n')
  return asked === '' || found === '' ? asked + found : `${asked}\n${found}`
}

const painted = (text: string, issue: PolicyIssue): string => {
  const [head = '', ...rest] = text.split('\n')
  const style = issue.severity === 'error' ? 'red' : 'yellow'
  const place = head.indexOf(`: ${issue.severity} `)
  return [head.slice(0, place + 2) + paint(style, head.slice(place + 2)), ...rest].join('\n')
}

/** One sentence that sums it up, and one more for those that were asked: what they answer is no fault of a policy. */
export const checkSummary = (report: CheckReport): string => {
  const { online, revision } = report
  const heard = new Set(online?.issues)
  const own = report.issues.filter((issue) => !heard.has(issue))
  const loads = revision === undefined ? 'does not load' : `loads as ${revision}`
  const folder = `${report.folder}: ${countsOf(own)} in ${counted(report.files.length, 'file')}; ${loads}`
  if (online === undefined) return folder
  return `${folder}\nproviders and issuers: ${countsOf(online.issues)}; ${online.sources.length} asked`
}

const countsOf = (issues: readonly PolicyIssue[]): string => {
  const errors = errorsOf(issues).length
  return `${counted(errors, 'error')}, ${counted(issues.length - errors, 'warning')}`
}

export const checkJson = (report: CheckReport): unknown => {
  const errors = errorsOf(report.issues).length
  return {
    apiVersion: 'postern/v1',
    kind: 'CheckReport',
    folder: report.folder,
    revision: report.revision,
    summary: {
      files: report.files.length,
      routes: report.routes,
      errors,
      warnings: report.issues.length - errors,
    },
    online: report.online?.sources,
    findings: report.issues,
  }
}

/** SARIF 2.1.0: what code hosts show beside the lines of a change. */
export const checkSarif = ({ issues }: CheckReport): unknown => ({
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          name: 'postern',
          rules: Object.entries(ISSUE_MEANING).map(([id, text]) => ({ id, shortDescription: { text } })),
        },
      },
      columnKind: 'utf16CodeUnits',
      results: issues.map((issue) => ({
        ruleId: issue.code,
        level: issue.severity,
        message: { text: `${issue.what}: ${issue.why}. To mend it: ${issue.mend}.` },
        locations: [{ physicalLocation: physicalLocation(issue) }],
      })),
    },
  ],
})

const physicalLocation = ({ file, line, col, length }: PolicyIssue): unknown => ({
  artifactLocation: { uri: encodeURI(file) },
  ...(line === 0 ? {} : { region: { startLine: line, startColumn: col, endColumn: col + length } }),
})

// What the check of a decision log came to, for people and for programs. Values in, text out.
import type { Finding, Note, Spot } from '../audit/verify-finding.ts'
import type { VerifiedLog } from '../audit/verify.ts'
import { paint } from './paint.ts'
import { counted } from './counted.ts'

export interface AuditReport {
  /** In the order in which they were written. */
  readonly files: readonly string[]
  readonly log: VerifiedLog
  readonly findings: readonly Finding[]
  readonly notes: readonly Note[]
  /** Findings beyond those that were kept. */
  readonly more: number
}

/** `decisions.ndjson:4-9: edited: block 3 of host-1a2b: its bytes are not those that were sealed`. */
export const findingText = (finding: Finding): string =>
  paint('red', `${placeText(finding)}: ${finding.kind}: ${blockText(finding)}${finding.what}`)

const placeText = ({ from, to }: { readonly from: Spot; readonly to: Spot }): string => {
  if (from.file !== to.file) return `${from.file}:${from.line}-${to.file}:${to.line}`
  return `${from.file}:${from.line === to.line ? from.line : `${from.line}-${to.line}`}`
}

const blockText = ({ blocks, writer }: Finding | Note): string => {
  if (blocks === undefined) return ''
  const [first, last] = blocks
  const of = writer === undefined ? '' : ` of ${writer}`
  return `block${first === last ? ` ${first}` : `s ${first}-${last}`}${of}: `
}

/** The notes, a line for each writer, and the verdict; findings were told as they came. */
export const auditText = (report: AuditReport): string => {
  const { log, notes, more, files } = report
  const lines = [
    ...(more > 0 ? [`and ${more} more`] : []),
    ...notes.map((note) =>
      paint('yellow', `${placeText(note)}: note: ${note.kind}: ${blockText(note)}${note.what}`),
    ),
    ...log.writers.map(
      ({ writer, blocks, sealedTo, head, checkpoints, end }) =>
        `${writer}: ${end}, ${counted(blocks, 'whole block')}, ${counted(checkpoints, 'checkpoint')}` +
        (head === undefined ? '' : `, sealed to line number ${sealedTo}, last block ${head}`),
    ),
    `${files.join(' ')}: ${counted(log.lines, 'line')}; ${VERDICT[verdictOf(report)]}`,
  ]
  return `${lines.join('\n')}\n`
}

type Verdict = 'whole' | 'torn' | 'not-signed' | 'changed'

const VERDICT: Readonly<Record<Verdict, string>> = {
  whole: 'whole',
  torn: 'whole but for what a writer that was killed, or still writes, left unsealed',
  'not-signed': 'nothing is wrong up to the last checkpoint; nobody vouches for what follows it',
  changed: 'not as it was written',
}

const verdictOf = ({ findings, notes }: AuditReport): Verdict => {
  if (findings.length > 0) return 'changed'
  const isNoted = (wanted: Note['kind']): boolean => notes.some(({ kind }) => kind === wanted)
  // The weakest that stands: what is torn is not signed either.
  if (isNoted('not-signed')) return 'not-signed'
  return isNoted('torn') ? 'torn' : 'whole'
}

/** Plain data for `-o json`; stable names, additive. */
export const auditJson = (report: AuditReport): unknown => ({
  apiVersion: 'postern/v1',
  kind: 'AuditReport',
  verdict: verdictOf(report),
  files: report.files,
  lines: report.log.lines,
  writers: report.log.writers,
  findings: report.findings,
  more: report.more,
  notes: report.notes,
})

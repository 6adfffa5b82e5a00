// What became of a logged decision, for people and for programs: the tree of the walk, and below it what was logged.
import type { DecisionLine } from '../audit/read.ts'
import type { LoggedExplanation } from './explain-logged.ts'
import { explainJson, explainLine, explainTree } from './explain-text.ts'

type Decided = Extract<LoggedExplanation, { kind: 'decided' }>

/** Where the line stands. */
export interface LoggedPlace {
  readonly file: string
  readonly number: number
}

/** The tree, and a line each for what was logged, under which policies, and how far the two agree. */
export const loggedText = (logged: LoggedExplanation, place: LoggedPlace, revision: string): string => {
  if (logged.kind === 'before-policy') return `${beforePolicy(logged.line, place)}\n`
  const { line, told } = logged
  return [
    explainTree(told),
    '',
    `logged     ${answerOf(line)}, ${line.ts}, ${place.file}:${place.number}`,
    `policies   ${logged.isSamePolicy ? `${revision}, as logged` : `${revision}; logged under ${line.policy}`}`,
    `answer     ${answerNow(logged)}`,
    `certain    ${certainty(logged)}`,
    '',
  ].join('\n')
}

const answerOf = ({ decision, reason, rule, status }: DecisionLine): string =>
  `${decision} ${reason}${rule === undefined ? '' : ` by ${rule}`}, ${status}`

const answerNow = ({ differs, line }: Decided): string => {
  if (differs.length === 0) return 'the same as logged'
  const why =
    line.reason === 'ERROR_AUDIT'
      ? '; then the log itself was behind'
      : line.reason === 'ERROR_INTERNAL'
        ? '; then there was a fault'
        : ''
  return `another one than logged, in ${differs.join(', ')}${why}`
}

const certainty = ({ notRecorded }: Decided): string =>
  notRecorded.length === 0
    ? 'yes: the line holds everything that was read'
    : `no: not recorded, or not whole: ${notRecorded.join(', ')}`

const beforePolicy = (line: DecisionLine, place: LoggedPlace): string =>
  [
    `${line.decision} ${line.reason}`,
    `├─ logged   ${answerOf(line)}, ${line.ts}, ${place.file}:${place.number}`,
    `└─ note     no rule was asked: ${line.note ?? 'the request could not be read'}`,
  ].join('\n')

/** The same in one line. */
export const loggedLine = (logged: LoggedExplanation, place: LoggedPlace): string =>
  logged.kind === 'before-policy'
    ? `${beforePolicy(logged.line, place).replaceAll(/\n[├└]─ /g, ' | ')}\n`
    : `${explainLine(logged.told)} | logged: ${answerOf(logged.line)} | answer: ${answerNow(logged)} | certain: ${certainty(logged)}\n`

/** Plain data for `-o json`; stable names, additive. */
export const loggedJson = (logged: LoggedExplanation, place: LoggedPlace, revision: string): unknown => {
  const { id, ts, decision, reason, route, section, rule, status, policy, note } = logged.line
  const common = {
    apiVersion: 'postern/v1',
    kind: 'LoggedExplanation',
    logged: { id, ts, decision, reason, route, section, rule, status, policy, note, ...place },
    policy: revision,
  }
  return logged.kind === 'before-policy'
    ? { ...common, explanation: undefined }
    : {
        ...common,
        samePolicy: logged.isSamePolicy,
        same: logged.differs.length === 0,
        differs: logged.differs,
        certain: logged.notRecorded.length === 0,
        notRecorded: logged.notRecorded,
        explanation: explainJson(logged.told),
      }
}

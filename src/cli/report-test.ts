// What became of in-file tests, for people, for programs, and for CI systems (JUnit XML). Strings in, strings out.
import { basename } from 'node:path'
import type { CaseResult } from '../rehearse/cases.ts'
import { explainJson } from '../rehearse/explain-text.ts'
import { paint } from './paint.ts'

export interface TestReport {
  readonly folder: string
  readonly revision: string
  readonly cases: readonly CaseResult[]
  /** Rules that some test reaches, and all rules. */
  readonly reached: number
  readonly rules: number
}

export const failedOf = (cases: readonly CaseResult[]): readonly CaseResult[] =>
  cases.filter((one) => one.failure !== undefined)

const placeOf = ({ document, index }: CaseResult): string => {
  const before = document.file.text.slice(0, document.rangeOf(['tests', index], 'value')[0])
  return `${document.file.path}:${before.split('\n').length}`
}

const byFile = (cases: readonly CaseResult[]): readonly (readonly [string, readonly CaseResult[]])[] => [
  ...Map.groupBy(cases, (one) => one.document.file.path),
]

/** File by file, test by test; a failed one says what was asked, and why the answer was another. */
export const testText = ({ cases }: TestReport): string =>
  byFile(cases)
    .map(([file, inside]) => `${[paint('bold', file), ...inside.flatMap(caseLines)].join('\n')}\n`)
    .join('\n')

const caseLines = (one: CaseResult): readonly string[] => {
  const asked = `${one.name} → ${one.expected}`
  if (one.failure === undefined) return [`  ${paint('green', '✓')} ${asked}`]
  return [
    `  ${paint('red', '✗')} ${asked}`,
    `      ${placeOf(one)}: ${one.failure.what}`,
    `      ${one.failure.why}`,
  ]
}

export const testSummary = ({ folder, cases, reached, rules }: TestReport): string => {
  const failed = failedOf(cases).length
  return `${folder}: ${cases.length - failed} passed, ${failed} failed; ${reached} of ${rules} rules reached`
}

export const testJson = (report: TestReport): unknown => {
  const failed = failedOf(report.cases).length
  return {
    apiVersion: 'postern/v1',
    kind: 'TestReport',
    folder: report.folder,
    revision: report.revision,
    summary: {
      tests: report.cases.length,
      passed: report.cases.length - failed,
      failed,
      rules: report.rules,
      reached: report.reached,
    },
    tests: report.cases.map((one) => ({
      name: one.name,
      route: one.document.entry.route,
      place: placeOf(one),
      expected: one.expected,
      got: one.got,
      passed: one.failure === undefined,
      explanation: explainJson(one.told),
    })),
  }
}

/** JUnit XML as CI systems read it: a suite for each file. */
export const testJunit = ({ cases }: TestReport): string => {
  const suites = byFile(cases).map(([file, inside]) => {
    const tests = inside.map((one) => junitCase(one)).join('')
    const counts = `tests="${inside.length}" failures="${failedOf(inside).length}" errors="0"`
    return `  <testsuite name="${xml(basename(file, '.yaml'))}" ${counts}>\n${tests}  </testsuite>\n`
  })
  const counts = `tests="${cases.length}" failures="${failedOf(cases).length}" errors="0"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="postern" ${counts}>\n${suites.join('')}</testsuites>\n`
}

const junitCase = (one: CaseResult): string => {
  const head = `    <testcase classname="${xml(one.document.entry.route)}" name="${xml(`${one.name} → ${one.expected}`)}" file="${xml(one.document.file.path)}"`
  if (one.failure === undefined) return `${head}/>\n`
  const { what, why } = one.failure
  return `${head}>\n      <failure message="${xml(what)}">${xml(`${placeOf(one)}\n${why}`)}</failure>\n    </testcase>\n`
}

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const xml = (text: string): string =>
  text
    // Control characters have no place in XML 1.0, escaped or not.
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, (character) => (character === '\n' ? character : '?'))
    .replaceAll(/[&<>"]/g, (character) => ENTITY[character] ?? character)

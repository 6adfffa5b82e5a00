// `npm test`: installs what is missing, then format, lint, types, generated files, and every test. Ends with one line
// that counts.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { installMissingPrograms } from './debian-packages.ts'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
}

const CHECKS: readonly (readonly string[])[] = [
  [
    'oxfmt',
    '--check',
    'src',
    'test',
    'scripts',
    'vitest.config.ts',
    'vitest.idp.config.ts',
    'vitest.soak.config.ts',
  ],
  ['oxlint', '--type-aware'],
  ['tsc', '--noEmit'],
  ['node', 'scripts/schemas.ts', '--check'],
  ['node', 'scripts/config-reference.ts', '--check'],
]

const run = (command: readonly string[]): boolean => {
  const [program = '', ...args] = command
  console.error(`\n> ${command.join(' ')}`)
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}

const REPORT = '.cache/vitest.json'

const NO_REPORT: Report = {
  numPassedTests: 0,
  numFailedTests: 1,
  numPendingTests: 0,
  numTodoTests: 0,
  success: false,
}

/** A runner that ended without a report has failed. */
const readReport = (): Report => {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the runner's own report
    return JSON.parse(readFileSync(REPORT, 'utf8')) as Report
  } catch {
    console.error('the tests ended without a report')
    return NO_REPORT
  }
}

const main = (): number => {
  const missing = installMissingPrograms()
  if (missing.length > 0) console.error(`SKIPPED ALOUD: tests that need ${missing.join(', ')}`)
  const failed = CHECKS.filter((command) => !run(command))
  mkdirSync('.cache', { recursive: true })
  // A run that ends before its report must not be counted by the one before.
  rmSync(REPORT, { force: true })
  const filters = process.argv.slice(2)
  const tested = run([
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORT}`,
    ...filters,
  ])
  const report = readReport()
  const skipped = report.numPendingTests + report.numTodoTests
  for (const command of failed) console.error(`failed: ${command.join(' ')}`)
  console.log(
    `\n${report.numPassedTests} passed, ${report.numFailedTests + failed.length} failed, ${skipped} skipped`,
  )
  return tested && report.success && failed.length === 0 ? 0 : 1
}

process.exitCode = main()

// `postern check`: everything that is wrong with a policy folder, in one run. What a running service would refuse is
// invalid input (exit 2); what loads and should still be mended is a finding (exit 1).
import { Option, type Command } from 'commander'
import { checkPolicies } from '../policy-file/check.ts'
import { runCases } from '../rehearse/cases.ts'
import { atOption } from './clock-option.ts'
import {
  addFolderOptions,
  choosePolicies,
  tellRefusal,
  type FolderOptions,
  type PolicyChoice,
} from './policy-source.ts'
import { checkJson, checkSarif, checkSummary, checkText, errorsOf, type CheckReport } from './report-check.ts'

interface CheckOptions extends FolderOptions {
  readonly output: 'text' | 'json' | 'sarif'
  readonly strict: boolean
  readonly at?: number
}

/** Adds `check`. A set that does not load: exit 2; errors in one that does: exit 1, with `--strict` warnings too. */
export const addCheckCommand = (program: Command): void => {
  addFolderOptions(program.command('check').description('find what is wrong with a policy folder'))
    .addOption(
      new Option('-o, --output <format>', 'format').choices(['text', 'json', 'sarif']).default('text'),
    )
    .option('--strict', 'count warnings as errors', false)
    .addOption(atOption())
    .action(async (dir: string | undefined, options: CheckOptions) => {
      const choice = await choosePolicies(dir, options)
      const report = reportOf(choice, options.at ?? Date.now())
      if (report === undefined) {
        if (choice.kind !== 'loaded') tellRefusal(choice)
        return
      }
      process.stdout.write(printed(report, options.output))
      process.stderr.write(`${checkSummary(report)}\n`)
      const counted = options.strict ? report.issues : errorsOf(report.issues)
      process.exitCode = choice.kind === 'refused' ? 2 : counted.length > 0 ? 1 : 0
    })
}

/** Undefined where there is no folder to report on. */
const reportOf = (choice: PolicyChoice, nowMs: number): CheckReport | undefined => {
  if (choice.kind === 'misused') return undefined
  const { folder } = choice
  if (choice.kind === 'refused') {
    const { revision, files, issues } = choice.refused
    return revision === undefined ? undefined : { folder, revision: undefined, files, routes: 0, issues }
  }
  const { loaded, sources, sessionDomain, notes } = choice
  const tests = runCases(loaded, nowMs)
  const issues = [...notes, ...checkPolicies(loaded, { nowMs, sources, sessionDomain, tests })]
  return {
    folder,
    revision: loaded.set.revision,
    files: loaded.files,
    routes: loaded.set.routes.size,
    issues,
  }
}

const printed = (report: CheckReport, output: CheckOptions['output']): string => {
  switch (output) {
    case 'text':
      return checkText(report)
    case 'json':
      return `${JSON.stringify(checkJson(report), undefined, 2)}\n`
    case 'sarif':
      return `${JSON.stringify(checkSarif(report), undefined, 2)}\n`
  }
}

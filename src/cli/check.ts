// `postern check`: everything that is wrong with a policy folder, in one run. What a running service would refuse is
// invalid input (exit 2); what loads and should still be mended is a finding (exit 1); `--online` asks everybody that the
// service would ask (exit 3 where one cannot be reached).
import { Option, type Command } from 'commander'
import { checkPolicies } from '../policy-file/check.ts'
import { runCases } from '../rehearse/cases.ts'
import { atOption } from './clock-option.ts'
import { DEFAULT_FILES } from './config-options.ts'
import { checkOnline, type OnlineReport } from './online.ts'
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
  readonly online: boolean
  readonly at?: number
}

/**
 * Adds `check`. A set that does not load: exit 2; somebody who cannot be reached: exit 3; other errors: exit 1, with
 * `--strict` warnings too.
 */
export const addCheckCommand = (program: Command): void => {
  addFolderOptions(program.command('check').description('find what is wrong with a policy folder'))
    .addOption(
      new Option('-o, --output <format>', 'format').choices(['text', 'json', 'sarif']).default('text'),
    )
    .option('--strict', 'count warnings as errors', false)
    .option(
      '--online',
      'ask every provider and issuer of the configuration, postern.yaml without -c, as the service would',
      false,
    )
    .addOption(atOption())
    .action(async (dir: string | undefined, options: CheckOptions) => {
      const config = options.config ?? (options.online ? DEFAULT_FILES : undefined)
      const choice = await choosePolicies(dir, { ...options, ...(config === undefined ? {} : { config }) })
      const online = options.online ? await askOnline(choice) : undefined
      const report = reportOf(choice, options.at ?? Date.now(), online)
      if (report === undefined) {
        if (choice.kind !== 'loaded') tellRefusal(choice)
        return
      }
      process.stdout.write(printed(report, options.output))
      process.stderr.write(`${checkSummary(report)}\n`)
      process.exitCode = choice.kind === 'refused' ? 2 : exitCode(report, options)
    })
}

/** What nobody could ask is not known to be well: that counts before what is known to be wrong. */
const exitCode = ({ issues, online }: CheckReport, { strict }: CheckOptions): number => {
  if (online?.sources.some(({ state }) => state === 'unreachable') === true) return 3
  return (strict ? issues : errorsOf(issues)).length > 0 ? 1 : 0
}

const askOnline = async (choice: PolicyChoice): Promise<OnlineReport | undefined> =>
  choice.kind === 'misused' || choice.configuration === undefined
    ? undefined
    : checkOnline(choice.configuration, { fetch: globalThis.fetch, nowMs: Date.now })

/** Undefined where there is no folder to report on. */
const reportOf = (
  choice: PolicyChoice,
  nowMs: number,
  online: OnlineReport | undefined,
): CheckReport | undefined => {
  if (choice.kind === 'misused') return undefined
  const { folder } = choice
  if (choice.kind === 'refused') {
    const { revision, files, issues } = choice.refused
    if (revision === undefined) return undefined
    const all = [...issues, ...(online?.issues ?? [])]
    return { folder, revision: undefined, files, routes: 0, issues: all, online }
  }
  const { loaded, sources, sessionDomain, notes } = choice
  const tests = runCases(loaded, nowMs)
  const issues = [
    ...notes,
    ...(online?.issues ?? []),
    ...checkPolicies(loaded, { nowMs, sources, sessionDomain, tests }),
  ]
  return {
    folder,
    revision: loaded.set.revision,
    files: loaded.files,
    routes: loaded.set.routes.size,
    issues,
    online,
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

// `postern test`: runs the tests that stand in policy files, against the very engine that decides on the wire.
import { Option, type Command } from 'commander'
import { ruleKey } from '../policy-file/check-test.ts'
import { writtenRules, writtenSections } from '../policy-file/written-rule.ts'
import { runCases } from '../rehearse/cases.ts'
import { atOption } from './clock-option.ts'
import { addFolderOptions, choosePolicies, tellRefusal, type FolderOptions } from './policy-source.ts'
import { failedOf, testJson, testJunit, testSummary, testText, type TestReport } from './report-test.ts'

interface TestOptions extends FolderOptions {
  readonly output: 'text' | 'json' | 'junit'
  readonly at?: number
}

/** Adds `test`. A failed test: exit 1; a folder that does not load: exit 2. */
export const addTestCommand = (program: Command): void => {
  addFolderOptions(program.command('test').description('run the tests in the policy files'))
    .addOption(
      new Option('-o, --output <format>', 'format').choices(['text', 'json', 'junit']).default('text'),
    )
    .addOption(atOption())
    .action(async (dir: string | undefined, options: TestOptions) => {
      const choice = await choosePolicies(dir, options)
      if (choice.kind !== 'loaded') {
        tellRefusal(choice)
        return
      }
      const { loaded, folder } = choice
      const cases = runCases(loaded, options.at ?? Date.now())
      const rules = writtenSections(loaded)
        .flatMap(writtenRules)
        .map(({ rule }) => ruleKey(rule))
      const reached = new Set(cases.flatMap((one) => one.reached))
      const report: TestReport = {
        folder,
        revision: loaded.set.revision,
        cases,
        rules: rules.length,
        reached: rules.filter((name) => reached.has(name)).length,
      }
      process.stdout.write(printed(report, options.output))
      process.stderr.write(`${testSummary(report)}\n`)
      process.exitCode = failedOf(cases).length > 0 ? 1 : 0
    })
}

const printed = (report: TestReport, output: TestOptions['output']): string => {
  switch (output) {
    case 'text':
      return testText(report)
    case 'json':
      return `${JSON.stringify(testJson(report), undefined, 2)}\n`
    case 'junit':
      return testJunit(report)
  }
}

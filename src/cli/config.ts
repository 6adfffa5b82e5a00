// `postern config show`: the configuration in force, with the place that each value comes from. Loads it exactly as
// `serve` does, so what does not load is told in the same words.
import { Option, type Command } from 'commander'
import { issueText } from '../config/issue.ts'
import { loadConfig } from '../config/load.ts'
import { showJson, showYaml } from '../config/show.ts'
import { addConfigOptions, flagsOf, type GivenOptions } from './config-options.ts'

interface ShowOptions extends GivenOptions {
  readonly config: readonly string[]
  readonly origin: boolean
  readonly output: 'yaml' | 'json'
}

/** Adds `config` with its commands. Invalid configuration: everything wrong with it on stderr, exit 2. */
export const addConfigCommand = (program: Command): void => {
  const config = program.command('config').description('look at the configuration')
  addConfigOptions(
    config
      .command('show')
      .description('show every key with its value; secrets are shown by the name of their file or variable'),
  )
    .option('--origin', 'say where each value comes from: flag, variable, file or default', false)
    .addOption(new Option('-o, --output <format>', 'format').choices(['yaml', 'json']).default('yaml'))
    .action((options: ShowOptions) => {
      process.exitCode = showConfig(options)
    })
}

const showConfig = (options: ShowOptions): number => {
  const loaded = loadConfig({ file: options.config, env: process.env, flags: flagsOf(options) })
  const notes = loaded.kind === 'loaded' ? loaded.warnings : loaded.issues
  for (const note of notes) process.stderr.write(`${issueText(note)}\n`)
  if (loaded.kind === 'refused') return 2
  const show = options.output === 'json' ? showJson : showYaml
  process.stdout.write(show(loaded, options.origin))
  return 0
}

// The options with which every command that loads the configuration takes it: the file, and a flag for each of its keys.
import { Option, type Command } from 'commander'
import { FLAGS } from '../config/setting.ts'

/** Options as the library hands them over. */
export type GivenOptions = Readonly<Record<string, unknown>>

const OPTIONS = FLAGS.map((flag) => ({ flag, name: new Option(`${flag} <value>`).attributeName() }))

/** Adds `-c` and, hidden from the help, the flags. */
export const addConfigOptions = (command: Command): Command => {
  command.option('-c, --config <file>', 'configuration file', 'postern.yaml')
  for (const { flag } of OPTIONS) command.addOption(new Option(`${flag} <value>`).hideHelp())
  return command.addHelpText(
    'after',
    '\nEvery key of the configuration is an option too, over its variable and the file: `session.idle` is --session-idle.',
  )
}

/** The flags that were given, as text. */
export const flagsOf = (options: GivenOptions): Readonly<Record<string, string>> =>
  Object.fromEntries(
    OPTIONS.flatMap(({ flag, name }) => {
      const value = options[name]
      return typeof value === 'string' ? [[flag, value]] : []
    }),
  )

// The options with which every command that loads the configuration takes it: its files, and a flag for each of its keys.
import { Option, type Command } from 'commander'
import { FLAGS } from '../config/setting.ts'
import { didYouMean } from '../policy/closest-word.ts'

/** Options as the library hands them over. */
export type GivenOptions = Readonly<Record<string, unknown>>

const OPTIONS = FLAGS.map((flag) => ({ flag, name: new Option(`${flag} <value>`).attributeName() }))

const FILES = '-c, --config <file>'
/** What is loaded where no file is named. */
export const DEFAULT_FILES: readonly string[] = ['postern.yaml']

/** `-c`, as often as there are files; `postern.yaml` without it. */
const configOption = (): Option =>
  new Option(FILES, 'configuration file, or folder of them (repeatable, later ones win)')
    .default(DEFAULT_FILES, DEFAULT_FILES[0])
    .argParser((file, earlier: readonly string[]) =>
      earlier === DEFAULT_FILES ? [file] : [...earlier, file],
    )

/** `-c` for commands that can do without: undefined without it. */
export const optionalConfigOption = (description: string): Option =>
  new Option(FILES, description).argParser((file, earlier: readonly string[] | undefined) => [
    ...(earlier ?? []),
    file,
  ])

/**
 * Adds `-c` and, hidden from the help, the flags; a misspelt one is told with the one that was probably meant. A flag that
 * the command has already, such as `--policies`, stays as it is described there.
 */
export const addConfigOptions = (command: Command, files: Option = configOption()): Command => {
  command.addOption(files)
  const own = new Set(command.options.map(({ long }) => long))
  for (const { flag } of OPTIONS)
    if (!own.has(flag)) command.addOption(new Option(`${flag} <value>`).hideHelp())
  command.configureOutput({ outputError: (text, write) => write(withSuggestion(text)) })
  return command.addHelpText(
    'after',
    '\nEvery key of the configuration is an option too, over its variable and the file: `session.idle` is --session-idle.',
  )
}

/** The library suggests nothing that its help does not list. */
const withSuggestion = (text: string): string => {
  const unknown = /^error: unknown option '(--[^'=]+)/.exec(text)?.[1]
  if (unknown === undefined || text.includes('Did you mean')) return text
  return `${text.trimEnd()}${didYouMean(unknown, FLAGS)}\n`
}

/** The flags that were given, as text. */
export const flagsOf = (options: GivenOptions): Readonly<Record<string, string>> =>
  Object.fromEntries(
    OPTIONS.flatMap(({ flag, name }) => {
      const value = options[name]
      return typeof value === 'string' ? [[flag, value]] : []
    }),
  )

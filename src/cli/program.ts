// The command line: one line for each command, imported only when it is asked for. Data on standard output, notes on
// standard error; exit 0 ok, 1 findings or denied, 2 usage or invalid input, 3 cannot reach.
import { Command, CommanderError } from 'commander'
import { VERSION } from '../server/version.ts'

type AddCommand = (program: Command) => void

interface Entry {
  readonly name: string
  readonly load: () => Promise<AddCommand>
}

/** Every command, in the order of the help text. */
const COMMANDS: readonly Entry[] = [
  { name: 'serve', load: async () => (await import('./serve.ts')).addServeCommand },
  { name: 'session', load: async () => (await import('./session.ts')).addSessionCommand },
  { name: 'config', load: async () => (await import('./config.ts')).addConfigCommand },
]

const EXIT_USAGE = 2

/**
 * Runs one command.
 * @param args without the program's own name
 * @returns the exit code; a command may set `process.exitCode` itself
 */
export const runProgram = async (args: readonly string[]): Promise<number> => {
  const program = new Command('postern')
    .description('Forward-auth decision service')
    .version(VERSION, '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError()
  const named = COMMANDS.filter(({ name }) => name === args[0])
  for (const { load } of named.length > 0 ? named : COMMANDS) {
    const add = await load()
    add(program)
  }
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${VERSION}\n`)
    })
  overrideExits(program)
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    throw error
  }
}

/** Sub-commands do not inherit it, and would end the process on their own. */
const overrideExits = (command: Command): void => {
  for (const child of command.commands) {
    child.exitOverride()
    overrideExits(child)
  }
}

// The command line: one line for each command, each imported only when it is asked for, so that none pays for another.
// Exit codes: 0 ok · 1 findings, denied, failed tests · 2 usage or invalid input · 3 cannot reach.
import { Command, CommanderError } from 'commander'
import { versionText } from './version.ts'

/** Adds one command to the program; its action sets `process.exitCode`. */
export type AddCommand = (program: Command) => void

const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  serve: async () => (await import('./serve.ts')).addServeCommand,
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  check: async () => (await import('./check.ts')).addCheckCommand,
  test: async () => (await import('./test.ts')).addTestCommand,
  explain: async () => (await import('./explain.ts')).addExplainCommand,
  session: async () => (await import('./session.ts')).addSessionCommand,
  audit: async () => (await import('./audit.ts')).addAuditCommand,
  config: async () => (await import('./config.ts')).addConfigCommand,
  version: async () => (await import('./version.ts')).addVersionCommand,
}

const USAGE = 2

/**
 * Runs one command.
 * @param args without the program's own name
 * @returns when the command is done; misuse is told on stderr and sets exit code 2. Rejects for a bug only.
 */
export const run = async (args: readonly string[]): Promise<void> => {
  const program = new Command('postern')
    .description('Forward-auth decision service: the proxy asks on each request, and policy answers')
    .version(versionText, '-V, --version', 'say which version this is')
    .showHelpAfterError('(`postern help` lists the commands)')
    .exitOverride()
  const asked = args.find((arg) => !arg.startsWith('-'))
  const known = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS)
  for (const name of known) (await COMMANDS[name]?.())?.(program)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // The library has told what was wrong; help and version are no misuse.
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? 0 : USAGE
  }
}

// `postern session`: mints a session for a test or a probe, and ends sessions at a running service.
import type { Command } from 'commander'
import { addConfigOptions } from './config-options.ts'
import { repeatable } from './repeatable.ts'
import { mintSession, type MintOptions } from './session-mint.ts'
import { revokeSessions, type RevokeOptions } from './session-revoke.ts'

/** Adds `session` with its commands. */
export const addSessionCommand = (program: Command): void => {
  const session = program.command('session').description('mint and revoke sessions')
  addConfigOptions(
    session
      .command('mint')
      .description('print a session cookie as `name=value`, for tests and probes; it is logged'),
  )
    .requiredOption('--provider <id>', 'provider that the session counts as coming from')
    .requiredOption('--sub <subject>', 'subject at that provider')
    .option('--email <address>', 'counts as verified')
    .addOption(repeatable('--claim <name=value>', 'a mapped claim; JSON, or plain text'))
    .addOption(repeatable('--amr <method>', 'authentication method'))
    .option('--acr <value>', 'authentication context')
    .option('--host <host>', 'which host the cookie is for, where each has its own (`session.host`)')
    .option('--ttl <duration>', 'how long it lives', '1h')
    .action(async (options: MintOptions) => {
      process.exitCode = await mintSession(options)
    })
  addConfigOptions(
    session
      .command('revoke [id]')
      .description('end one session, all of a subject, or all; effective at once, cached decisions included'),
  )
    .option('--sub <subject>', 'every session and bearer token of a subject')
    .option('--provider <id>', 'only where it comes from this provider or issuer')
    .option('--all', 'every session and bearer token', false)
    .option('--server <url>', 'admin listener; from the configuration without it')
    .option('--token-file <file>', 'file with the admin token; from the configuration without it')
    .action(async (id: string | undefined, options: RevokeOptions) => {
      process.exitCode = await revokeSessions(id, options)
    })
}

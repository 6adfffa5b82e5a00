// `postern audit`: looks at the decision log without the service that wrote it.
import { Option, type Command } from 'commander'
import { verifyAudit, type VerifyCommandOptions } from './audit-verify.ts'
import { repeatable } from './repeatable.ts'

/** Adds `audit` with its commands. */
export const addAuditCommand = (program: Command): void => {
  const audit = program.command('audit').description('check the decision log')
  audit
    .command('verify <file...>')
    .description(
      'prove that a log is whole: gaps, edits, cuts, lines out of order or of somebody else (`-`: standard input)',
    )
    .addOption(repeatable('--key <pem>', 'key of the checkpoints, public or private'))
    .addOption(
      repeatable(
        '--expect <what>',
        'hash of a block that must be there, or a line number that must be reached, `WRITER:N` for one writer',
      ),
    )
    .addOption(new Option('-o, --output <format>', 'format').choices(['text', 'json']).default('text'))
    .action(async (files: readonly string[], options: VerifyCommandOptions) => {
      process.exitCode = await verifyAudit(files, options)
    })
}

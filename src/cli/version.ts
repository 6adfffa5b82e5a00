// `postern version`: what runs here.
import { Option, type Command } from 'commander'
import { VERSION } from '../server/version.ts'

/** One line for people. */
export const versionText = `postern ${VERSION} (node ${process.version})`

/** Adds `version`. */
export const addVersionCommand = (program: Command): void => {
  program
    .command('version')
    .description('say which version this is')
    .addOption(new Option('-o, --output <format>', 'format').choices(['text', 'json']).default('text'))
    .action(({ output }: { readonly output: 'text' | 'json' }) => {
      const report = {
        apiVersion: 'postern/v1',
        kind: 'Version',
        version: VERSION,
        node: process.version,
      }
      process.stdout.write(`${output === 'json' ? JSON.stringify(report) : versionText}\n`)
    })
}

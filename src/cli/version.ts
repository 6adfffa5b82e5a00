// `postern version`: what runs here.
import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'

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
        version: ownVersion(),
        node: process.version,
      }
      const text = `postern ${report.version} (node ${report.node})`
      process.stdout.write(`${output === 'json' ? JSON.stringify(report) : text}\n`)
    })
}

const ownVersion = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isManifest && typeof manifest.version === 'string' ? manifest.version : 'unknown'
}

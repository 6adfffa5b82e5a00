// Loads the configuration for a command, or prints everything that is wrong with it.
import type { Config } from '../config/config.ts'
import { issueText } from '../config/issue.ts'
import { loadConfig } from '../config/load.ts'

/**
 * The configuration of files, or undefined after its faults went to standard error.
 * @param flags of the command line, each over its variable and the file
 */
export const loadedConfig = (
  files: readonly string[],
  flags: Readonly<Record<string, string>> = {},
): Config | undefined => {
  const loaded = loadConfig({ file: files, env: process.env, flags })
  const notes = loaded.kind === 'loaded' ? loaded.warnings : loaded.issues
  for (const note of notes) process.stderr.write(`${issueText(note)}\n`)
  return loaded.kind === 'loaded' ? loaded.config : undefined
}

#!/usr/bin/env node
// argv → command. The only file that ends the process.
import { run } from './cli/program.ts'

// A reader that has seen enough (`postern check | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await run(process.argv.slice(2))
} catch (error) {
  // A bug of ours: loud, and never taken for a finding.
  process.stderr.write(
    `internal error: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`,
  )
  process.exitCode = 2
}

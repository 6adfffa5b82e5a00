#!/usr/bin/env node
// argv → command. The only file that ends the process.
import { run } from './cli/program.ts'

// A reader that has seen enough (`postern check | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

await run(process.argv.slice(2))

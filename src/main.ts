#!/usr/bin/env node
// argv → command. The only file that ends the process.

// A reader that has seen enough (`postern check | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

/** The major version that `engines` of the package asks for. */
export const NODE_NEEDED = 24

if (Number(process.versions.node.split('.')[0]) < NODE_NEEDED) {
  // What runs there was never tested, and a part that is not there is found out at the first request that needs it.
  process.stderr.write(
    `error: this is Node ${process.versions.node}, and Postern needs Node ${NODE_NEEDED} or newer, which alone it is tested on; ` +
      'run it with node_modules/.bin/node, which `npm ci` brings, or install a newer Node\n',
  )
  process.exitCode = 2
} else {
  try {
    // Only here: an older Node must not get as far as reading the rest.
    const { run } = await import('./cli/program.ts')
    await run(process.argv.slice(2))
  } catch (error) {
    // A bug of ours: loud, and never taken for a finding.
    process.stderr.write(
      `internal error: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`,
    )
    process.exitCode = 2
  }
}

// `postern demo`: the whole thing on one machine in one command, with nothing to write and nothing left afterwards.
import { basename } from 'node:path'
import { Option, type Command } from 'commander'
import { banner } from '../demo/banner.ts'
import { startDemo, type RunningDemo } from '../demo/demo.ts'

interface DemoCommandOptions {
  readonly proxy: 'nginx' | 'builtin' | undefined
}

/** Adds `demo`. What keeps it from starting is printed, and it exits with 2. */
export const addDemoCommand = (program: Command): void => {
  program
    .command('demo')
    .description(
      'try it: provider, two applications, nginx and Postern on this machine, for as long as it runs',
    )
    .addOption(
      new Option('--proxy <which>', 'what stands in front; nginx where there is one').choices([
        'nginx',
        'builtin',
      ]),
    )
    .action(async (options: DemoCommandOptions) => {
      process.exitCode = await runDemo(options)
    })
}

const runDemo = async ({ proxy }: DemoCommandOptions): Promise<number> => {
  // Before anything is started: a signal in between must not leave half of it behind.
  const signal = nextSignal()
  let demo: RunningDemo
  try {
    demo = await startDemo({
      proxy,
      path: process.env['PATH'],
      command: ownCommand(),
      note: (line) => process.stderr.write(`${line}\n`),
    })
  } catch (error) {
    process.stderr.write(
      `the demo did not start: ${error instanceof Error ? error.message : String(error)}\n`,
    )
    return 2
  }
  process.stdout.write(banner(demo.values))
  await signal
  await demo.stop()
  return 0
}

/** Resolves at the first; later ones change nothing, since a terminal and npm both send one, and the end is near. */
const nextSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve())
    if (isRunByNpm()) whenOrphaned(resolve)
  })

const isRunByNpm = (): boolean => process.env['npm_lifecycle_event'] === 'demo'

const LOOK_EVERY_MS = 250

/** npm passes a signal to a shell, which dies of it without telling us. */
const whenOrphaned = (then: () => void): void => {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    then()
  }, LOOK_EVERY_MS).unref()
}

/** How a shell runs this very program. */
const ownCommand = (): string => {
  if (isRunByNpm()) return 'npm run -s postern --'
  const script = process.argv[1] ?? ''
  return basename(script) === 'postern' ? 'postern' : `${process.execPath} ${script}`
}

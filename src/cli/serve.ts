// `postern serve`: runs the service until it is told to stop. SIGTERM and SIGINT drain, SIGHUP reloads.
import type { Command } from 'commander'
import { startPostern, StartRefused, type RunningPostern } from '../server/serve.ts'
import { complain } from './complain.ts'
import { addConfigOptions, flagsOf, type GivenOptions } from './config-options.ts'
import { loadedConfig } from './loaded-config.ts'

interface ServeOptions extends GivenOptions {
  readonly config: readonly string[]
  readonly drain: string
}

/** Adds `serve`. What keeps it from starting is printed, and it exits with 2. */
export const addServeCommand = (program: Command): void => {
  addConfigOptions(program.command('serve').description('run the service'))
    .option('--drain <seconds>', 'how long to answer "not ready" before closing', '5')
    .action(async (options: ServeOptions) => {
      process.exitCode = await serve(options)
    })
}

const serve = async (options: ServeOptions): Promise<number> => {
  const drainSeconds = Number(options.drain)
  if (!Number.isFinite(drainSeconds) || drainSeconds < 0)
    return complain('`--drain` takes a number of seconds')
  const config = loadedConfig(options.config, flagsOf(options))
  if (config === undefined) return 2
  try {
    const running = await startPostern(config)
    tell(running)
    await untilStopped(running, drainSeconds * 1000)
    return 0
  } catch (error) {
    if (error instanceof StartRefused) return complain(error.message)
    throw error
  }
}

const tell = (running: RunningPostern): void => {
  process.stderr.write(
    `decision ${running.decisionUrl}\npublic   ${running.publicAddress}\nadmin    ${running.adminUrl}\n`,
  )
}

/** A second signal does not wait any longer; the log is written whole all the same. */
const untilStopped = (running: RunningPostern, drainMs: number): Promise<void> =>
  new Promise((resolve) => {
    const stop = (): void => void running.close(drainMs).then(resolve)
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
    process.on('SIGHUP', () => void running.reload())
  })

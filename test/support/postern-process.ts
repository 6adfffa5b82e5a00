// `postern` as a process of its own, where signals, exit codes and what it prints matter.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './running-service.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface PosternProcess {
  readonly pid: number
  readonly signal: (name: NodeJS.Signals) => void
  /** Closes the pipes of standard output and standard error, as a reader that went away does. */
  readonly stopReading: () => void
  readonly stdout: () => string
  readonly stderr: () => string
  readonly hasEnded: () => boolean
  readonly ended: Promise<Ended>
}

/** Runs a command to its end. */
export const runPostern = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => launch(args, env).ended

/** Starts `serve` and resolves when its three listeners are open; rejects with what it printed where it ends first. */
export const startPosternProcess = async (
  configFile: string,
  { drainSeconds = 0, env = {} }: { drainSeconds?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<PosternProcess> => {
  const running = launch(['serve', '-c', configFile, '--drain', String(drainSeconds)], env)
  await until(
    () => ({ ended: running.hasEnded(), printed: running.stderr() }),
    ({ ended, printed }) => ended || /^admin +http/m.test(printed),
  )
  if (running.hasEnded()) throw new Error(running.stderr())
  return running
}

const launch = (args: readonly string[], env: Readonly<Record<string, string>>): PosternProcess => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let hasEnded = false
  const ended = endOf(child).then(({ code, signal }) => {
    hasEnded = true
    return { code, signal, stdout, stderr }
  })
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    stopReading: () => {
      child.stdout.destroy()
      child.stderr.destroy()
    },
    stdout: () => stdout,
    stderr: () => stderr,
    hasEnded: () => hasEnded,
    ended,
  }
}

const endOf = (child: ChildProcess): Promise<Pick<Ended, 'code' | 'signal'>> =>
  new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })

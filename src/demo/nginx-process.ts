// A real nginx as a child process with its own folder: nothing of the machine's own nginx is read or written.
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface RunningNginx {
  /** What nginx wrote to its error log so far. */
  readonly errorLog: () => string
  /** Ends nginx and its workers; resolves when the process is gone. */
  readonly stop: () => Promise<void>
}

/** Debian and macOS keep it where an ordinary user's PATH does not look. */
const USUAL_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin']

/** The path of nginx on this machine, or undefined. */
export const findNginx = (path: string | undefined): string | undefined =>
  [...(path ?? '').split(delimiter), ...USUAL_FOLDERS]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nginx'))
    .find(isExecutable)

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface NginxStart {
  readonly program: string
  /** Absolute; pid file, temporary files and the configuration live here. */
  readonly folder: string
  readonly config: string
  /** The port on 127.0.0.1 that shows that nginx accepts. */
  readonly port: number
}

/**
 * Starts nginx and waits until it accepts connections.
 * @throws with nginx's own words where it ends before it accepts
 */
export const startNginx = async ({ program, folder, config, port }: NginxStart): Promise<RunningNginx> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'nginx.conf')
  await writeFile(file, config, { mode: 0o600 })
  await chmod(folder, 0o700)
  const child = spawn(program, ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      log.push(`${error.message}\n`)
      resolve()
    })
  })
  const endWithUs = (): boolean => child.kill('SIGTERM')
  process.once('exit', endWithUs)
  const nginx: RunningNginx = {
    errorLog: () => log.join(''),
    stop: async () => {
      process.off('exit', endWithUs)
      await stopped(child, gone)
    },
  }
  if (await acceptsBeforeEnd(port, gone)) return nginx
  await nginx.stop()
  throw new Error(`nginx did not start: ${nginx.errorLog().trim()}`)
}

const RETRY_MS = 20

const acceptsBeforeEnd = async (port: number, gone: Promise<void>): Promise<boolean> => {
  const ended = gone.then(() => 'ended' as const)
  for (;;) {
    const state = await Promise.race([accepts(port), ended])
    if (state !== 'refused') return state === 'accepted'
    await Promise.race([pause(RETRY_MS), ended])
  }
}

const accepts = (port: number): Promise<'accepted' | 'refused'> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve('accepted')
    })
    socket.once('error', () => resolve('refused'))
  })

/** SIGTERM ends nginx at once with its workers; one that is stuck is killed, since a demo must not outlive itself. */
const stopped = async (child: ChildProcess, gone: Promise<void>): Promise<void> => {
  child.kill('SIGTERM')
  const patience = new AbortController()
  const stuck = pause(5_000, 'stuck' as const, { signal: patience.signal }).catch(() => 'ended' as const)
  if ((await Promise.race([gone, stuck])) === 'stuck') child.kill('SIGKILL')
  patience.abort()
  await gone
}

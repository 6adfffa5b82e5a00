// A server in a process of its own, on its own core.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { pinned } from './load.ts'

export interface ServerProcess {
  readonly pid: number
  /** The first address that it said. */
  readonly url: string
  /** Every address, in the order in which it said them. */
  readonly urls: readonly string[]
  /** From its start to the line that says its last address. */
  readonly readyMs: number
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/

/** Starts a program under this Node, pinned to core 0, and waits until it has said so many addresses. */
export const startServer = async (args: readonly string[], addresses = 1, core = 0): Promise<ServerProcess> =>
  startProgram([process.execPath, ...args], addresses, core)

/** Builds `dist/`, as an installation has it. */
export const build = (): void =>
  void execFileSync('npm', ['run', '-s', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] })

/** Postern, from its sources unless another file is named; it says decision, public, admin. */
export const startPostern = (configFile: string, main = 'src/main.ts'): Promise<ServerProcess> =>
  startServer([main, 'serve', '--drain', '0', '-c', configFile], 3)

const startProgram = async (
  command: readonly string[],
  addresses: number,
  core: number,
): Promise<ServerProcess> => {
  const startedMs = performance.now()
  const [program = '', ...rest] = [...pinned(core), ...command]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  const urls = await addressesOf(child, addresses)
  return {
    pid: child.pid ?? 0,
    url: urls[0] ?? '',
    urls,
    readyMs: performance.now() - startedMs,
    signal: (name) => void child.kill(name),
    stop: () => stop(child),
  }
}

const addressesOf = (child: ChildProcess, wanted: number): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const said: string[] = []
    const urls: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        const [url] = ADDRESS.exec(line) ?? []
        if (url !== undefined && urls.push(url) === wanted) resolve(urls)
      })
    }
    child.once('exit', (code) => reject(new Error(`exited with ${code}:\n${said.join('\n')}`)))
  })

const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) {
      resolve()
      return
    }
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })

/** Runs with servers, and stops them whatever happens. */
export const withServers = async <T>(
  starts: readonly (() => Promise<ServerProcess>)[],
  use: (servers: readonly ServerProcess[]) => Promise<T>,
): Promise<T> => {
  const running: ServerProcess[] = []
  try {
    for (const start of starts) running.push(await start())
    return await use(running)
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}

/** Resident memory of a process in MB. */
export const residentMb = (pid: number): number => {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

const TICKS_PER_SECOND = 100

/** CPU seconds that a process has used, all its threads together. */
export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

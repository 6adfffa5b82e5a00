// A server in a process of its own, on its own core.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pinned } from './load.ts'

export interface ServerProcess {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a program and waits for the line that names its port. */
export const startServer = async (args: readonly string[], ready: RegExp): Promise<ServerProcess> => {
  const [program = '', ...rest] = [...pinned(0), process.execPath, ...args]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  const port = await portOf(child, ready)
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(child) }
}

const portOf = (child: ChildProcess, ready: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        const port = ready.exec(line)?.[1]
        if (port !== undefined) resolve(port)
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

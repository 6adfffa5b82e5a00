// One burst of load from wrk on its own core, closed loop over keep-alive connections.
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { findProgram } from '../../scripts/debian-packages.ts'

const run = promisify(execFile)

export interface Burst {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly seconds: number
  readonly connections: number
  readonly script?: string
}

/** Prefix that pins a command to a core, where the machine has two and `taskset`. */
export const pinned = (core: number): readonly string[] =>
  findProgram('taskset') !== undefined && availableParallelism() > 1 ? ['taskset', '-c', String(core)] : []

/** Requests a second of one burst; throws when any answer was an error. */
export const burst = async (load: Burst): Promise<number> => {
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script = load.script === undefined ? [] : ['-s', load.script]
  const [program, ...args] = [
    ...pinned(1),
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    ...headers,
    ...script,
    load.url,
  ]
  const { stdout } = await run(program, args)
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`the load saw errors:\n${stdout}`)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]
  if (rate === undefined) throw new Error(`no rate in:\n${stdout}`)
  return Number(rate)
}

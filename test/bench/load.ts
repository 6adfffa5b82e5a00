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
}

export interface BurstResult {
  readonly perSecond: number
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Prefix that pins a command to a core, where the machine has two and `taskset`. */
export const pinned = (core: number): readonly string[] =>
  findProgram('taskset') !== undefined && availableParallelism() > 1 ? ['taskset', '-c', String(core)] : []

/** Runs one burst; throws when any answer was an error. */
export const burst = async (load: Burst): Promise<BurstResult> => {
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const options = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency']
  const [program, ...args] = [...pinned(1), 'wrk', ...options, ...headers, load.url]
  const { stdout } = await run(program, args)
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`the load saw errors:\n${stdout}`)
  const found = (pattern: RegExp): string => {
    const text = pattern.exec(stdout)?.[1]
    if (text === undefined) throw new Error(`no ${pattern.source} in:\n${stdout}`)
    return text
  }
  return {
    perSecond: Number(found(/Requests\/sec:\s+([\d.]+)/)),
    requests: Number(found(/(\d+) requests in/)),
    p50Ms: milliseconds(found(/50%\s+(\S+)/)),
    p99Ms: milliseconds(found(/99%\s+(\S+)/)),
  }
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

/** `412.00us`, `1.24ms`, `2.00s` → milliseconds. */
const milliseconds = (text: string): number => {
  const [, number = '', unit = ''] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? []
  return Number(number) * (UNITS[unit] ?? Number.NaN)
}

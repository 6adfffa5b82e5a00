// A copy of the project in which the commands of one page can run: the sources by a link, the policies as a copy, and,
// where the page asks for it, a service that runs with the configuration that the documentation shows.
import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { loadConfig } from '../../src/config/load.ts'
import { startPostern, type RunningPostern } from '../../src/server/serve.ts'
import { makeLogger } from '../../src/telemetry/logger.ts'
import { freePort } from '../support/free-port.ts'
import { makeSecret, secretFilesOf } from './secret-files.ts'

export interface Ran {
  readonly code: number
  /** Standard output and standard error, as they came, with the addresses that the page shows. */
  readonly output: string
}

export interface Workbench {
  readonly folder: string
  readonly write: (name: string, text: string) => void
  /** Runs a block as a shell script that ends at the first failure. */
  readonly run: (script: string) => Promise<Ran>
  /** Runs a block that does not end, until the service is ready, and then stops it. */
  readonly runUntilReady: (script: string) => Promise<Ran>
  /** Writes `postern.yaml` and its secrets, where they are not there. */
  readonly configure: () => void
  /** Starts the service of `postern.yaml`, once. */
  readonly startService: () => Promise<void>
  readonly remove: () => Promise<void>
}

const LINKED = ['src', 'scripts', 'node_modules', 'package.json', 'tsconfig.json'] as const

/** Addresses that the pages show, each with the listener that they mean. */
const SHOWN = ['127.0.0.1:4181', '127.0.0.1:4180', '127.0.0.1:9090'] as const

/** @param configuration `postern.yaml` as the documentation shows it */
export const makeWorkbench = async (configuration: string): Promise<Workbench> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-docs-'))
  for (const name of LINKED) symlinkSync(resolve(name), join(folder, name))
  if (existsSync('policies')) cpSync('policies', join(folder, 'policies'), { recursive: true })
  const own = await Promise.all(SHOWN.map(async (shown) => [shown, `127.0.0.1:${await freePort()}`] as const))
  const toOwn = (text: string): string =>
    own.reduce((kept, [shown, real]) => kept.replaceAll(shown, real), text)
  const toShown = (text: string): string =>
    own.reduce((kept, [shown, real]) => kept.replaceAll(real, shown), text)
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), name === 'postern.yaml' ? toOwn(offline(text)) : text, { mode: 0o600 })
  }
  const environment = writeProgram(folder)
  const running: RunningPostern[] = []
  return {
    folder,
    write,
    run: async (script) => {
      const { code, output } = await execute(folder, toOwn(script), environment)
      return { code, output: toShown(output) }
    },
    runUntilReady: async (script) => {
      prepare(configuration, write, folder)
      const admin = own.find(([shown]) => shown.endsWith(':9090'))?.[1] ?? ''
      const { code, output } = await executeUntilReady(folder, toOwn(script), environment, admin)
      return { code, output: toShown(output) }
    },
    configure: () => prepare(configuration, write, folder),
    startService: async () => {
      if (running.length > 0) return
      prepare(configuration, write, folder)
      running.push(await startService(join(folder, 'postern.yaml')))
    },
    remove: async () => {
      await Promise.all(running.map((one) => one.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Nobody is asked for keys that is not there. */
const offline = (text: string): string =>
  text.replaceAll(/https:\/\/(?:idp|token)\.example\.com/g, 'http://127.0.0.1:9')

const prepare = (configuration: string, write: Workbench['write'], folder: string): void => {
  if (existsSync(join(folder, 'postern.yaml'))) return
  write('postern.yaml', configuration)
  for (const file of secretFilesOf(configuration)) write(file, makeSecret(file))
}

const startService = (file: string): Promise<RunningPostern> => {
  const loaded = loadConfig({ file, env: {} })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  return startPostern(loaded.config, { logger: makeLogger('silent') })
}

/** `postern` as it is installed: a program on the path, run by the Node that the project pins. */
const writeProgram = (folder: string): NodeJS.ProcessEnv => {
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(
    join(folder, 'bin', 'postern'),
    `#!/bin/sh\nexec "${join(bin, 'node')}" "${join(folder, 'src', 'main.ts')}" "$@"\n`,
    { mode: 0o755 },
  )
  const { PATH = '', HOME } = process.env
  return { PATH: [join(folder, 'bin'), bin, PATH].join(':'), HOME, NO_COLOR: '1' }
}

const TIMEOUT_MS = 25_000

const execute = (folder: string, script: string, env: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((done) => {
    const options = { cwd: folder, env, timeout: TIMEOUT_MS }
    execFile('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], options, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ code, output: stdout })
    })
  })

const executeUntilReady = async (
  folder: string,
  script: string,
  env: NodeJS.ProcessEnv,
  admin: string,
): Promise<Ran> => {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\nexec ${script}`], { cwd: folder, env })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)))
  const ready = untilReady(admin)
  const code = await Promise.race([ended, ready.done])
  ready.stop()
  if (code !== 'ready') return { code, output }
  child.kill('SIGTERM')
  return { code: await ended, output }
}

interface Waiting {
  readonly done: Promise<'ready'>
  readonly stop: () => void
}

const untilReady = (admin: string): Waiting => {
  const end = new AbortController()
  const look = async (): Promise<'ready'> => {
    const answer = await fetch(`http://${admin}/readyz`).catch(() => undefined)
    if (answer?.status === 200 || end.signal.aborted) return 'ready'
    await new Promise((again) => setTimeout(again, 50))
    return look()
  }
  return { done: look(), stop: () => end.abort() }
}

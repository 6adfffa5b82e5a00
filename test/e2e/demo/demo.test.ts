// The demo as somebody runs it: one command, the printed lines pasted into a shell, and nothing left afterwards.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { READY_LINE } from '../../../src/demo/banner.ts'
import { listenOnLoopback } from '../../../src/demo/loopback.ts'
import { nginxIsMissing } from '../../support/nginx.ts'

const run = promisify(execFile)

interface Demo {
  readonly child: ChildProcess
  readonly banner: string
  /** Where its temporary files are, alone. */
  readonly folder: string
  /** Resolves when its error output holds the text. */
  readonly told: (text: string) => Promise<void>
  readonly ended: Promise<number | null>
}

const running: Demo[] = []
afterEach(async () => {
  for (const demo of running.splice(0)) {
    demo.child.kill('SIGTERM')
    await demo.ended
    rmSync(demo.folder, { recursive: true, force: true })
  }
})

const startDemo = (...args: readonly string[]): Promise<Demo> =>
  startCommand(process.execPath, ['src/main.ts', 'demo', ...args])

const startCommand = async (program: string, args: readonly string[]): Promise<Demo> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-test-'))
  const child = spawn(program, args, {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const output = gather(child.stdout)
  const errors = gather(child.stderr)
  const failed = ended.then((code) => {
    throw new Error(`the demo ended with ${code}: ${errors.text()}`)
  })
  failed.catch(() => undefined)
  await Promise.race([output.holds(READY_LINE), failed])
  const demo = { child, banner: output.text(), folder, told: errors.holds, ended }
  running.push(demo)
  return demo
}

const gather = (stream: NodeJS.ReadableStream | null) => {
  let text = ''
  const waiting = new Set<() => void>()
  stream?.setEncoding('utf8').on('data', (more: string) => {
    text += more
    for (const look of waiting) look()
  })
  return {
    text: () => text,
    holds: (wanted: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!text.includes(wanted)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

/** The lines below `# 401: …`, `# 200: …`, `# 403: …`, as printed. */
const curlLines = (banner: string): ReadonlyMap<string, string> =>
  new Map(
    [...banner.matchAll(/^ +# (\d{3}): .*\n +(curl .*)$/gm)].map(([, status = '', line = '']) => [
      status,
      line,
    ]),
  )

const answerOf = async (line: string): Promise<string> => (await run('sh', ['-c', line])).stdout.trim()

const policyFile = (banner: string): string => /\S+\/wiki\.yaml/.exec(banner)?.[0] ?? ''

describe.each(['nginx', 'builtin'] as const)('postern demo --proxy %s', (proxy) => {
  describe.skipIf(proxy === 'nginx' && nginxIsMissing('the demo behind nginx'))('runs', () => {
    it('prints lines that do what they say', async () => {
      const { banner } = await startDemo('--proxy', proxy)
      const lines = curlLines(banner)
      expect([...lines.keys()]).toEqual(['401', '200', '403'])
      for (const [status, line] of lines) expect(await answerOf(line)).toBe(status)
      expect(banner).toMatch(proxy === 'nginx' ? /Proxy +nginx \(/ : /Proxy +a stand-in/)
      for (const name of ['ada', 'ben', 'cy'])
        expect(banner).toMatch(new RegExp(`^ {2}${name} +[a-z2-9]{8} `, 'm'))
    })

    it('takes a changed policy, and keeps the last good one', async () => {
      const { banner, told } = await startDemo('--proxy', proxy)
      const asBen = (curlLines(banner).get('200') ?? '')
        .replace('--sub ada', '--sub ben')
        .replace('"sre"', '"eng"')
        .replace(/http:\/\/grafana(\S*)\/api\/search$/, 'http://wiki$1/runbooks/database')
      expect(await answerOf(asBen)).toBe('403')
      const file = policyFile(banner)
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace('{id: on-call, groups: [sre]}', '{id: on-call, groups: [sre, eng]}'))
      await told('policies loaded')
      expect(await answerOf(asBen)).toBe('200')
      writeFileSync(file, 'sections: [')
      await told('policies refused')
      expect(await answerOf(asBen)).toBe('200')
    })

    it.each(['SIGTERM', 'SIGINT'] as const)('leaves nothing behind after %s', async (signal) => {
      const { child, banner, folder, ended } = await startDemo('--proxy', proxy)
      const ports = [...banner.matchAll(/:(\d{4,5})\b/g)].map(([, port]) => Number(port))
      const nginx = nginxPid(folder)
      expect([readdirSync(folder).length, nginx !== undefined]).toEqual([1, proxy === 'nginx'])
      child.kill(signal)
      child.kill(signal)
      expect(await ended).toBe(0)
      expect(readdirSync(folder)).toEqual([])
      if (nginx !== undefined) expect(existsSync(`/proc/${nginx}/cmdline`)).toBe(false)
      for (const port of new Set(ports)) {
        const probe = await listenOnLoopback(createServer(), port)
        expect(probe.port).toBe(port)
        await probe.close()
      }
    })
  })
})

const nginxPid = (folder: string): string | undefined => {
  const [demo = ''] = readdirSync(folder)
  const file = join(folder, demo, 'nginx', 'nginx.pid')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

describe('postern demo', () => {
  it('takes other ports where its own are taken', async () => {
    const taken = await listenOnLoopback(createServer(), 8080)
    try {
      const { banner } = await startDemo('--proxy', 'builtin')
      const line = curlLines(banner).get('401') ?? ''
      expect(line).not.toContain(':8080/')
      expect(await answerOf(line)).toBe('401')
    } finally {
      await taken.close()
    }
  })

  it('goes with npm, which tells it nothing', async () => {
    const { child, banner, folder } = await startCommand('npm', ['run', 'demo', '--', '--proxy', 'builtin'])
    const { hostname, port } = new URL(/Provider +(\S+)/.exec(banner)?.[1] ?? '')
    const gone = new Promise((resolve) => connect(Number(port), hostname).resume().once('close', resolve))
    child.kill('SIGTERM')
    await gone
    // npm keeps files of its own beside ours.
    const ours = (): readonly string[] =>
      readdirSync(folder).filter((name) => name.startsWith('postern-demo-'))
    await vi.waitUntil(() => ours().length === 0, { timeout: 60_000 })
  })

  it('says what it takes where it is told nonsense', async () => {
    const failure: unknown = await run(process.execPath, ['src/main.ts', 'demo', '--proxy', 'apache']).catch(
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('nginx, builtin') })
  })
})

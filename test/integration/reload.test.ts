// Policies change under a running service: all or nothing, the last good set stays, and no request is lost meanwhile.
import { Agent, request as httpRequest } from 'node:http'
import { mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Logger } from '../../src/telemetry/logger.ts'
import { startPosternProcess } from '../support/postern-process.ts'
import { askNginx, readiness, seriesOf, startService, until, untilReady } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const APP = 'https://app.example.com/x'

const policy = (group: string, route = 'app', more = ''): string =>
  `apiVersion: postern/v1
route: ${route}
owner: team
hosts: [${route}.example.com]
sections:
- path: /
  allow: [{id: in, groups: [${group}]}]
${more}`

/** The group is unknown to the language: a misspelt key on line 7. */
const BROKEN = policy('sre').replace('groups:', 'grups:')

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeFolder = async (policies: Readonly<Record<string, string>>): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({ policies })
  ending.push(service.remove)
  return service
}

const running = async (
  policies: Readonly<Record<string, string>> = { 'app.yaml': policy('dev') },
): Promise<ServiceFolder> => {
  const service = await makeFolder(policies)
  const postern = await startService(service)
  ending.push(() => postern.close())
  return service
}

const status = async (service: ServiceFolder, groups: readonly string[]): Promise<number> =>
  (await askNginx(service, APP, { cookie: service.cookie('ada', groups) })).status

const revisionOf = async (service: ServiceFolder): Promise<string> =>
  /revision (\S+)/.exec((await readiness(service)).lines.get('policy') ?? '')?.[1] ?? ''

describe('an edit', () => {
  it('is in force once readiness says so, for a caller whose decision is cached too', async () => {
    const service = await running()
    const cookie = service.cookie('ada', ['dev'])
    for (const _ of [1, 2]) expect((await askNginx(service, APP, { cookie })).status).toBe(200)
    const before = await revisionOf(service)
    await service.write('policies/app.yaml', policy('sre'))
    await untilReady(service, 'policy', /^ok: revision \S+ generation 2$/)
    expect(await revisionOf(service)).not.toBe(before)
    expect((await askNginx(service, APP, { cookie })).status).toBe(403)
    expect(await status(service, ['sre'])).toBe(200)
    await until(service.log, (lines) => lines.filter(({ type }) => type === 'policy.load').length === 2)
  })

  it('that is broken keeps the last good set, names the place, and is mended by an edit', async () => {
    const service = await running()
    const kept = await revisionOf(service)
    await service.write('policies/app.yaml', BROKEN)
    const broken = await untilReady(service, 'policy', /^degraded/)
    expect(broken.status).toBe(200)
    expect(broken.lines.get('policy')).toMatch(
      new RegExp(`revision ${kept} generation 1, the last good one; .*app\\.yaml:7:20: .*\`grups\``),
    )
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([200, 403])
    expect(await seriesOf(service, 'postern_config_last_reload_success')).toEqual(new Map([['', 0]]))
    const lines = await until(service.log, (log) => log.some(({ type }) => type === 'policy.reject'))
    expect(lines.find(({ type }) => type === 'policy.reject')).toMatchObject({
      keeps: kept,
      why: expect.stringMatching(/app\.yaml:7:20/),
    })
    await service.write('policies/app.yaml', policy('sre'))
    await untilReady(service, 'policy', /^ok: revision \S+ generation 2$/)
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([403, 200])
    expect(await seriesOf(service, 'postern_config_last_reload_success')).toEqual(new Map([['', 1]]))
  })

  it('is all or nothing: one broken file keeps a good one beside it out', async () => {
    const service = await running({ 'app.yaml': policy('dev'), 'other.yaml': policy('dev', 'other') })
    await service.write('policies/other.yaml', BROKEN.replaceAll('app', 'other'))
    await untilReady(service, 'policy', /^degraded/)
    await service.write('policies/app.yaml', policy('sre'))
    await until(service.log, (log) => log.filter(({ type }) => type === 'policy.reject').length >= 2)
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([200, 403])
    await service.write('policies/other.yaml', policy('dev', 'other'))
    await untilReady(service, 'policy', /^ok/)
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([403, 200])
  })

  it('that takes every file away is refused: nobody is locked out by an empty folder', async () => {
    const service = await running()
    await unlink(join(service.folder, 'policies/app.yaml'))
    const emptied = await untilReady(service, 'policy', /^degraded/)
    expect(emptied.status).toBe(200)
    expect(await status(service, ['dev'])).toBe(200)
    await rm(join(service.folder, 'policies'), { recursive: true })
    expect(await status(service, ['dev'])).toBe(200)
    await mkdir(join(service.folder, 'policies'))
    await service.write('policies/app.yaml', policy('sre'))
    await untilReady(service, 'policy', /^ok/)
    expect(await status(service, ['sre'])).toBe(200)
  })
})

describe('a rule that ends within a fortnight', () => {
  it('is told at the start, after each reload, and every day', async () => {
    const until = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
    const ends = (rule: string): string => policy('dev').replace('id: in,', `id: ${rule}, until: ${until},`)
    const service = await makeFolder({ 'app.yaml': ends('old') })
    const told: unknown[] = []
    const logger: Logger = {
      info: () => undefined,
      warn: ({ route, rule }, message) => void told.push([route, rule, message]),
      error: () => undefined,
    }
    const daily: (() => void)[] = []
    const every = (intervalMs: number, run: () => void): (() => void) => {
      if (intervalMs === 86_400_000) daily.push(run)
      return () => daily.splice(0)
    }
    const postern = await startService(service, { logger, every })
    const line = (rule: string): unknown => ['app', rule, 'a rule ends soon']
    expect(told.splice(0)).toEqual([line('old')])
    daily[0]?.()
    expect(told.splice(0)).toEqual([line('old')])
    await service.write('policies/app.yaml', ends('older'))
    await postern.reload()
    expect(told.splice(0)).toEqual([line('older')])
    await service.write('policies/app.yaml', policy('dev'))
    await postern.reload()
    daily[0]?.()
    expect(told).toEqual([])
    await postern.close()
    expect(daily).toEqual([])
  })
})

describe('a ConfigMap volume', () => {
  const publish = async (service: ServiceFolder, name: string, text: string): Promise<void> => {
    const root = join(service.folder, 'policies')
    const old = (await readdir(root)).filter((entry) => entry.startsWith('..2'))
    await mkdir(join(root, name))
    await writeFile(join(root, name, 'app.yaml'), text)
    await symlink(name, join(root, '..data_tmp'))
    await rename(join(root, '..data_tmp'), join(root, '..data'))
    for (const entry of old) await rm(join(root, entry), { recursive: true })
  }

  it('is followed through the swap of its `..data` link, all at once', async () => {
    const service = await makeFolder({ 'app.yaml': policy('dev') })
    await unlink(join(service.folder, 'policies/app.yaml'))
    await publish(service, '..2026_01', policy('dev'))
    await symlink('..data/app.yaml', join(service.folder, 'policies/app.yaml'))
    const postern = await startService(service)
    ending.push(() => postern.close())
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([200, 403])
    await publish(service, '..2026_02', policy('sre'))
    await untilReady(service, 'policy', /^ok: revision \S+ generation 2$/)
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([403, 200])
    await publish(service, '..2026_03', BROKEN)
    await untilReady(service, 'policy', /^degraded/)
    expect(await status(service, ['sre'])).toBe(200)
  })
})

describe('SIGHUP', () => {
  it('loads the policies, and a broken set does not end the process', async () => {
    const service = await makeFolder({ 'app.yaml': policy('dev') })
    const child = await startPosternProcess(service.configFile)
    ending.push(async () => {
      child.signal('SIGKILL')
      await child.ended
    })
    await service.write('policies/app.yaml', BROKEN)
    child.signal('SIGHUP')
    await untilReady(service, 'policy', /^degraded/)
    await service.write('policies/app.yaml', policy('sre'))
    child.signal('SIGHUP')
    await untilReady(service, 'policy', /^ok: revision \S+ generation 2$/)
    expect([await status(service, ['dev']), await status(service, ['sre'])]).toEqual([403, 200])
    expect(child.hasEnded()).toBe(false)
  })
})

describe('the service log', () => {
  it('says on demand that nothing changed, and how to mend what was refused', async () => {
    const service = await makeFolder({ 'app.yaml': policy('dev') })
    const told: string[] = []
    const logger: Logger = {
      info: (_, message) => void told.push(`info ${message}`),
      warn: (_, message) => void told.push(`warn ${message}`),
      error: (_, message) => void told.push(`error ${message}`),
    }
    const postern = await startService(service, { logger })
    ending.push(() => postern.close())
    told.splice(0)
    await postern.reload()
    expect(told.splice(0)).toEqual(['info policies unchanged; decision log opened anew'])
    await service.write('policies/app.yaml', BROKEN)
    await postern.reload()
    expect(told).toContainEqual(expect.stringMatching(/^warn policies refused; .*run `postern check`/))
    expect(told).not.toContainEqual(expect.stringMatching(/unchanged/))
  })
})

describe('a reload under requests', () => {
  const ROUTES = 1000
  const many = (group: string): string[] =>
    Array.from({ length: ROUTES }, (_, index) => policy(group, `app${index}`))

  it('of a thousand routes loses no request, and each answer is of one set, whole', async () => {
    const service = await makeFolder({ 'app.yaml': policy('dev') })
    const write = async (group: string): Promise<void> => {
      const next = join(service.folder, 'next')
      await mkdir(next)
      for (const [index, text] of many(group).entries()) await writeFile(join(next, `app${index}.yaml`), text)
      await rename(join(service.folder, 'policies'), join(service.folder, 'last'))
      await rename(next, join(service.folder, 'policies'))
      await rm(join(service.folder, 'last'), { recursive: true })
    }
    await write('dev')
    const postern = await startService(service)
    ending.push(() => postern.close())
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    ending.push(async () => agent.destroy())
    const dev = ['dev', service.cookie('ada', ['dev'])] as const
    const sre = ['sre', service.cookie('ben', ['sre'])] as const
    const asking = { on: true }
    const answers: string[] = []
    const worker = async (start: number): Promise<void> => {
      for (let index = start; asking.on; index += 7) {
        const url = `https://app${index % ROUTES}.example.com/x`
        answers.push(await askOn(agent, service, url, dev), await askOn(agent, service, url, sre))
      }
    }
    const workers = [0, 1, 2, 3].map(worker)
    await write('sre')
    await untilReady(service, 'policy', /^ok: revision \S+ generation 2$/)
    const atReload = answers.length
    await until(
      () => answers.length,
      (count) => count > atReload + 100,
    )
    asking.on = false
    await Promise.all(workers)
    expect(new Set(answers)).toEqual(new Set(['dev 200', 'dev 403', 'sre 200', 'sre 403']))
    expect([
      await askOn(agent, service, 'https://app999.example.com/x', dev),
      await askOn(agent, service, 'https://app999.example.com/x', sre),
    ]).toEqual(['dev 403', 'sre 200'])
    const counted = await until(
      service.log,
      (lines) => lines.filter(({ type }) => type === 'decision').length === answers.length + 2,
    )
    // The log tells of each decision under which set it was made: never one that neither set would have made.
    const verdicts = new Set(
      counted.flatMap((line) =>
        line['type'] === 'decision'
          ? [`${String(line['policy'])} ${callerOf(line)} ${String(line['decision'])}`]
          : [],
      ),
    )
    expect(verdicts.size).toBe(4)
  })
})

const callerOf = (line: Readonly<Record<string, unknown>>): string =>
  (line['sub'] as { readonly id?: string }).id ?? 'nobody'

/** `GROUP STATUS` of one request over a kept connection. */
const askOn = (
  agent: Agent,
  service: ServiceFolder,
  url: string,
  [group, cookie]: readonly [string, string],
): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port: service.ports.decision,
        path: '/authz/nginx',
        headers: { 'X-Original-URL': url, 'X-Original-Method': 'GET', Cookie: cookie },
      },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(`${group} ${answer.statusCode}`))
      },
    )
    request.on('error', reject)
    request.end()
  })

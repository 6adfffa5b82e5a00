// The life of the process: it drains, it ends when told twice, its log is whole, and a log that cannot be written is told.
import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { rename, stat } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startPosternProcess, type PosternProcess } from '../support/postern-process.ts'
import { requestText } from '../support/raw-http.ts'
import {
  askForward,
  askNginx,
  headerOf,
  readiness,
  totalOf,
  until,
  untilReady,
} from '../support/running-service.ts'
import { linesOf, makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

const policy = (route: string, more = ''): string => `apiVersion: postern/v1
route: ${route}
owner: team
hosts: [${route}.example.com]
accepts: [session, bearer]
${more}sections:
- path: /
  allow: [{id: dev, groups: [dev]}, {id: robot, clients: ["ci|robot"]}]
`
const APP = 'https://app.example.com/x'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeFolder = async (settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({
    policies: { 'app.yaml': policy('app'), 'strict.yaml': policy('strict', 'audit: strict\n') },
    settings: {
      issuers: [{ id: 'ci', issuer: 'http://127.0.0.1:9', audience: 'api' }],
      ...settings,
    },
  })
  ending.push(service.remove)
  return service
}

const start = async (service: ServiceFolder, drainSeconds = 0): Promise<PosternProcess> => {
  const child = await startPosternProcess(service.configFile, { drainSeconds })
  ending.push(async () => {
    child.signal('SIGKILL')
    await child.ended
  })
  return child
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const untilClosed = (port: number): Promise<boolean> =>
  until(
    () => isOpen(port),
    (open) => !open,
  )

const status = async (service: ServiceFolder, cookie = service.cookie('ada', ['dev'])): Promise<number> =>
  (await askNginx(service, APP, { cookie })).status

/** Without the lines that end blocks: how many there are is a matter of time. */
const typesOf = (lines: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] =>
  lines.map(({ type }) => type).filter((type) => type !== 'log.block')

const sequenceOf = (lines: readonly Readonly<Record<string, unknown>>[]): readonly number[] =>
  lines.map(({ seq }) => Number(seq))

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)

/** A request over a kept connection, answered or failed. */
const keptRequest = (agent: Agent, service: ServiceFolder, bearer: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { 'X-Original-URL': APP, 'X-Original-Method': 'GET', Authorization: `Bearer ${bearer}` }
    const request = httpRequest(
      { agent, host: '127.0.0.1', port: service.ports.decision, path: '/authz/nginx', headers },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer))
      },
    )
    request.on('error', reject)
    request.end()
  })

describe('SIGTERM', () => {
  it('says not ready first, and decides on while the proxy looks elsewhere', async () => {
    const service = await makeFolder()
    const child = await start(service, 600)
    expect((await readiness(service)).status).toBe(200)
    child.signal('SIGTERM')
    const draining = await untilReady(service, 'serving', /^failed: draining$/)
    expect(draining.status).toBe(503)
    expect((await fetch(`${service.adminUrl}/livez`)).status).toBe(200)
    expect(await status(service)).toBe(200)
    expect((await fetch(`http://127.0.0.1:${service.ports.public}/.well-known/jwks.json`)).status).toBe(200)
    child.signal('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0, signal: null })
  })

  it('lets a request under way finish, and ends with the last line of a whole log', async () => {
    const issuer = await startTokenIssuer({ audience: 'api' })
    ending.push(issuer.close)
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const keys = createServer((_, response) => {
      asked.resolve()
      void gate.promise
        .then(() => fetch(issuer.jwksUri))
        .then((answer) => answer.text())
        .then((text) => response.writeHead(200, { 'content-type': 'application/json' }).end(text))
    })
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    ending.push(async () => {
      keys.closeAllConnections()
      keys.close()
    })
    const jwksUri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`
    const service = await makeFolder({
      issuers: [{ id: 'ci', issuer: issuer.issuer, jwksUri, audience: 'api' }],
    })
    const child = await start(service)
    await asked.promise
    const agent = new Agent({ keepAlive: true })
    ending.push(async () => agent.destroy())
    const underWay = keptRequest(agent, service, await issuer.mint({ client_id: 'robot' }))
    const others = await Promise.all([status(service), status(service)])
    child.signal('SIGTERM')
    await untilClosed(service.ports.decision)
    expect(child.hasEnded()).toBe(false)
    gate.resolve()
    expect((await underWay).statusCode).toBe(200)
    expect(others).toEqual([200, 200])
    expect(await child.ended).toMatchObject({ code: 0, signal: null })
    const lines = await service.log()
    expect(typesOf(lines)).toEqual([
      'service.start',
      'policy.load',
      'decision',
      'decision',
      'decision',
      'service.stop',
    ])
    expect(sequenceOf(lines)).toEqual(upTo(lines.length))
    expect((await service.read('decisions.ndjson')).endsWith('\n')).toBe(true)
    expect(new Set(lines.map(({ w }) => w)).size).toBe(1)
  })

  it('does not wait for connections that ask for nothing', async () => {
    const service = await makeFolder()
    const child = await start(service)
    const idle = connect(service.ports.decision, '127.0.0.1')
    ending.push(async () => idle.destroy())
    const agent = new Agent({ keepAlive: true })
    ending.push(async () => agent.destroy())
    expect((await keptRequest(agent, service, 'foreign')).statusCode).toBe(401)
    child.signal('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0, signal: null })
  })
})

describe('a second signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends what would have waited, and loses no line',
    async (name) => {
      const service = await makeFolder()
      const child = await start(service, 600)
      expect(await status(service)).toBe(200)
      // Half a request: it would hold its connection for longer than anybody waits.
      const half = connect(service.ports.decision, '127.0.0.1')
      ending.push(async () => half.destroy())
      half.on('error', () => undefined)
      half.write('GET /authz/nginx HTTP/1.1\r\nHost: x\r\n')
      child.signal(name)
      await untilReady(service, 'serving', /^failed/)
      expect(await status(service)).toBe(200)
      child.signal(name)
      expect(await child.ended).toMatchObject({ code: 0, signal: null })
      const lines = await service.log()
      expect(lines.filter(({ type, decision }) => type === 'decision' && decision === 'allow')).toHaveLength(
        2,
      )
      expect(lines.slice(-2)).toMatchObject([{ type: 'service.stop' }, { type: 'log.block', end: true }])
    },
  )
})

describe('the decision log', () => {
  it('loses no line when it is moved away and reopened under requests', async () => {
    const service = await makeFolder()
    const child = await start(service)
    const cookies = ['ada', 'ben', 'cy', 'dot'].map((who) => service.cookie(who, ['dev']))
    const asking = { on: true }
    let answered = 0
    const worker = async (cookie: string): Promise<void> => {
      while (asking.on) {
        expect(await status(service, cookie)).toBe(200)
        answered += 1
      }
    }
    const workers = cookies.map(worker)
    const [file, ...moved] = ['decisions.ndjson', 'one.ndjson', 'two.ndjson', 'three.ndjson'] as const
    for (const name of moved) {
      const goal = answered + 20
      await until(
        () => answered,
        (count) => count > goal,
      )
      await rename(join(service.folder, file), join(service.folder, name))
      child.signal('SIGHUP')
      await until(
        () => stat(join(service.folder, file)).catch(() => undefined),
        (found) => found !== undefined,
      )
    }
    asking.on = false
    await Promise.all(workers)
    child.signal('SIGTERM')
    await child.ended
    const texts = await Promise.all([...moved, file].map((name) => service.read(name)))
    for (const text of texts) expect(text.endsWith('\n')).toBe(true)
    const lines = texts.flatMap((text) => linesOf(text))
    expect(sequenceOf(lines)).toEqual(upTo(lines.length))
    expect(lines.filter(({ type }) => type === 'decision')).toHaveLength(answered)
    expect(((await stat(join(service.folder, file))).mode & 0o777).toString(8)).toBe('600')
  })

  it('is on standard output by default, and nothing else is', async () => {
    const service = await makeFolder({ audit: { sink: 'stdout' }, log: { level: 'info' } })
    const child = await start(service)
    expect(await status(service)).toBe(200)
    child.signal('SIGTERM')
    const { stdout, stderr } = await child.ended
    expect(typesOf(linesOf(stdout))).toEqual(['service.start', 'policy.load', 'decision', 'service.stop'])
    expect(stderr).toContain('"msg":"listening"')
    expect(stderr).not.toContain('"type":"decision"')
  })

  it('that cannot be written makes a strict route answer 503, and no other', async () => {
    const service = await makeFolder({ audit: { sink: { file: '/dev/full' } }, log: { level: 'info' } })
    const child = await start(service)
    const cookie = service.cookie('ada', ['dev'])
    for (const _ of [1, 2]) {
      const strict = await askNginx(service, 'https://strict.example.com/x', { cookie })
      expect([strict.status, headerOf(strict, 'x-auth-request-user')]).toEqual([503, undefined])
      expect((await askForward(service, 'https://strict.example.com/x', { cookie })).status).toBe(503)
      expect((await askNginx(service, 'https://app.example.com/x', { cookie })).status).toBe(200)
      expect((await askNginx(service, 'https://app.example.com/x')).status).toBe(401)
    }
    const ready = await readiness(service)
    expect([ready.status, ready.lines.get('audit')]).toEqual([200, expect.stringMatching(/^degraded: /)])
    expect(await totalOf(service, 'postern_audit_queue_bytes')).toBeGreaterThan(0)
    expect(await totalOf(service, 'postern_audit_dropped_total')).toBe(0)
    expect(child.stderr()).toContain('the decision log cannot be written')
    child.signal('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0 })
  })

  it('that is full drops lines, counts them, and decides on', async () => {
    const service = await makeFolder({ audit: { sink: { file: '/dev/full' } } })
    await start(service)
    // Bytes beyond ASCII take six each in a line.
    const path = 'é'.repeat(512)
    const cookie = service.cookie('ada', ['dev'])
    const one = requestText('GET', '/authz/nginx', [
      ['Connection', 'keep-alive'],
      ['X-Original-URL', `https://app.example.com/${path}`],
      ['X-Original-Method', 'GET'],
      ['User-Agent', path],
      ['Cookie', cookie],
    ])
    const dropped = await until(
      async () => {
        await pipelined(service.ports.decision, one, 500)
        return totalOf(service, 'postern_audit_dropped_total')
      },
      (count) => count > 0,
    )
    expect((await readiness(service)).lines.get('audit')).toMatch(new RegExp(`, ${dropped} dropped, `))
    expect(await totalOf(service, 'postern_audit_queue_bytes')).toBeLessThan(18 * 1024 * 1024)
    expect(await status(service)).toBe(200)
  })

  it('is not needed by the service log: it goes on when nobody reads that any more', async () => {
    const service = await makeFolder({ log: { level: 'info' } })
    const child = await start(service)
    child.stopReading()
    await service.write('policies/app.yaml', 'broken')
    await untilReady(service, 'policy', /^degraded/)
    await service.write('policies/app.yaml', policy('app'))
    await untilReady(service, 'policy', /^ok/)
    expect(await status(service)).toBe(200)
    child.signal('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0 })
  })
})

/** Many requests on one connection; resolves when each is answered 200. */
const pipelined = (port: number, one: string, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(one.repeat(count), 'latin1')))
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const answered = text.match(/^HTTP\/1\.1 200 /gm)?.length ?? 0
      if (answered < count) return
      socket.destroy()
      resolve()
    })
  })

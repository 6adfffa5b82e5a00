// What keeps the service from starting is told at once, by key and place, and nothing is left open behind it.
import { mkdir, unlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { StartRefused } from '../../src/server/serve.ts'
import { openMemoryState, type MemoryState } from '../../src/state/memory-state.ts'
import { startTestProvider } from '../support/oidc-provider.ts'
import { runPostern, startPosternProcess } from '../support/postern-process.ts'
import { askNginx, readiness, startService } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
`

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeFolder = async (
  settings: Readonly<Record<string, unknown>> = {},
  policies: Readonly<Record<string, string>> = { 'app.yaml': POLICY },
): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({ policies, settings })
  ending.push(service.remove)
  return service
}

/** Starts it as a process: it must end with 2, print nothing but the reason, and leave no port open. */
const refusal = async (service: ServiceFolder): Promise<string> => {
  const ended = await runPostern(['serve', '-c', service.configFile])
  expect([ended.code, ended.stdout]).toEqual([2, ''])
  expect(ended.stderr).not.toContain('    at ')
  for (const port of Object.values(service.ports)) expect(await isOpen(port)).toBe(false)
  return ended.stderr
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const occupy = (port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

const lineOf = (text: string, part: string): number =>
  text.split('\n').findIndex((line) => line.includes(part)) + 1

describe('refuses to start, and says where', () => {
  it('without a configuration', async () => {
    const service = await makeFolder()
    await unlink(service.configFile)
    expect(await refusal(service)).toContain('there is no such file')
  })

  it('with a secret file that is missing', async () => {
    const service = await makeFolder()
    await unlink(join(service.folder, 'session.key'))
    const said = await refusal(service)
    const line = lineOf(await service.read('postern.yaml'), '"session.key"')
    expect(said).toMatch(
      new RegExp(`postern\\.yaml:${line - 1}:\\d+: .*\`session\\.keys\\[0\\]\`: .*session\\.key`),
    )
    expect(said).toContain('there is no such file')
  })

  it('with a session key that is no key, without printing it', async () => {
    const service = await makeFolder()
    await service.write('session.key', 'planted-but-too-short')
    const said = await refusal(service)
    expect(said).toContain('openssl rand -base64 32')
    expect(said).not.toContain('planted-but-too-short')
  })

  it('with an unknown key, and suggests the one that was meant', async () => {
    const service = await makeFolder({ sesion: {} })
    expect(await refusal(service)).toMatch(/postern\.yaml:\d+:\d+: .*`sesion`.*`session`/)
  })

  it('with a proxy list that is empty, or missing', async () => {
    const empty = await makeFolder({ proxies: { trusted: [] } })
    expect(await refusal(empty)).toMatch(/postern\.yaml:\d+:\d+: .*`proxies\.trusted`.*no proxy is trusted/)
    const missing = await makeFolder({ proxies: undefined })
    expect(await refusal(missing)).toContain('`proxies`')
  })

  it('with a policy that does not load: file, line, column and the line itself', async () => {
    const service = await makeFolder({}, { 'app.yaml': POLICY.replace('groups:', 'grups:') })
    const said = await refusal(service)
    expect(said).toMatch(/app\.yaml:7:21: .*`grups`.*`groups`/s)
    expect(said).toContain('allow: [{id: dev, grups: [dev]}]')
    expect(said).toContain('^')
  })

  it('with every broken policy named at once', async () => {
    const broken = POLICY.replace('groups:', 'grups:')
    const service = await makeFolder(
      {},
      { 'app.yaml': broken, 'other.yaml': broken.replaceAll('app', 'other') },
    )
    const said = await refusal(service)
    for (const name of ['app.yaml:7:21', 'other.yaml:7:21']) expect(said).toContain(name)
  })

  it('without any policy', async () => {
    const service = await makeFolder({}, { 'readme.txt': 'no policy' })
    expect(await refusal(service)).toContain('policies')
  })

  it.each(['decision', 'public', 'admin'] as const)('when the %s port is in use', async (name) => {
    const service = await makeFolder()
    const taken = await occupy(service.ports[name])
    const ended = await runPostern(['serve', '-c', service.configFile])
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toContain(`127.0.0.1:${service.ports[name]}`)
    expect(ended.stderr).toMatch(new RegExp(`EADDRINUSE.*\`listen\\.${name}\``))
    for (const [other, port] of Object.entries(service.ports))
      expect([other, await isOpen(port)]).toEqual([other, other === name])
    await new Promise((resolve) => taken.close(resolve))
    const child = await startPosternProcess(service.configFile)
    child.signal('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it('with a state file that it did not write', async () => {
    const service = await makeFolder()
    await service.write('postern.state', 'something else\n')
    const said = await refusal(service)
    expect(said).toContain('postern.state')
    expect(await service.read('postern.state')).toBe('something else\n')
  })

  it('with a state file that cannot be read', async () => {
    const service = await makeFolder()
    await mkdir(join(service.folder, 'postern.state'))
    expect(await refusal(service)).toContain('postern.state')
  })

  it('with a state file sealed by another key: revocations must not be lost in silence', async () => {
    const service = await makeFolder()
    const first = await startService(service)
    await fetch(`${service.adminUrl}/admin/v1/sessions/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.adminToken}` },
      body: '{"all":true}',
    })
    await first.close()
    await service.write('session.key', Buffer.alloc(32, 7).toString('base64'))
    expect(await refusal(service)).toContain('postern.state')
  })

  it('with a decision log that cannot be opened', async () => {
    const service = await makeFolder({ audit: { sink: { file: 'missing/decisions.ndjson' } } })
    const said = await refusal(service)
    expect(said).toMatch(/`audit\.sink`.*missing\/decisions\.ndjson.*ENOENT/)
  })

  it('with an assertion key of another kind', async () => {
    const service = await makeFolder({ assertion: { key: { file: 'assertion.pem' }, alg: 'RS256' } })
    expect(await refusal(service)).toMatch(/`assertion\.key`.*`alg: RS256`/s)
  })

  it('with a flag that is no number of seconds', async () => {
    const service = await makeFolder()
    const ended = await runPostern(['serve', '-c', service.configFile, '--drain', 'soon'])
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toContain('--drain')
  })
})

describe('leaves nothing open behind it', () => {
  const memory = async (): Promise<{ readonly state: MemoryState; readonly closed: () => boolean }> => {
    const opening = await openMemoryState({
      file: undefined,
      nowSeconds: () => Date.now() / 1000,
      absoluteSeconds: 3600,
      every: () => () => undefined,
      onFault: (why) => expect.fail(why),
    })
    if (opening.kind === 'refused') throw new Error(opening.why)
    let closed = false
    const { state } = opening
    const close = async (): Promise<void> => {
      closed = true
      await state.close()
    }
    return { state: { ...state, close }, closed: () => closed }
  }

  it.each<readonly [string, Readonly<Record<string, unknown>>, Readonly<Record<string, string>>]>([
    ['a decision log', { audit: { sink: { file: 'missing/decisions.ndjson' } } }, { 'app.yaml': POLICY }],
    ['a policy', {}, { 'app.yaml': POLICY.replace('groups:', 'grups:') }],
  ])('closes its state where %s refuses', async (_, settings, policies) => {
    const service = await makeFolder(settings, policies)
    const { state, closed } = await memory()
    await expect(startService(service, { state })).rejects.toThrow(StartRefused)
    expect(closed()).toBe(true)
  })
})

describe('starts all the same', () => {
  it('while the provider is down', async () => {
    const provider = await startTestProvider({
      clientId: 'postern',
      clientSecret: 'x',
      redirectUris: ['https://login.example.com/callback/corp'],
      postLogoutRedirectUris: ['https://login.example.com/signed-out'],
    })
    const { issuer } = provider
    await provider.close()
    const service = await makeFolder({
      providers: [{ id: 'corp', issuer, clientId: 'postern', claims: { groups: 'groups' } }],
      issuers: [{ id: 'ci', issuer, audience: 'api' }],
    })
    const child = await startPosternProcess(service.configFile)
    const ready = await readiness(service)
    expect(ready.status).toBe(200)
    const cookie = service.cookie('ada', ['dev'])
    expect((await askNginx(service, 'https://app.example.com/x', { cookie })).status).toBe(200)
    expect((await askNginx(service, 'https://app.example.com/x')).status).toBe(401)
    child.signal('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it('with a state file whose last record was torn by a kill, and says so', async () => {
    const service = await makeFolder()
    const first = await startService(service)
    await fetch(`${service.adminUrl}/admin/v1/sessions/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.adminToken}` },
      body: '{"subject":"ada"}',
    })
    await first.close()
    const whole = await service.read('postern.state')
    await writeFile(join(service.folder, 'postern.state'), `${whole}torn-record-without-its-e`)
    await service.configure({ log: { level: 'info' } })
    const child = await startPosternProcess(service.configFile)
    expect(child.stderr()).toContain('the state file was cut off')
    const cookie = (who: string): string => service.cookie(who, ['dev'])
    expect((await askNginx(service, 'https://app.example.com/x', { cookie: cookie('ada') })).status).toBe(401)
    expect((await askNginx(service, 'https://app.example.com/x', { cookie: cookie('ben') })).status).toBe(200)
    child.signal('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it('refuses a state file that cannot be read', async () => {
    const service = await makeFolder()
    await mkdir(join(service.folder, 'postern.state'))
    expect(await refusal(service)).toContain('postern.state')
  })
})

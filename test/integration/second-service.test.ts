// A second process with the same configuration is refused before it touches anything; and a state file that cannot be
// written is told wherever somebody looks.
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runPostern, startPosternProcess } from '../support/postern-process.ts'
import { askNginx, readiness, startService, untilReady } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const APP = 'https://app.example.com/x'
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

const running = async (settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({ policies: { 'app.yaml': POLICY }, settings })
  ending.push(service.remove)
  const postern = await startService(service)
  ending.push(() => postern.close())
  return service
}

const revoke = (service: ServiceFolder, ...args: readonly string[]) =>
  runPostern(['session', 'revoke', '-c', service.configFile, ...args])

const status = async (service: ServiceFolder, who: string): Promise<number> =>
  (await askNginx(service, APP, { cookie: service.cookie(who, ['dev']) })).status

describe('a second service with the same configuration', () => {
  it('is refused, and leaves state file and decision log as they were', async () => {
    const service = await running()
    expect((await revoke(service, '--sub', 'ada')).code).toBe(0)
    const state = await service.read('postern.state')
    const starts = async (): Promise<number> =>
      (await service.log()).filter(({ type }) => type === 'service.start').length
    const startsBefore = await starts()
    const second = await runPostern(['serve', '-c', service.configFile])
    expect([second.code, second.stdout]).toEqual([2, ''])
    expect(second.stderr).toMatch(/EADDRINUSE.*`listen\.decision`/)
    expect(await service.read('postern.state')).toBe(state)
    expect(await starts()).toBe(startsBefore)
  })

  it('does not disturb the running one: what is revoked afterwards outlives kill -9', async () => {
    const service = await makeServiceFolder({ policies: { 'app.yaml': POLICY } })
    ending.push(service.remove)
    const start = async () => {
      const child = await startPosternProcess(service.configFile)
      ending.push(async () => {
        child.signal('SIGKILL')
        await child.ended
      })
      return child
    }
    const first = await start()
    expect((await runPostern(['serve', '-c', service.configFile])).code).toBe(2)
    const revoked = await revoke(service, '--sub', 'ada')
    expect([revoked.code, revoked.stderr]).toEqual([0, ''])
    expect(JSON.parse(revoked.stdout)).toMatchObject({ durable: true })
    expect((await readiness(service)).lines.get('revocations')).toMatch(/^ok: number \d+$/)
    first.signal('SIGKILL')
    await first.ended
    await start()
    expect([await status(service, 'ada'), await status(service, 'ben')]).toEqual([401, 200])
  })
})

describe('a state file that cannot be written', () => {
  it('degrades readiness with the reason, and makes `session revoke` say so and exit with 1', async () => {
    const service = await running()
    const file = join(service.folder, 'postern.state')
    await rename(file, `${file}.away`)
    const revoked = await revoke(service, '--sub', 'ada')
    expect(revoked.code).toBe(1)
    expect(JSON.parse(revoked.stdout)).toMatchObject({ durable: false })
    expect(revoked.stderr).toMatch(/in force.*a restart would forget it.*postern\.state.*ENOENT/)
    expect(await status(service, 'ada')).toBe(401)
    const degraded = await untilReady(
      service,
      'revocations',
      /^degraded: number \d+; .*postern\.state.*ENOENT/,
    )
    expect(degraded.status).toBe(200)
    expect(degraded.text).toContain('[~]revocations')
    await rename(`${file}.away`, file)
    expect((await revoke(service, '--sub', 'ben')).code).toBe(0)
    expect((await readiness(service)).lines.get('revocations')).toMatch(/^ok: number \d+$/)
  })

  it('is no fault where none is configured: exit 0, with a note', async () => {
    const service = await running({ state: undefined })
    const revoked = await revoke(service, '--sub', 'ada')
    expect(revoked.code).toBe(0)
    expect(JSON.parse(revoked.stdout)).toMatchObject({ durable: false })
    expect(revoked.stderr).toMatch(/a restart .*forgets? .*`state\.file`/)
    expect((await readiness(service)).lines.get('revocations')).toMatch(/^ok/)
  })
})

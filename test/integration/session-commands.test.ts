// `postern session mint` and `session revoke` as an operator runs them, against a service that runs.
import { chown, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runPostern, startPosternProcess } from '../support/postern-process.ts'
import { freePort } from '../support/free-port.ts'
import { askNginx, seriesOf, startService, totalOf, until } from '../support/running-service.ts'
import { linesOf, makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const APP = 'https://app.example.com/x'
const POLICIES = {
  'app.yaml': `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
`,
}

const ONE_HOUR = {
  session: { keys: [{ file: 'session.key' }], domain: 'example.com', absolute: '1h' },
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeFolder = async (settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({ policies: POLICIES, settings })
  ending.push(service.remove)
  return service
}

const running = async (settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeFolder(settings)
  const postern = await startService(service)
  ending.push(() => postern.close())
  return service
}

const asProcess = async (service: ServiceFolder) => {
  const child = await startPosternProcess(service.configFile)
  ending.push(async () => {
    child.signal('SIGKILL')
    await child.ended
  })
  return child
}

const mint = (service: ServiceFolder, ...args: readonly string[]) =>
  runPostern(['session', 'mint', '-c', service.configFile, '--provider', 'corp', ...args])

const revoke = (service: ServiceFolder, ...args: readonly string[]) =>
  runPostern(['session', 'revoke', '-c', service.configFile, ...args])

const status = async (service: ServiceFolder, cookie: string): Promise<number> =>
  (await askNginx(service, APP, { cookie })).status

/** Asks twice, so that the second answer comes from the cache. */
const warmed = async (service: ServiceFolder, cookie: string): Promise<string> => {
  const hits = async (): Promise<number> =>
    (await seriesOf(service, 'postern_cache_requests_total')).get('{cache="decisions",outcome="hit"}') ?? 0
  const before = await hits()
  expect([await status(service, cookie), await status(service, cookie)]).toEqual([200, 200])
  expect(await hits()).toBe(before + 1)
  return cookie
}

describe('session mint', () => {
  const isRoot = process.getuid?.() === 0
  if (!isRoot) console.warn('SKIPPED ALOUD: only root can begin a log that belongs to the wrong user')
  it.skipIf(!isRoot)(
    'as root begins no log in the folder of another user, and goes on with one that is there',
    async () => {
      const service = await makeFolder()
      const log = join(service.folder, 'decisions.ndjson')
      await chown(service.folder, 65_534, 65_534)
      const refused = await mint(service, '--sub', 'ada')
      expect([refused.code, refused.stdout]).toEqual([2, ''])
      expect(refused.stderr).toContain('belongs to user 65534; run it as that user')
      await expect(stat(log)).rejects.toThrow('ENOENT')
      await writeFile(log, '', { mode: 0o600 })
      await chown(log, 65_534, 65_534)
      expect((await mint(service, '--sub', 'ada')).code).toBe(0)
      expect((await stat(log)).uid).toBe(65_534)
    },
  )

  it('prints one line that is a cookie, and writes one line to the decision log', async () => {
    const service = await running()
    const minted = await mint(service, '--sub', 'ada', '--claim', 'groups=["dev"]', '--ttl', '5m')
    expect([minted.code, minted.stderr]).toEqual([0, ''])
    expect(minted.stdout).toMatch(/^__Secure-postern=[\w.-]+\n$/)
    expect(await status(service, minted.stdout.trim())).toBe(200)
    const log = await service.log()
    const line = log.find(({ type }) => type === 'session.mint')
    expect(line).toMatchObject({ sub: { id: 'corp|ada' }, session: expect.any(String) })
    expect(JSON.stringify(log)).not.toContain(minted.stdout.trim().split('=')[1])
  })

  it('logs on standard error where the decision log is somebody’s standard output', async () => {
    const service = await makeFolder({ audit: { sink: 'stdout' } })
    const minted = await mint(service, '--sub', 'ada')
    expect(minted.code).toBe(0)
    expect(minted.stdout).toMatch(/^__Secure-postern=\S+\n$/)
    expect(linesOf(minted.stderr)).toMatchObject([
      { type: 'session.mint', sub: { id: 'corp|ada' } },
      { type: 'log.block', end: true },
    ])
  })

  it('lives as long as any session, and no longer', async () => {
    const service = await makeFolder(ONE_HOUR)
    expect((await mint(service, '--sub', 'ada', '--ttl', '60m')).code).toBe(0)
    expect((await mint(service, '--sub', 'ada', '--ttl', '61m')).code).toBe(2)
  })

  it('is for the host that is named where each has its own, and for none but that', async () => {
    const service = await running({ session: { keys: [{ file: 'session.key' }], host: true } })
    const args = ['--sub', 'ada', '--claim', 'groups=["dev"]', '--host']
    const [own, other] = [
      await mint(service, ...args, 'APP.example.com:443'),
      await mint(service, ...args, 'x.example.com'),
    ]
    expect(own.stdout).toMatch(/^__Host-postern=[\w-]+\n$/)
    expect(await status(service, own.stdout.trim())).toBe(200)
    expect(await status(service, other.stdout.trim())).toBe(401)
    const unnamed = await mint(service, '--sub', 'ada')
    expect([unnamed.code, unnamed.stdout]).toEqual([2, ''])
    expect(unnamed.stderr).toContain('--host')
    expect((await mint(service, ...args, 'a b')).code).toBe(2)
    expect((await mint(await makeFolder(), ...args, 'app.example.com')).code).toBe(2)
  })

  it('names the claims that the provider maps', async () => {
    const service = await makeFolder()
    const refused = await mint(service, '--sub', 'ada', '--claim', 'dept=payroll')
    expect(refused.stderr).toMatch(/`dept`.*mapped are .*`groups`.*`providers`/)
  })

  it.each([
    ['an unknown provider', ['--provider', 'nobody', '--sub', 'ada'], 'nobody'],
    ['a duration that is none', ['--sub', 'ada', '--ttl', 'soon'], 'soon'],
    ['a claim that is none', ['--sub', 'ada', '--claim', 'groups'], 'groups'],
    [
      'a claim that starts like JSON and is none',
      ['--sub', 'ada', '--claim', 'groups=["sre"'],
      'groups=["sre"',
    ],
    ['a claim with half a text', ['--sub', 'ada', '--claim', 'dept="payroll'], 'dept="payroll'],
    ['a claim that is an object', ['--sub', 'ada', '--claim', 'dept={"a":1}'], 'dept={"a":1}'],
    ['no subject', [], '--sub'],
    [
      'a claim that the provider does not map',
      ['--sub', 'ada', '--claim', 'grups=["dev"]'],
      '`grups` is not mapped by `corp` (did you mean `groups`?)',
    ],
    ['a life longer than any session’s', ['--sub', 'ada', '--ttl', '61m'], '`session.absolute`'],
  ])('prints no cookie and exits with 2 for %s', async (_, args, named) => {
    const service = await makeFolder(ONE_HOUR)
    const refused = await mint(service, ...args)
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain(named)
  })
})

describe('session revoke', () => {
  it('says that an id has not the form of one, and takes one that has without a word', async () => {
    const service = await running()
    const strange = await revoke(service, 'bogus-id')
    expect([strange.code, strange.stderr.split(' has not the form')[0]]).toEqual([0, 'note: `bogus-id`'])
    const usual = await revoke(service, 'A-_b'.repeat(6))
    expect([usual.code, usual.stderr]).toEqual([0, ''])
  })

  it('by id ends one session at once, though its decision is cached', async () => {
    const service = await running()
    const id = 'the-session-of-ada-00001'
    const ended = await warmed(service, service.cookie('ada', ['dev'], { id }))
    const other = await warmed(service, service.cookie('ada', ['dev']))
    const done = await revoke(service, id)
    expect([done.code, done.stderr]).toEqual([0, ''])
    expect(JSON.parse(done.stdout)).toMatchObject({ kind: 'Revoked', durable: true })
    expect([await status(service, ended), await status(service, other)]).toEqual([401, 200])
    await until(service.log, (lines) => lines.some(({ type }) => type === 'session.revoke'))
    expect((await service.log()).find(({ type }) => type === 'session.revoke')).toMatchObject({
      by: 'admin',
      target: { kind: 'session', id },
      durable: true,
    })
  })

  it('by subject ends all of hers and nobody else’s, and a later sign-in counts', async () => {
    const service = await running()
    const [one, two] = [service.cookie('ada', ['dev']), service.cookie('ada', ['dev'])]
    const other = await warmed(service, service.cookie('ben', ['dev']))
    await warmed(service, one)
    expect((await revoke(service, '--sub', 'ada', '--provider', 'corp')).code).toBe(0)
    expect([await status(service, one), await status(service, two), await status(service, other)]).toEqual([
      401, 401, 200,
    ])
    const minted = await mint(service, '--sub', 'ada', '--claim', 'groups=["dev"]')
    expect(await status(service, minted.stdout.trim())).toBe(200)
  })

  it('of all ends everybody', async () => {
    const service = await running()
    const cookies = [
      await warmed(service, service.cookie('ada', ['dev'])),
      await warmed(service, service.cookie('ben', ['dev'])),
    ]
    expect((await revoke(service, '--all')).code).toBe(0)
    for (const cookie of cookies) expect(await status(service, cookie)).toBe(401)
    const minted = await mint(service, '--sub', 'ada', '--claim', 'groups=["dev"]')
    expect(await status(service, minted.stdout.trim())).toBe(200)
  })

  it('reaches every provider where none is named', async () => {
    const service = await running()
    const cookie = await warmed(service, service.cookie('ada', ['dev']))
    expect((await revoke(service, '--sub', 'ada')).code).toBe(0)
    expect(await status(service, cookie)).toBe(401)
  })
})

describe('what was revoked stays revoked', () => {
  it('over a restart', async () => {
    const service = await makeFolder()
    const [ended, other] = [service.cookie('ada', ['dev']), service.cookie('ben', ['dev'])]
    const first = await startService(service)
    expect([await status(service, ended), await status(service, other)]).toEqual([200, 200])
    expect((await revoke(service, '--sub', 'ada')).code).toBe(0)
    await first.close()
    const second = await startService(service)
    ending.push(() => second.close())
    expect([await status(service, ended), await status(service, other)]).toEqual([401, 200])
  })

  it('over kill -9 right after the command has answered', async () => {
    const service = await makeFolder()
    const child = await asProcess(service)
    const [byId, bySubject, other] = [
      service.cookie('ada', ['dev'], { id: 'the-session-of-ada-0002' }),
      service.cookie('ben', ['dev']),
      service.cookie('cy', ['dev']),
    ]
    for (const cookie of [byId, bySubject, other]) expect(await status(service, cookie)).toBe(200)
    expect((await revoke(service, 'the-session-of-ada-0002')).code).toBe(0)
    expect((await revoke(service, '--sub', 'ben')).code).toBe(0)
    child.signal('SIGKILL')
    expect((await child.ended).signal).toBe('SIGKILL')
    await asProcess(service)
    expect(await status(service, byId)).toBe(401)
    expect(await status(service, bySubject)).toBe(401)
    expect(await status(service, other)).toBe(200)
  })
})

describe('who may revoke', () => {
  it('a wrong token is 401 and exit 1, and nothing ends', async () => {
    const service = await running()
    const cookie = await warmed(service, service.cookie('ada', ['dev']))
    await service.write('wrong.token', 'x'.repeat(48))
    const refused = await revoke(service, '--all', '--token-file', `${service.folder}/wrong.token`)
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain('401')
    expect(refused.stderr).not.toContain('x'.repeat(48))
    expect(await status(service, cookie)).toBe(200)
  })

  it('without a configured token the command does not exist: 404', async () => {
    const service = await running({ admin: undefined })
    const cookie = await warmed(service, service.cookie('ada', ['dev']))
    for (const authorization of [undefined, `Bearer ${service.adminToken}`]) {
      const answer = await fetch(`${service.adminUrl}/admin/v1/sessions/revoke`, {
        method: 'POST',
        ...(authorization === undefined ? {} : { headers: { authorization } }),
        body: '{"all":true}',
      })
      expect(answer.status).toBe(404)
    }
    const refused = await revoke(service, '--all')
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain('admin.token')
    expect(await status(service, cookie)).toBe(200)
  })

  it('of several tokens the log says whose it was', async () => {
    const service = await running({ admin: { tokens: [{ id: 'anna', file: 'admin.token' }] } })
    expect((await revoke(service, '--all')).code).toBe(0)
    await until(service.log, (lines) =>
      lines.some(({ type, by }) => type === 'session.revoke' && by === 'anna'),
    )
  })

  it('usage is exit 2, and a service that does not answer exit 3', async () => {
    const service = await makeFolder()
    expect((await revoke(service)).code).toBe(2)
    expect((await revoke(service, 'some-id', '--all')).code).toBe(2)
    const away = await revoke(service, '--all')
    expect([away.code, away.stdout]).toEqual([3, ''])
    expect(away.stderr).toContain(service.adminUrl)
    const elsewhere = await revoke(service, '--all', '--server', `http://127.0.0.1:${await freePort()}`)
    expect(elsewhere.code).toBe(3)
  })

  it('a request that names nothing, or two things, is 400', async () => {
    const service = await running()
    for (const body of [
      '',
      '[]',
      '{}',
      '{"all":false}',
      '{"id":"a","all":true}',
      '{"id":""}',
      '{"subject":7}',
    ]) {
      const answer = await fetch(`${service.adminUrl}/admin/v1/sessions/revoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${service.adminToken}` },
        body,
      })
      expect([body, answer.status]).toEqual([body, 400])
    }
    expect(await totalOf(service, 'postern_faults_total')).toBe(0)
  })
})

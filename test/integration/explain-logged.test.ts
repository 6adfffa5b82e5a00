// `postern explain --id`: what a service decided and wrote down is decided again from its line, with the same tree as the
// engine prints; and it says what the line cannot tell.
import { copyFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { runPostern, type Ended } from '../support/postern-process.ts'
import { askNginx, headerOf, startService, until, type Question } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  deny: [{id: no-contractors, groups: [contractors]}]
  allow:
  - {id: dev, groups: [dev]}
  - {id: vpn, groups: [eng], from_networks: [vpn], methods: [GET], why: "old control", until: 2099-01-01}
  - {id: ask, preflight: true}
- path: /admin
  allow: [{id: strong, groups: [dev], mfa: true}]
- path: /open
  allow: [{id: probe, anyone: true, methods: [GET], why: "health", review: 2099-01-01}]
`

let service: ServiceFolder
let postern: RunningPostern

beforeAll(async () => {
  service = await makeServiceFolder({
    policies: { 'app.yaml': POLICY, 'directory.yaml': 'networks: {vpn: [10.8.0.0/16]}\n' },
    settings: {
      proxies: {
        trusted: ['127.0.0.1/32'],
        externalScheme: 'https',
        clientIp: { nginx: 'X-Real-IP' },
      },
    },
  })
  postern = await startService(service)
})
afterAll(async () => {
  await postern.close()
  await service.remove()
})

/** Asks, and gives the id once its line is there. */
const decided = async (path: string, question: Question = {}): Promise<string> => {
  const answer = await askNginx(service, `https://app.example.com${path}`, question)
  const id = headerOf(answer, 'x-postern-decision') ?? ''
  await until(
    () => service.log(),
    (lines) => lines.some((line) => line['id'] === id),
  )
  return id
}

const explainId = (id: string, ...more: readonly string[]): Promise<Ended> =>
  runPostern(['explain', '--id', id, '--log', join(service.folder, 'decisions.ndjson'), ...more])

const inFolder = (): readonly string[] => ['-c', service.configFile]

interface Report {
  readonly same: boolean
  readonly certain: boolean
  readonly notRecorded: readonly string[]
  readonly samePolicy: boolean
  readonly logged: { readonly decision: string; readonly reason: string; readonly rule?: string }
  readonly explanation: { readonly outcome: string; readonly reason: string; readonly rule?: string }
}

const report = async (id: string): Promise<Report> => {
  const { stdout, stderr } = await explainId(id, ...inFolder(), '-o', 'json')
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Report
}

describe('a decision of a service', () => {
  it.each([
    ['an allow', '/x', { groups: ['dev'] }, 'ALLOW_RULE'],
    ['a deny rule', '/x', { groups: ['dev', 'contractors'] }, 'DENY_RULE'],
    ['no rule', '/x', { groups: ['other'] }, 'DENY_NO_RULE'],
    ['a step-up', '/admin', { groups: ['dev'] }, 'CHALLENGE_MFA'],
    ['nobody', '/x', undefined, 'CHALLENGE_NO_CREDENTIAL'],
    ['anybody', '/open', undefined, 'ALLOW_PUBLIC'],
    ['a path of several readings', '/open/..%2fadmin', undefined, 'CHALLENGE_NO_CREDENTIAL'],
  ] as const)('%s comes out as it was logged, for certain', async (_, path, who, reason) => {
    const cookie = who === undefined ? undefined : service.cookie('ada', who.groups)
    const told = await report(await decided(path, { cookie }))
    expect(told).toMatchObject({
      same: true,
      certain: true,
      samePolicy: true,
      logged: { reason },
      explanation: { reason },
    })
  })

  it('knows the network, a preflight and the origin of a handshake', async () => {
    const cookie = service.cookie('eve', ['eng'])
    const fromVpn = await decided('/x', { cookie, headers: [['X-Real-IP', '10.8.0.7']] })
    expect(await report(fromVpn)).toMatchObject({ same: true, explanation: { rule: 'app#vpn' } })
    const fromElsewhere = await decided('/x', { cookie, headers: [['X-Real-IP', '192.0.2.1']] })
    expect(await report(fromElsewhere)).toMatchObject({ same: true, explanation: { reason: 'DENY_NO_RULE' } })
    const headers = [
      ['Origin', 'https://other.example.com'],
      ['Access-Control-Request-Method', 'PUT'],
    ] as const
    const preflight = await decided('/x', { method: 'OPTIONS', headers })
    expect(await report(preflight)).toMatchObject({ same: true, explanation: { rule: 'app#ask' } })
    const socket = await decided('/x', {
      cookie: service.cookie('ada', ['dev']),
      headers: [
        ['Sec-WebSocket-Version', '13'],
        ['Origin', 'https://evil.example'],
      ],
    })
    expect(await report(socket)).toMatchObject({ same: true, explanation: { reason: 'DENY_ORIGIN' } })
  })

  it('prints the very tree that the engine prints for the same question', async () => {
    const id = await decided('/x', { cookie: service.cookie('ada', ['dev']) })
    const logged = await explainId(id, ...inFolder())
    expect(logged.code).toBe(0)
    const line = (await service.log()).find((one) => one['id'] === id)
    const asked = await runPostern([
      'explain',
      ...inFolder(),
      '--request',
      'GET https://app.example.com/x',
      '--as',
      'user=corp|ada; groups=dev',
      '--at',
      String(line?.['ts']),
    ])
    expect(logged.stdout.slice(0, asked.stdout.length)).toBe(asked.stdout)
    expect(logged.stdout.slice(asked.stdout.length)).toMatch(
      /^\nlogged +allow ALLOW_RULE by app#dev, 200, \S+, \S+decisions\.ndjson:\d+\npolicies +p:\w+, as logged\nanswer +the same as logged\ncertain +yes/,
    )
  })

  it('says where the policies differ, and what they read that was not recorded', async () => {
    const id = await decided('/x', { cookie: service.cookie('ada', ['dev']) })
    await service.write(
      'later/app.yaml',
      POLICY.replace('{id: dev, groups: [dev]}', '{id: dev, claims: {dept: x}}'),
    )
    await service.write('later/directory.yaml', 'networks: {vpn: [10.8.0.0/16]}\n')
    const { code, stdout } = await explainId(id, '--policies', join(service.folder, 'later'))
    expect(code).toBe(1)
    expect(stdout).toContain('has not_recorded; wants dept="x"')
    expect(stdout).toMatch(/policies +p:\w+; logged under p:\w+\n/)
    expect(stdout).toMatch(/answer +another one than logged, in decision, reason, rule\n/)
    expect(stdout).toMatch(/certain +no: not recorded, or not whole: claim:dept\n/)
  })

  it('is found without `--log` in the files that the configuration names, the full ones too', async () => {
    const id = await decided('/x', { cookie: service.cookie('ada', ['dev']) })
    const log = join(service.folder, 'decisions.ndjson')
    const full = join(service.folder, 'decisions.000001.ndjson')
    const search = () => runPostern(['explain', '--id', id, '-c', service.configFile])
    expect((await search()).stdout).toContain(`${log}:`)
    await copyFile(log, full)
    const { code, stdout } = await runPostern([
      'explain',
      '--id',
      id,
      '-c',
      service.configFile,
      '--log',
      full,
    ])
    expect([code, stdout.includes(`${full}:`)]).toEqual([0, true])
    await rename(log, `${log}.away`)
    expect((await search()).stdout).toContain(`${full}:`)
    await rename(`${log}.away`, log)
    await rm(full)
    const nothing = await runPostern(['explain', '--id', id])
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      expect.stringContaining('or the configuration that names one with `-c`'),
    ])
  })

  it('that no rule was asked about says why', async () => {
    const id = await decided('/%zz')
    const { code, stdout } = await explainId(id, ...inFolder())
    expect(code).toBe(1)
    expect(stdout).toMatch(/^deny DENY_BAD_REQUEST\n.*\n└─ note +no rule was asked: /)
  })
})

describe('what is asked wrongly', () => {
  it.each([
    ['an id that is nowhere', ['--id', 'NOBODY', '--log', 'LOG'], /no decision `NOBODY` in/],
    ['a log that is not there', ['--id', 'X', '--log', 'no-such-log'], /cannot read `no-such-log`: ENOENT/],
    [
      'an id that is not in the log of the configuration',
      ['--id', 'X'],
      /no decision `X` in .+decisions\.ndjson/,
    ],
    [
      'a folder of logs',
      ['--id', 'X', '--log', tmpdir()],
      /cannot read `.+`: it is a folder; name the files in it/,
    ],
    ['a log without an id', ['--log', 'LOG'], /`--log`: name the decision with `--id`/],
    ['nothing', [], /`--request`: say what is asked/],
    [
      'a caller beside an id',
      ['--id', 'X', '--log', 'LOG', '--as', 'anonymous'],
      /`--id`: request and caller come from the log/,
    ],
  ])('%s is refused', async (_, args, why) => {
    const log = join(service.folder, 'decisions.ndjson')
    const { code, stdout, stderr } = await runPostern([
      'explain',
      ...inFolder(),
      ...args.map((one) => (one === 'LOG' ? log : one)),
    ])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(why)
  })
})

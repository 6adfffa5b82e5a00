// What the decision log of a running service holds: enough to decide again, and to find whoever asked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { requestText, sendRaw, type RawAnswer } from '../support/raw-http.ts'
import { askNginx, headerOf, startService, until, type Question } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const POLICIES = {
  'app.yaml': `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}, {id: ask, preflight: true}]
- path: /pay
  allow: [{id: german, claims: {locale: de}}]
`,
  'quiet.yaml': `apiVersion: postern/v1
route: quiet
owner: team
hosts: [quiet.example.com]
log: changes
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
`,
  'directory.yaml': 'networks: {vpn: [10.8.0.0/16], office: [192.0.2.0/24]}\n',
}

let service: ServiceFolder
let postern: RunningPostern

beforeAll(async () => {
  service = await makeServiceFolder({
    policies: POLICIES,
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

type Line = Readonly<Record<string, unknown>>

const lineOf = async (answer: RawAnswer): Promise<Line> => {
  const id = headerOf(answer, 'x-postern-decision')
  const [line] = await until(
    async () => (await service.log()).filter((one) => one['id'] === id),
    ({ length }) => length > 0,
  )
  return line ?? {}
}

const ask = (path: string, question: Question = {}): Promise<RawAnswer> =>
  askNginx(service, `https://app.example.com${path}`, question)

describe('a decision can be made again', () => {
  it('with the claims that the rules of every section of its route read', async () => {
    const cookie = service.cookie('ada', ['dev'], {
      captured: ['groups', 'locale'],
      claims: { groups: ['dev'], locale: 'de' },
    })
    for (const path of ['/', '/pay', '/'])
      expect(await lineOf(await ask(path, { cookie }))).toMatchObject({
        decision: 'allow',
        attrs: { groups: ['dev'], locale: ['de'] },
      })
  })

  it('with what makes a preflight, and with the origin of a handshake', async () => {
    const preflight = await ask('/', {
      method: 'OPTIONS',
      headers: [
        ['Origin', 'https://other.example.com'],
        ['Access-Control-Request-Method', 'PUT'],
      ],
    })
    expect(await lineOf(preflight)).toMatchObject({ rule: 'app#ask', preflight: true })
    const handshake = await sendRaw(
      service.ports.decision,
      requestText('GET', '/authz/nginx', [
        ['X-Original-URL', 'https://app.example.com/'],
        ['X-Original-Method', 'GET'],
        ['Connection', 'close, upgrade'],
        ['Upgrade', 'websocket'],
        ['Origin', 'https://evil.example'],
        ['Cookie', service.cookie('ada', ['dev'])],
      ]),
    )
    expect(await lineOf(handshake)).toMatchObject({
      method: 'WEBSOCKET',
      reason: 'DENY_ORIGIN',
      origin: 'https://evil.example',
    })
    const plain = await lineOf(await ask('/', { headers: [['Origin', 'https://evil.example']] }))
    expect([plain['preflight'], plain['origin']]).toEqual([undefined, undefined])
  })
})

describe('a refusal names the address that asked', () => {
  it.each([
    ['an incomplete question', requestText('GET', '/authz/nginx', [])],
    [
      'a malformed path',
      requestText('GET', '/authz/nginx', [
        ['X-Original-URL', 'https://app.example.com/%zz'],
        ['X-Original-Method', 'GET'],
      ]),
    ],
    ['a path of no dialect', requestText('GET', '/other', [])],
    ['no HTTP', 'nonsense\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const line = await lineOf(await sendRaw(service.ports.decision, bytes))
    expect(line).toMatchObject({ src: { peer: '127.0.0.1' } })
    expect(line).not.toHaveProperty('src.ip')
  })

  it('and a decision names its caller as before', async () => {
    const line = await lineOf(await ask('/', { headers: [['X-Real-IP', '10.8.0.7']] }))
    expect(line['src']).toEqual({ ip: '10.8.0.7', net: 'vpn' })
  })
})

describe('a route with `log: changes`', () => {
  it('writes the first allow from each network of the directory', async () => {
    const cookie = service.cookie('ada', ['dev'])
    const from = async (address: string): Promise<string | undefined> => {
      const headers = [['X-Real-IP', address]] as const
      const answer = await askNginx(service, 'https://quiet.example.com/', { cookie, headers })
      expect(answer.status).toBe(200)
      return headerOf(answer, 'x-postern-decision')
    }
    const ids: (string | undefined)[] = []
    for (const address of ['10.8.0.7', '10.8.0.8', '192.0.2.1', '10.8.0.7', '198.51.100.1', '198.51.100.2'])
      ids.push(await from(address))
    const last = await lineOf(await ask('/', { cookie }))
    const written = (await service.log()).filter(({ route }) => route === 'quiet').map(({ id }) => id)
    expect(last['decision']).toBe('allow')
    expect(written).toEqual([ids[0], ids[2], ids[4]])
  })
})

// What a running service answers before any handler: the answer names the line in the log that tells of it.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDecisionServer } from '../../src/server/decision-listener.ts'
import type { RunningPostern } from '../../src/server/serve.ts'
import { makeOnUnreadable, type UnreadableDeps } from '../../src/server/unreadable.ts'
import { parseAnswer, requestText, sendRaw } from '../support/raw-http.ts'
import { headerOf, startService, until } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const POLICY = `apiVersion: postern/v1
route: app
hosts: [app.example.com]
sections: [{path: /, allow: [{id: all, authenticated: true}]}]
`

let service: ServiceFolder
let postern: RunningPostern

beforeAll(async () => {
  service = await makeServiceFolder({ policies: { 'app.yaml': POLICY } })
  postern = await startService(service)
})
afterAll(async () => {
  await postern.close()
  await service.remove()
})

describe('an answer that no handler made', () => {
  it.each([
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    [
      'an unknown expectation',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: other\r\nConnection: close\r\n\r\n',
      417,
    ],
    ['no HTTP', 'nonsense\r\n\r\n', 400],
  ])('to %s is never kept, and names its line in the log', async (_, bytes, status) => {
    const answer = await sendRaw(service.ports.decision, bytes)
    expect([answer.status, headerOf(answer, 'x-accel-expires')]).toEqual([status, '0'])
    const id = headerOf(answer, 'x-postern-decision')
    expect(id).toMatch(/^[0-9A-Z]{20,}$/)
    const lines = await until(
      async () => (await service.log()).filter((line) => line['id'] === id),
      ({ length }) => length > 0,
    )
    expect(lines).toMatchObject([{ type: 'decision', decision: 'deny', status, reason: 'DENY_BAD_REQUEST' }])
  })
})

describe('what was decided before it on the same connection', () => {
  const decided = requestText('GET', '/authz/nginx', [
    ['X-Original-URL', 'https://app.example.com/x'],
    ['X-Original-Method', 'GET'],
    ['Connection', 'keep-alive'],
  ])

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('is answered first, whatever follows: %s', async (_, bytes, status) => {
    const first = await sendRaw(service.ports.decision, decided + decided + bytes)
    const second = parseAnswer(first.body)
    const last = parseAnswer(second.body)
    expect([first.status, second.status, last.status]).toEqual([401, 401, status])
    expect(last.body).toBe('')
    const ids = [first, second, last].map((answer) => headerOf(answer, 'x-postern-decision'))
    const lines = await until(
      async () => (await service.log()).filter(({ id }) => ids.includes(String(id))),
      ({ length }) => length === 3,
    )
    expect(ids.map((id) => lines.find((line) => line['id'] === id)?.['status'])).toEqual([401, 401, status])
  })
})

describe('a client that resets its connection', () => {
  it('after CONNECT, while an answer is under way, ends its connection alone', async () => {
    const asked = Promise.withResolvers<ServerResponse>()
    const server = makeDecisionServer(
      (_, outgoing) => {
        asked.resolve(outgoing)
        return undefined
      },
      () => 'id-1',
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const connecting = once(server, 'connect')
    const client = connect(port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n')
    const [, socket] = (await connecting) as [unknown, Socket]
    const closed = new Promise((resolve) => socket.once('close', resolve))
    client.resetAndDestroy()
    await closed
    expect(socket.destroyed).toBe(true)
    const outgoing = await asked.promise
    outgoing.end()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('a request that leaves no line', () => {
  const told = (broken: Partial<UnreadableDeps>) => {
    const faults: unknown[] = []
    const tell = makeOnUnreadable({
      nextId: () => 'id-1',
      nowMs: () => 0,
      policyRevision: () => 'p:1',
      audit: { write: () => true },
      count: () => undefined,
      onFault: (error) => faults.push(error),
      ...broken,
    })
    return [tell(400, 'why', undefined), faults.length]
  }
  const boom = (): never => {
    throw new Error('a part broke')
  }

  it('is told as a fault, and named as nothing', () => {
    expect(told({})).toEqual(['id-1', 0])
    for (const broken of [{ nextId: boom }, { audit: { write: boom } }, { policyRevision: boom }])
      expect(told(broken)).toEqual(['none', 1])
  })
})

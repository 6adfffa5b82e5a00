// The listeners for browsers and for operators hold as much as the one for proxies does: a browser with many cookies can
// sign in, and a proxy in front finds its connection open.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { parseAnswer, requestText, sendRaw, type RawAnswer } from '../support/raw-http.ts'
import { headerOf, startService } from '../support/running-service.ts'
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

const LISTENERS = [
  ['public', '/me.json', 401],
  ['admin', '/livez', 200],
] as const

/** One answer over a connection that is kept. */
const keeping = async (port: number, target: string): Promise<RawAnswer> => {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(requestText('GET', target, [['Connection', 'keep-alive']]))
  })
  try {
    let text = ''
    while (!text.includes('\r\n\r\n')) {
      const [chunk]: unknown[] = await once(socket, 'data')
      text += String(chunk)
    }
    return parseAnswer(text)
  } finally {
    socket.destroy()
  }
}

describe.each(LISTENERS)('the %s listener', (name, target, want) => {
  const cookies = (bytes: number) => {
    const headers = [
      ['Cookie', `a=${'x'.repeat(bytes)}`],
      ['Accept', '*/*'],
    ] as const
    return sendRaw(service.ports[name], requestText('GET', target, headers))
  }

  it('reads 60 KiB of cookies, and no more than 64', async () => {
    expect((await cookies(20_000)).status).toBe(want)
    expect((await cookies(60_000)).status).toBe(want)
    expect((await cookies(70_000)).status).toBe(431)
  })

  it('keeps a connection longer than proxies do', async () => {
    const answer = await keeping(service.ports[name], target)
    expect([answer.status, headerOf(answer, 'keep-alive')]).toEqual([want, 'timeout=75'])
  })
})

describe('the public listener', () => {
  it('opens a session behind more headers than Node keeps by itself', async () => {
    const many = Array.from({ length: 1100 }, (_, index): readonly [string, string] => [`a${index}`, 'x'])
    const cookie = ['Cookie', service.cookie('anna', [])] as const
    const answer = await sendRaw(service.ports.public, requestText('GET', '/me.json', [...many, cookie]))
    expect([answer.status, answer.body.includes('anna')]).toEqual([200, true])
  })
})

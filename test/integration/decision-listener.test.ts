// The decision listener answers everything that Node could parse through one handler, and says 4xx to the rest.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDecisionServer } from '../../src/server/decision-listener.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'

const seen: string[] = []
const unreadable: string[] = []
let mayAnswer: Promise<unknown> | undefined
const server = makeDecisionServer(
  (incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.rawHeaders.length / 2}`)
    const answer = (): void => {
      outgoing.writeHead(200, ['Content-Length', '0', 'X-Target', incoming.url ?? ''])
      outgoing.end()
    }
    if (mayAnswer !== undefined) return mayAnswer.then(answer)
    answer()
    return undefined
  },
  (status, why) => `id-${unreadable.push(`${status} ${why}`)}`,
)
let port = 0

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

describe('hands the raw target and every header to the handler', () => {
  it.each([
    ['a plain GET', 'GET', '/authz/nginx'],
    ['a target that a router would resolve', 'GET', '/authz/ext/%2e%2e/healthz'],
    ['doubled slashes', 'GET', '//authz/ext//a%2f/../b'],
    ['an absolute-form target', 'GET', 'http://evil.example/healthz'],
    ['OPTIONS *', 'OPTIONS', '*'],
    ['a method with a body', 'PROPFIND', '/authz/ext/a'],
    ['HEAD', 'HEAD', '/authz/ext/a'],
  ])('%s', async (_, method, target) => {
    const answer = await sendRaw(port, requestText(method, target, []))
    expect([answer.status, answer.headers.get('x-target')]).toEqual([200, [target]])
  })

  it('more headers than Node keeps by default', async () => {
    const many = Array.from({ length: 1100 }, (_, i): readonly [string, string] => [`a${i}`, 'x'])
    await sendRaw(port, requestText('GET', '/many', [...many, ['X-Forwarded-Uri', '/admin']]))
    expect(seen).toContain('GET /many 1103')
  })

  it('a Host that no library would accept', async () => {
    const answer = await sendRaw(port, requestText('GET', '/odd', [['Host', 'a.example#x']]))
    expect(answer.headers.get('x-target')).toEqual(['/odd'])
  })

  it('HTTP/1.0 without Host', async () => {
    expect((await sendRaw(port, 'GET /old HTTP/1.0\r\n\r\n')).headers.get('x-target')).toEqual(['/old'])
  })

  it('an upgrade request, which is never upgraded', async () => {
    const answer = await sendRaw(
      port,
      requestText('GET', '/ws', [
        ['Connection', 'Upgrade, close'],
        ['Upgrade', 'websocket'],
      ]),
    )
    expect(answer.status).toBe(200)
  })

  it('a request that expects to continue, without telling it to', async () => {
    const answer = await sendRaw(
      port,
      requestText(
        'POST',
        '/continue',
        [
          ['Expect', '100-continue'],
          ['Content-Length', '3'],
        ],
        'abc',
      ),
    )
    expect(answer.status).toBe(200)
    expect(answer.head).not.toContain('100 Continue')
  })

  it('a request whose body nobody reads, and the next one on the same connection', async () => {
    const body = 'x'.repeat(200_000)
    const first = requestText(
      'POST',
      '/body',
      [
        ['Connection', 'keep-alive'],
        ['Content-Length', String(body.length)],
      ],
      body,
    )
    const answer = await sendRaw(port, first + requestText('GET', '/after', []))
    expect(answer.body).toContain('X-Target: /after')
  })
})

describe('answers 4xx, with one line, to what cannot be read', () => {
  it.each([
    ['a method that Node does not know', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    [
      'an unknown expectation',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: other\r\nConnection: close\r\n\r\n',
      417,
    ],
    [
      'two framings',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a head over 64 KiB', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['a control byte in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: \u0001\r\n\r\n', 400],
  ])('%s', async (_, bytes, status) => {
    const before = unreadable.length
    const answered = seen.length
    const answer = await sendRaw(port, bytes)
    expect(answer.status).toBe(status)
    expect(unreadable.length).toBe(before + 1)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': ['0'],
      'cache-control': ['no-store'],
      'x-accel-expires': ['0'],
      'x-postern-decision': [`id-${before + 1}`],
      connection: ['close'],
    })
    expect(seen.length).toBe(answered)
  })
})

describe('bytes after a request that closes its connection', () => {
  const first = requestText('GET', '/last', [['Connection', 'close']])
  const more = requestText('GET', '/more', [])

  it('are no request: nothing is told of them, and the answer stands', async () => {
    const before = unreadable.length
    const answer = await sendRaw(port, first + more)
    expect([answer.status, answer.headers.get('x-target'), answer.body]).toEqual([200, ['/last'], ''])
    expect(unreadable.slice(before)).toEqual([])
    expect(seen.at(-1)).toContain('/last')
  })

  it('do not come before the answer that is still under way', async () => {
    const before = unreadable.length
    mayAnswer = once(server, 'clientError')
    try {
      const answer = await sendRaw(port, first + more)
      expect([answer.status, answer.headers.get('x-target'), answer.body]).toEqual([200, ['/last'], ''])
      expect(unreadable.slice(before)).toEqual([])
    } finally {
      mayAnswer = undefined
    }
  })
})

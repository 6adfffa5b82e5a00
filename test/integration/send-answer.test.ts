// An answer that is written the short way has the bytes of one that Node wrote, and whatever Node would refuse is refused.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Answer } from '../../src/proxy/answer.ts'
import { makeSendAnswer, type SendAnswer } from '../../src/server/send-answer.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

const byNode: SendAnswer = (incoming, outgoing, answer) => {
  outgoing.writeHead(answer.status, [...answer.headers])
  if (answer.body === '' || incoming.method === 'HEAD') outgoing.end()
  else outgoing.end(answer.body)
}

const HEAD = [
  'Content-Length',
  '0',
  'Cache-Control',
  'no-store',
  'X-Accel-Expires',
  '0',
  'X-Postern-Decision',
  'id',
]
const IDENTITY = ['X-Auth-Request-User', 'ada', 'X-Auth-Request-Groups', '', 'X-Latin', '\u00e9\u00ff']

const allow: Answer = { status: 200, headers: [...HEAD, ...IDENTITY], shared: IDENTITY, body: '' }
const denied: Answer = { status: 403, headers: HEAD, body: '' }
const challenge: Answer = {
  status: 401,
  headers: [
    ...HEAD,
    'WWW-Authenticate',
    'Basic realm="postern"',
    'WWW-Authenticate',
    'Bearer realm="postern"',
  ],
  body: '',
}
const page: Answer = {
  status: 403,
  headers: ['Content-Length', '4', 'Content-Type', 'text/html'],
  body: 'page',
}
const acting: Answer = { status: 200, headers: [...HEAD, 'Connection', 'close'], body: '' }

/** What a connection hears that asks several times, `Date` aside, when every answer is sent by `send`. */
const heard = async (send: SendAnswer, answer: Answer, requests: readonly string[]): Promise<string> => {
  server = createServer({ keepAliveTimeout: 75_000 }, (incoming, outgoing) =>
    send(incoming, outgoing, answer),
  )
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { head, body } = await sendRaw(port, requests.join(''))
  server.closeAllConnections()
  server.close()
  return `${head}\n${body}`.replaceAll(/^Date: .*$/gm, 'Date: …')
}

const keeping = requestText('GET', '/', [['Connection', 'keep-alive']])
const closing = requestText('GET', '/', [['Connection', 'close']])

describe('the bytes are those that Node writes', () => {
  it.each<readonly [string, Answer, readonly string[]]>([
    ['an allow', allow, [keeping, keeping, keeping, closing]],
    ['a deny', denied, [keeping, keeping, keeping, closing]],
    ['a challenge', challenge, [keeping, keeping, closing]],
    ['a page', page, [keeping, keeping, closing]],
    ['headers that Node acts upon', acting, [keeping]],
    ['a connection that closes', allow, [closing]],
    ['HEAD', allow, [requestText('HEAD', '/', [['Connection', 'keep-alive']]), keeping, closing]],
    ['HTTP/1.0', allow, ['GET / HTTP/1.0\r\n\r\n']],
    ['HTTP/1.0 that keeps alive', allow, ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', closing]],
  ])('%s', async (_, answer, requests) => {
    // A clock that stands still: from the second answer on, the short way is taken wherever it may be.
    const short = await heard(
      makeSendAnswer(() => 1_000),
      answer,
      requests,
    )
    expect(short).toBe(await heard(byNode, answer, requests))
    expect(short.split('HTTP/1.1 ').length - 1).toBeGreaterThanOrEqual(requests.length)
  })
})

it('takes the short way at all: the head is not made anew for each answer', async () => {
  const heads: unknown[] = []
  const send = makeSendAnswer(() => 1_000)
  let wrote = 0
  await heard(
    (incoming, outgoing, answer) => {
      const writeHead = outgoing.writeHead.bind(outgoing)
      outgoing.writeHead = ((...args: Parameters<typeof writeHead>) => {
        wrote += 1
        return writeHead(...args)
      }) as typeof writeHead
      send(incoming, outgoing, answer)
      heads.push(outgoing.statusCode)
    },
    denied,
    [keeping, keeping, keeping, closing],
  )
  expect([wrote, heads]).toEqual([2, [403, 403, 403, 403]])
})

it('asks Node again in each second, so that `Date` goes on', async () => {
  let nowMs = 0
  let wrote = 0
  const send = makeSendAnswer(() => (nowMs += 600))
  await heard(
    (incoming, outgoing, answer) => {
      const writeHead = outgoing.writeHead.bind(outgoing)
      outgoing.writeHead = ((...args: Parameters<typeof writeHead>) => {
        wrote += 1
        return writeHead(...args)
      }) as typeof writeHead
      send(incoming, outgoing, answer)
    },
    denied,
    [keeping, keeping, keeping, keeping, closing],
  )
  // At 0.6, 1.2, 1.8, 2.4 s; the last one closes.
  expect(wrote).toBe(4)
})

describe('what Node refuses is refused, and nothing of it is sent', () => {
  it.each([
    ['a line break in a value', ['X-Odd', 'a\r\nX-Admin: 1']],
    ['a control byte', ['X-Odd', 'a\u0001']],
    ['a character that is no byte', ['X-Odd', '\u2028']],
    ['a name that is none', ['X Odd', 'a']],
  ])('%s', async (_, lines) => {
    for (const shared of [undefined, lines]) {
      const refused: unknown[] = []
      const send = makeSendAnswer(() => 1_000)
      const bytes = await heard(
        (incoming, outgoing, answer) => {
          // One good answer first, so that the short way is open.
          if (refused.length === 0 && incoming.url === '/good') return send(incoming, outgoing, answer)
          try {
            send(incoming, outgoing, { ...answer, headers: [...HEAD, ...lines], shared })
          } catch (error) {
            refused.push(error)
            send(incoming, outgoing, { ...answer, status: 503 })
          }
          return undefined
        },
        denied,
        [requestText('GET', '/good', [['Connection', 'keep-alive']]), keeping, closing],
      )
      expect(refused.length).toBe(2)
      expect(bytes).not.toContain('X-Odd')
      expect(bytes.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 503', 'HTTP/1.1 503'])
    }
  })
})

// nginx with the generated configuration, and the stand-in, obey an answer in the same way. The decision here is played
// by a server that answers as the test says and tells what it was asked.
import { createServer, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startBuiltinProxy } from '../../../src/demo/builtin-proxy.ts'
import type { Front } from '../../../src/demo/front.ts'
import { listenOnLoopback } from '../../../src/demo/loopback.ts'
import { nginxConfig } from '../../../src/demo/nginx-config.ts'
import { startEchoApp, type EchoApp, type Seen } from '../../support/echo-app.ts'
import { freePort } from '../../support/free-port.ts'
import { nginxIsMissing, startTestNginx } from '../../support/nginx.ts'
import { askProxy } from '../../support/proxy-client.ts'

interface Scripted {
  status: number
  headers: readonly string[]
}

const ALLOW: Scripted = {
  status: 200,
  headers: ['X-Auth-Request-User', 'ada', 'X-Auth-Request-Groups', 'sre', 'X-Postern-Assertion', 'a.b.c'],
}
const HOST = 'wiki.postern.localhost'

const startProxy = {
  nginx: async (front: Front) => {
    const nginx = await startTestNginx(front.port, (places) => nginxConfig(front, places))
    return { close: nginx.stop }
  },
  builtin: startBuiltinProxy,
}

describe.each(['nginx', 'builtin'] as const)('the %s front', (kind) => {
  describe.skipIf(kind === 'nginx' && nginxIsMissing('the front by nginx'))('obeys', () => {
    let script: Scripted = ALLOW
    let asked: IncomingMessage[] = []
    let app: EchoApp
    let front: Front
    const ends: (() => Promise<void>)[] = []

    const scripted = async (body: string, onAsked: (request: IncomingMessage) => void) =>
      listenOnLoopback(
        createServer((request, response) => {
          onAsked(request)
          const { status, headers } = body === '' ? script : { status: 200, headers: [] }
          response.writeHead(status, ['Content-Length', String(body.length), ...headers]).end(body)
        }),
        0,
      )

    beforeAll(async () => {
      app = await startEchoApp()
      const decision = await scripted('', (request) => asked.push(request))
      const pages = await scripted('the page', (request) => asked.push(request))
      front = {
        port: await freePort(),
        decisionPort: decision.port,
        publicPort: pages.port,
        authHost: 'auth.postern.localhost',
        proxyKey: 'right',
        sites: [{ host: HOST, port: app.port }],
      }
      const proxy = await startProxy[kind](front)
      ends.push(proxy.close, app.close, decision.close, pages.close)
    })
    afterAll(async () => {
      for (const end of ends) await end()
    })
    afterEach(() => {
      script = ALLOW
      asked = []
    })

    const ask = (headers: readonly (readonly [string, string])[] = [], target = '/a') =>
      askProxy(front.port, { target, headers: [['Host', `${HOST}:${front.port}`], ...headers] })

    const reached = async (
      headers: readonly (readonly [string, string])[] = [],
      target = '/a',
    ): Promise<Seen> => {
      const before = app.seen.length
      const answer = await ask(headers, target)
      expect([answer.status, app.seen.length]).toEqual([200, before + 1])
      const seen = app.seen[before]
      if (seen === undefined) throw new Error('the application saw nothing')
      return seen
    }

    it('a 200 passes, with the identity of the answer', async () => {
      const { headers } = await reached()
      expect(headers['x-auth-request-user']).toEqual(['ada'])
      expect(headers['x-postern-assertion']).toEqual(['a.b.c'])
    })

    it('a header that the answer leaves out does not pass from the client', async () => {
      const { headers } = await reached([
        ['X-Auth-Request-User', 'root'],
        ['X-Auth-Request-Email', 'root@example.com'],
        ['X_Auth_Request_Email', 'root@example.com'],
        ['Authorization', 'Bearer stolen'],
        ['Proxy-Authorization', 'Bearer stolen'],
        ['Cookie', 'postern=secret'],
        ['X-Original-URL', 'http://wiki/admin'],
      ])
      expect(headers['x-auth-request-user']).toEqual(['ada'])
      for (const name of [
        'x-auth-request-email',
        'x_auth_request_email',
        'authorization',
        'proxy-authorization',
        'cookie',
      ])
        expect([name, headers[name]]).toEqual([name, undefined])
      expect(asked[0]?.headers['proxy-authorization']).toBe('Bearer stolen')
      expect(headers['x-original-url']).toBeUndefined()
    })

    it('what the answer echoes reaches the application', async () => {
      script = { status: 200, headers: [...ALLOW.headers, 'Authorization', 'Bearer theirs', 'Cookie', 'a=1'] }
      const { headers } = await reached([['Cookie', 'a=1; postern=secret']])
      expect([headers['authorization'], headers['cookie']]).toEqual([['Bearer theirs'], ['a=1']])
    })

    it('the raw target reaches the application and the question alike', async () => {
      const target = '/a%2fb//c/../%64?x=%2e&y=/public/'
      expect((await reached([], target)).target).toBe(target)
      expect(asked[0]?.headers['x-original-url']).toBe(`http://${HOST}:${front.port}${target}`)
    })

    it('the question holds what the proxy saw, not what the client says', async () => {
      await reached([
        ['X-Original-Method', 'OPTIONS'],
        ['X-Original-URL', 'http://other/'],
        ['X-Original-URI', '/public/'],
        ['X-Forwarded-Uri', '/public/'],
        ['X-Forwarded-Host', 'other'],
        ['Forwarded', 'host=other'],
        ['X-Postern-Host', 'other'],
        ['X-Postern-Key', 'wrong'],
        ['X-Real-IP', '203.0.113.1'],
      ])
      const question = asked[0]
      expect(question?.url).toBe('/authz/nginx')
      const said = question?.headersDistinct ?? {}
      expect(said['x-original-method']).toEqual(['GET'])
      expect(said['x-original-url']).toEqual([`http://${HOST}:${front.port}/a`])
      expect(said['x-postern-host']).toEqual([HOST])
      expect(said['x-postern-key']).toEqual(['right'])
      expect(said['x-real-ip']).toEqual(['127.0.0.1'])
      for (const name of ['x-original-uri', 'x-forwarded-uri', 'x-forwarded-host', 'forwarded'])
        expect([name, said[name]]).toEqual([name, undefined])
    })

    it('a 401 with a place to sign in becomes a redirect there', async () => {
      script = { status: 401, headers: ['Location', 'http://auth.postern.localhost/sign-in?rd=x'] }
      const answer = await ask()
      expect([answer.status, answer.headers.get('location')]).toEqual([
        302,
        ['http://auth.postern.localhost/sign-in?rd=x'],
      ])
    })

    it('a 401 without one stays a 401 and keeps its challenge', async () => {
      script = { status: 401, headers: ['WWW-Authenticate', 'Bearer realm="postern"'] }
      const answer = await ask()
      expect([answer.status, answer.headers.get('location')]).toEqual([401, undefined])
      expect(answer.headers.get('www-authenticate')).toEqual(['Bearer realm="postern"'])
    })

    it('a 403 stays a 403, with the page that explains it', async () => {
      script = { status: 403, headers: [] }
      const before = app.seen.length
      const answer = await ask([['Cookie', 'postern=secret']], '/a?x=1')
      expect([answer.status, answer.body.includes('the page'), app.seen.length]).toEqual([403, true, before])
      const page = asked.find(({ url }) => url === '/denied')
      expect(page?.headers['x-original-url']).toBe(`http://${HOST}:${front.port}/a?x=1`)
      expect(page?.headers['x-original-method']).toBe('GET')
      expect(page?.headers.cookie).toBe('postern=secret')
    })

    it('a refused write gets the page too, and its body goes nowhere', async () => {
      script = { status: 403, headers: ['X-Postern-Decision', '01M87SZAHDV3YBPF00000001'] }
      const before = app.seen.length
      const headers = [['Host', HOST]] as const
      const answer = await askProxy(front.port, { method: 'POST', target: '/a', headers, body: 'hello' })
      expect([answer.status, asked.length, app.seen.length]).toEqual([403, 2, before])
      const page = asked.find(({ url }) => url === '/denied')
      expect([page?.method, page?.headers['x-original-method'], page?.headers['content-length']]).toEqual([
        'GET',
        'POST',
        undefined,
      ])
      expect(page?.headers['x-postern-decision']).toBe('01M87SZAHDV3YBPF00000001')
    })

    it.each([302, 400, 404, 500, 503])('a %i is closed, never open', async (status) => {
      script = { status, headers: ['Location', 'http://elsewhere/'] }
      const before = app.seen.length
      expect([(await ask()).status, app.seen.length]).toEqual([500, before])
    })

    it('a cookie of the answer reaches the browser', async () => {
      script = { status: 200, headers: [...ALLOW.headers, 'Set-Cookie', 'postern=new; Path=/'] }
      expect((await ask()).headers.get('set-cookie')).toEqual(['postern=new; Path=/'])
    })

    it('a name that is no site of it is nobody', async () => {
      const answer = await askProxy(front.port, { target: '/', headers: [['Host', 'evil.example']] })
      expect([answer.status, asked.length]).toEqual([404, 0])
    })

    it('the sign-in site is not asked about, and hears no key', async () => {
      const answer = await askProxy(front.port, {
        target: '/sign-in?rd=x',
        headers: [
          ['Host', 'auth.postern.localhost'],
          ['X-Postern-Key', 'right'],
        ],
      })
      expect([answer.status, answer.body.includes('the page')]).toEqual([200, true])
      expect([asked[0]?.url, asked[0]?.headers['x-postern-key']]).toEqual(['/sign-in?rd=x', undefined])
    })
  })
})

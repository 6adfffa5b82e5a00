// NGINX with the configuration that the demo writes, before a running Postern: what a client gets, what the application
// sees, and what nobody gets past.
import { request as ask, Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxConfig } from '../../../src/demo/nginx-config.ts'
import { nginxIsMissing } from '../../support/nginx.ts'
import { exchange } from '../../support/proxy-client.ts'
import { startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts'
import { ATTACK_POLICIES } from './contract-policies.ts'
import { startEstate, type Estate } from './estate.ts'

const APP = 'app.example.com'
/** A route whose application gets the cookies of its visitors, without ours. */
const ECHO = `apiVersion: postern/v1
route: echo
hosts: [echo.example.com]
echo: [authorization, cookie]
sections: [{path: /, allow: [{id: all, authenticated: true}]}]
`
const PAGE: readonly (readonly [string, string])[] = [
  ['Accept', 'text/html,*/*'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
]
const XHR: readonly [string, string] = ['X-Requested-With', 'XMLHttpRequest']

describe.skipIf(nginxIsMissing('NGINX before Postern'))('NGINX before Postern', () => {
  let estate: Estate
  let issuer: TokenIssuer
  let dev: readonly [string, string]
  let root: readonly [string, string]

  beforeAll(async () => {
    issuer = await startTokenIssuer({ audience: 'machines' })
    const more = `issuers: [{id: machines, issuer: "${issuer.issuer}", audience: machines, jwksUri: "${issuer.jwksUri}", claims: {user: sub}, default: true}]`
    estate = await startEstate({ policies: { ...ATTACK_POLICIES, 'echo.yaml': ECHO }, more }, nginxConfig)
    dev = ['Cookie', `theme=dark; ${estate.installation.cookie('dev', ['dev'])}`]
    root = ['Cookie', estate.installation.cookie('root', ['admins'])]
  })
  afterAll(async () => {
    await estate.close()
    await issuer.close()
  })

  it('lets in whom the policy lets in, and tells the application who it is', async () => {
    const { status, seen } = await estate.ask(APP, { target: '/a?b=c', headers: [dev] })
    expect([status, seen?.target]).toEqual([200, '/a?b=c'])
    expect(seen?.headers).toMatchObject({
      'x-auth-request-user': ['dev'],
      'x-auth-request-email': ['dev@example.com'],
      'x-auth-request-groups': ['dev'],
      'x-postern-assertion': [expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)],
    })
  })

  it('sends a page load of nobody to sign-in, and knows the way back', async () => {
    const { status, headers, seen } = await estate.ask(APP, { target: '/a/b?x=1&y=2', headers: PAGE })
    expect([status, seen]).toEqual([302, undefined])
    const location = new URL(headers.get('location')?.[0] ?? '')
    expect(`${location.origin}${location.pathname}`).toBe('https://login.example.com/sign-in')
    expect(location.searchParams.get('rd')).toBe(`https://${APP}/a/b?x=1&y=2`)
  })

  it('answers 401 to a script of nobody', async () => {
    const { status, headers, seen } = await estate.ask(APP, { target: '/a', headers: [XHR] })
    expect([status, headers.get('location'), seen]).toEqual([401, undefined, undefined])
  })

  it('answers 403 with a page to whom the policy refuses', async () => {
    const { status, body, headers, seen } = await estate.ask(APP, {
      target: '/admin/x',
      headers: [dev, ...PAGE],
    })
    expect([status, seen]).toEqual([403, undefined])
    expect(headers.get('content-type')?.[0]).toMatch(/^text\/html/)
    expect(body).toContain('admins')
    expect((await estate.ask(APP, { target: '/admin/x', headers: [root] })).status).toBe(200)
  })

  it('lets nobody name himself', async () => {
    const forged: readonly (readonly [string, string])[] = [
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Groups', 'admins'],
      ['X-Auth-Request-Preferred-Username', 'root'],
      ['X-Postern-Assertion', 'a.b.c'],
      ['X_Auth_Request_User', 'root'],
      ['X-Postern-Auth', 'root'],
    ]
    const { seen } = await estate.ask(APP, { target: '/a', headers: [dev, ...forged] })
    expect(seen?.headers['x-auth-request-user']).toEqual(['dev'])
    expect(seen?.headers['x-auth-request-groups']).toEqual(['dev'])
    expect(seen?.headers['x-auth-request-preferred-username']).toBeUndefined()
    expect(seen?.headers['x_auth_request_user']).toBeUndefined()
    const open = await estate.ask(APP, { target: '/public/x', headers: forged })
    expect([open.status, open.seen?.headers['x-auth-request-user']]).toEqual([200, undefined])
    expect(open.seen?.headers['x-postern-assertion']).toBeUndefined()
    expect((await estate.ask(APP, { target: '/admin/x', headers: [XHR, ...forged] })).status).toBe(401)
  })

  it('is not told another request by headers', async () => {
    const story: readonly (readonly [string, string])[] = [
      XHR,
      ['X-Forwarded-Uri', '/public/'],
      ['X-Forwarded-Host', 'pub.example.com'],
      ['X-Forwarded-Method', 'OPTIONS'],
      ['X-Original-URL', 'https://pub.example.com/'],
      ['X-Original-URI', '/public/'],
      ['X-Original-Method', 'OPTIONS'],
      ['X-Postern-Host', 'pub.example.com'],
      ['Forwarded', 'host=pub.example.com'],
    ]
    const { status, seen } = await estate.ask(APP, { target: '/admin/x', headers: story })
    expect([status, seen]).toEqual([401, undefined])
    const passed = await estate.ask(APP, { target: '/public/x', headers: story })
    expect(passed.seen?.headers['x-forwarded-uri']).toBeUndefined()
  })

  it("passes the application's own Authorization on, and consumes ours", async () => {
    const foreign = await estate.ask(APP, {
      target: '/a',
      headers: [dev, ['Authorization', 'Bearer theirs']],
    })
    expect(foreign.seen?.headers['authorization']).toEqual(['Bearer theirs'])
    const token = await issuer.mint({ sub: 'svc' })
    const ours = await estate.ask(APP, {
      target: '/public/a',
      headers: [['Authorization', `Bearer ${token}`]],
    })
    expect([ours.status, ours.seen?.headers['authorization']]).toEqual([200, undefined])
  })

  it('consumes what is written for a proxy, whosever it is', async () => {
    const token = await issuer.mint({ sub: 'svc' })
    for (const value of [`Bearer ${token}`, 'Basic dTpw']) {
      const headers = [dev, ['Proxy-Authorization', value]] as const
      const { status, seen } = await estate.ask(APP, { target: '/public/a', headers })
      expect([status, seen?.headers['proxy-authorization']]).toEqual([200, undefined])
    }
  })

  it('keeps the session cookie from the application, and the others only where nobody echoes them', async () => {
    const session = estate.installation.cookie('dev', ['dev'])
    const cookiesOf = async (host: string, cookie: string) => {
      const { status, seen } = await estate.ask(host, { target: '/a', headers: [['Cookie', cookie]] })
      return [status, seen?.headers['cookie']]
    }
    const echo = 'echo.example.com'
    expect(await cookiesOf(echo, `theme=dark; ${session}; a=1`)).toEqual([200, ['theme=dark; a=1']])
    expect(await cookiesOf(echo, session)).toEqual([200, undefined])
    expect(await cookiesOf(APP, `theme=dark; ${session}`)).toEqual([200, undefined])
  })

  it('refuses two Authorization lines before anybody is asked', async () => {
    const twice: readonly (readonly [string, string])[] = [
      ['Authorization', 'Bearer a'],
      ['Authorization', 'Bearer b'],
    ]
    const { status, seen } = await estate.ask(APP, { target: '/a', headers: [dev, ...twice] })
    expect([[400, 403].includes(status), seen]).toEqual([true, undefined])
  })

  it.each([
    ['HEAD', '/a', 200],
    ['HEAD', '/admin/x', 403],
    ['OPTIONS', '/admin/x', 403],
    ['DELETE', '/a', 200],
    ['PROPFIND', '/a', 200],
    ['TRACE', '/a', 405],
    ['PURGE', '/a', 500],
  ])('decides %s %s by its own method', async (method, target, want) => {
    const { status, seen } = await estate.ask(APP, { method, target, headers: [dev] })
    expect([status, seen?.method]).toEqual([want, want === 200 ? method : undefined])
  })

  it('answers 403, not 500, to what only a client can have made up', async () => {
    const before = estate.app.seen.length
    const raw = (line: string) =>
      exchange(
        estate.port,
        `${line} HTTP/1.1\r\nHost: ${APP}\r\nCookie: ${dev[1]}\r\nConnection: close\r\n\r\n`,
      )
    const statuses = [
      (await raw(`GET http://${APP}?x`)).status,
      (await raw(`${'A'.repeat(40)} /a`)).status,
      (await raw('_GET /a')).status,
    ]
    expect([statuses, estate.app.seen.length]).toEqual([[403, 403, 403], before])
    expect((await raw(`GET http://${APP}/?x`)).status).toBe(200)
  })

  it('keeps the body of a POST for the application', async () => {
    const { status, seen } = await estate.ask(APP, {
      method: 'POST',
      target: '/a',
      headers: [dev],
      body: 'x=1',
    })
    expect([status, seen?.method, seen?.body]).toEqual([200, 'POST', 'x=1'])
    const refused = await estate.ask(APP, { method: 'POST', target: '/admin/x', headers: [dev], body: 'x=1' })
    expect([refused.status, refused.seen]).toEqual([403, undefined])
  })

  describe('a WebSocket handshake', () => {
    const handshake = (origin: string): readonly (readonly [string, string])[] => [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Sec-WebSocket-Version', '13'],
      ['Origin', origin],
    ]

    it('reaches the application, as who it is', async () => {
      const { status, seen } = await estate.ask(APP, {
        target: '/ws',
        headers: [dev, ...handshake(`https://${APP}`)],
      })
      expect([status, seen?.headers['x-auth-request-user']]).toEqual([101, ['dev']])
    })

    it('of another site is refused, and one of nobody gets a plain 401', async () => {
      const close: readonly [string, string] = ['Connection', 'close, Upgrade']
      const evil = handshake('https://evil.example').map((line) => (line[0] === 'Connection' ? close : line))
      expect((await estate.ask(APP, { target: '/ws', headers: [dev, ...evil] })).status).toBe(403)
      const nobody = handshake(`https://${APP}`).map((line) => (line[0] === 'Connection' ? close : line))
      const { status, headers } = await estate.ask(APP, { target: '/ws', headers: nobody })
      expect([status, headers.get('location')]).toEqual([401, undefined])
    })
  })

  describe('two names for one request', () => {
    const absolute = (url: string, host: string, cookie: string) =>
      exchange(
        estate.port,
        `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${cookie}X-Requested-With: XMLHttpRequest\r\nConnection: close\r\n\r\n`,
      )

    it('are both decided, and the stricter answers', async () => {
      const before = estate.app.seen.length
      const guarded = await absolute('http://secure.example.com/x', 'pub.example.com', '')
      const reverse = await absolute('http://pub.example.com/x', 'secure.example.com', '')
      expect([guarded.status, reverse.status]).toEqual([401, 401])
      expect(estate.app.seen.length).toBe(before)
    })

    it('are fine where they are one', async () => {
      expect((await absolute('http://pub.example.com/x', 'pub.example.com', '')).status).toBe(200)
    })
  })

  it('asks twenty times over one connection', async () => {
    const before = estate.connections()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 20; i += 1) {
      const status = await new Promise((resolve, reject) => {
        const one = ask(
          {
            agent,
            host: '127.0.0.1',
            port: estate.port,
            path: `/a?${i}`,
            headers: { Host: APP, Cookie: dev[1] },
          },
          (answer) => {
            answer.resume()
            answer.on('end', () => resolve(answer.statusCode))
          },
        )
        one.on('error', reject)
        one.end()
      })
      expect(status).toBe(200)
    }
    agent.destroy()
    expect(estate.connections() - before).toBeLessThanOrEqual(1)
  })

  it('is closed, never open, while Postern is gone', async () => {
    const other = await startEstate({ policies: ATTACK_POLICIES }, nginxConfig)
    const cookie: readonly [string, string] = ['Cookie', other.installation.cookie('root', ['admins'])]
    try {
      expect((await other.ask(APP, { target: '/a', headers: [cookie] })).status).toBe(200)
      await other.postern.close()
      for (const target of ['/a', '/public/x', '/admin/x']) {
        const { status, seen } = await other.ask(APP, { target, headers: [cookie] })
        expect([target, status, seen]).toEqual([target, 500, undefined])
      }
    } finally {
      await other.close()
    }
  })

  it('has nothing to complain about', () => {
    expect(
      estate
        .errorLog()
        .split('\n')
        .filter((line) => /\[(?:emerg|alert|crit)\]/.test(line)),
    ).toEqual([])
  })
})

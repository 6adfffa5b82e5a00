// The shape that an ingress controller gives to auth-url, auth-signin, auth-response-headers and auth-cache-key.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listenOnLoopback } from '../../../src/demo/loopback.ts'
import { startEchoApp } from '../../support/echo-app.ts'
import { freePort } from '../../support/free-port.ts'
import { nginxIsMissing, startTestNginx } from '../../support/nginx.ts'
import { askProxy } from '../../support/proxy-client.ts'
import { ATTACK_POLICIES } from './contract-policies.ts'
import { startEstate, type Estate } from './estate.ts'
import { ingressConfig, type IngressAnnotations } from './ingress-config.ts'

const APP = 'app.example.com'
const DEEP = '/a%2fb?x=1&y=2'
const XHR: readonly [string, string] = ['X-Requested-With', 'XMLHttpRequest']
const ANNOTATIONS: IngressAnnotations = {
  signIn: undefined,
  responseHeaders: ['X-Auth-Request-User', 'X-Auth-Request-Groups', 'Authorization', 'X-Postern-Assertion'],
  cacheKey: undefined,
}
/** The key that people copy: it holds neither path nor method. */
const CARELESS_KEY = '$remote_user$http_authorization$http_cookie'

describe.skipIf(nginxIsMissing('an ingress-shaped NGINX before Postern'))('behind auth-url', () => {
  let estate: Estate
  let dev: readonly [string, string]

  beforeAll(async () => {
    estate = await startEstate({ policies: ATTACK_POLICIES }, ingressConfig(ANNOTATIONS))
    dev = ['Cookie', estate.installation.cookie('dev', ['dev'])]
  })
  afterAll(() => estate.close())

  it.each([
    ['/a', true, 200],
    ['/admin/x', true, 403],
    ['/a', false, 401],
    ['/public/x', false, 200],
    ['/public/..%2fadmin/x', false, 401],
  ])('%s with a session (%s) is %i', async (target, withSession, want) => {
    const { status, seen } = await estate.ask(APP, { target, headers: withSession ? [dev] : [] })
    expect([status, seen?.target]).toEqual([want, want === 200 ? target : undefined])
  })

  it('what auth-response-headers lists is overwritten or removed', async () => {
    const forged: readonly (readonly [string, string])[] = [
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Groups', 'admins'],
      ['X-Postern-Assertion', 'a.b.c'],
    ]
    const named = await estate.ask(APP, { target: '/a', headers: [dev, ...forged] })
    expect(named.seen?.headers['x-auth-request-user']).toEqual(['dev'])
    const nobody = await estate.ask(APP, { target: '/public/x', headers: forged })
    expect(nobody.status).toBe(200)
    for (const [name] of forged)
      expect([name, nobody.seen?.headers[name.toLowerCase()]]).toEqual([name, undefined])
  })

  it('a client cannot tell the dialect another request', async () => {
    const story: readonly (readonly [string, string])[] = [
      XHR,
      ['X-Forwarded-Uri', '/public/'],
      ['X-Forwarded-Host', 'pub.example.com'],
      ['X-Original-URI', '/public/'],
      ['X-Auth-Request-Redirect', '/public/'],
    ]
    expect((await estate.ask(APP, { target: '/admin/x', headers: story })).status).toBe(401)
  })
})

describe.skipIf(nginxIsMissing('auth-signin before Postern'))('behind auth-signin', () => {
  let estate: Estate

  beforeAll(async () => {
    estate = await startEstate(
      { policies: ATTACK_POLICIES },
      ingressConfig({ ...ANNOTATIONS, signIn: 'https://login.example.com/sign-in', escapedUris: [DEEP] }),
    )
  })
  afterAll(() => estate.close())

  it('every 401 goes to sign-in, with a way back that is escaped but for scheme and host', async () => {
    for (const headers of [[], [XHR]]) {
      const { status, headers: got } = await estate.ask(APP, { target: DEEP, headers })
      expect([status, got.get('location')]).toEqual([
        302,
        [`https://login.example.com/sign-in?rd=http://${APP}%2Fa%252fb%3Fx%3D1%26y%3D2`],
      ])
    }
  })

  it('a 403 stays a 403: it would loop', async () => {
    const dev: readonly [string, string] = ['Cookie', estate.installation.cookie('dev', ['dev'])]
    const { status, headers } = await estate.ask(APP, { target: '/admin/x', headers: [dev] })
    expect([status, headers.get('location')]).toEqual([403, undefined])
  })
})

describe.skipIf(nginxIsMissing('auth-cache-key before Postern'))('behind auth-cache-key', () => {
  it('the cache is a real one: an answer that allows it is kept', async () => {
    let asked = 0
    const decision = await listenOnLoopback(
      createServer((_, response) => {
        asked += 1
        response.writeHead(200, { 'Content-Length': '0' }).end()
      }),
      0,
    )
    const app = await startEchoApp()
    const front = {
      port: await freePort(),
      decisionPort: decision.port,
      publicPort: 1,
      authHost: 'login.example.com',
      proxyKey: 'x',
      sites: [{ host: APP, port: app.port }],
    }
    const nginx = await startTestNginx(front.port, (places) =>
      ingressConfig({ ...ANNOTATIONS, cacheKey: CARELESS_KEY })(front, places),
    )
    try {
      for (const target of ['/a', '/admin/x'])
        expect((await askProxy(front.port, { target, headers: [['Host', APP]] })).status).toBe(200)
      expect(asked).toBe(1)
    } finally {
      await nginx.stop()
      await app.close()
      await decision.close()
    }
  })

  it('no decision of ours is kept, not even under a key that forgot path and method', async () => {
    const estate = await startEstate(
      { policies: ATTACK_POLICIES },
      ingressConfig({ ...ANNOTATIONS, cacheKey: CARELESS_KEY }),
    )
    const dev: readonly [string, string] = ['Cookie', estate.installation.cookie('dev', ['dev'])]
    try {
      const statuses = async (headers: readonly (readonly [string, string])[]) => {
        const found: number[] = []
        for (const target of ['/a', '/admin/x', '/public/x', '/a'])
          found.push((await estate.ask(APP, { target, headers })).status)
        return found
      }
      expect(await statuses([dev])).toEqual([200, 403, 200, 200])
      expect(await statuses([XHR])).toEqual([401, 401, 200, 401])
    } finally {
      await estate.close()
    }
  })
})

// What follows a change of protocol is never decided: only a WebSocket that was decided as one gets through NGINX, in
// the configuration of the demo and in the shape of the controller.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Front } from '../../../src/demo/front.ts'
import { nginxConfig, type NginxPlaces } from '../../../src/demo/nginx-config.ts'
import { nginxIsMissing } from '../../support/nginx.ts'
import { exchange } from '../../support/proxy-client.ts'
import type { RawAnswer } from '../../support/raw-http.ts'
import { startAnyUpgradeApp, type AnyUpgradeApp } from './any-upgrade-app.ts'
import { ATTACK_POLICIES } from './contract-policies.ts'
import { startEstate, type Estate } from './estate.ts'
import { ingressConfig } from './ingress-config.ts'

type Configure = (front: Front, places: NginxPlaces) => string

const APP = 'app.example.com'
const WEBSOCKET: readonly string[] = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  `Origin: https://${APP}`,
]

const CONFIGURATIONS: readonly (readonly [string, Configure])[] = [
  ['the demo', nginxConfig],
  ['the controller', ingressConfig({ signIn: undefined, responseHeaders: [], cacheKey: undefined })],
]

describe.each(CONFIGURATIONS)('before a careless application, NGINX in the shape of %s', (_, config) => {
  describe.skipIf(nginxIsMissing('upgrades through NGINX'))('passes on', () => {
    let estate: Estate
    let app: AnyUpgradeApp
    let seen = { upgrades: 0, requests: 0 }

    beforeAll(async () => {
      app = await startAnyUpgradeApp()
      estate = await startEstate({ policies: ATTACK_POLICIES }, (front, places) =>
        config({ ...front, sites: front.sites.map((site) => ({ ...site, port: app.port })) }, places),
      )
    })
    afterAll(async () => {
      await estate.close()
      await app.close()
    })
    beforeEach(() => {
      seen = { upgrades: app.upgrades.length, requests: app.requests.length }
    })

    const ask = (line: string, headers: readonly string[]): Promise<RawAnswer> =>
      exchange(estate.port, [`${line} HTTP/1.1`, `Host: ${APP}`, ...headers, '', ''].join('\r\n'))

    /** What the application changed to, and what it was asked, since the test began. */
    const reached = (): readonly [readonly string[], readonly string[]] => [
      app.upgrades.slice(seen.upgrades),
      app.requests.slice(seen.requests),
    ]

    it.each([
      [
        'HTTP/2',
        [
          'Upgrade: h2c',
          'Connection: Upgrade, close, HTTP2-Settings',
          'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
        ],
      ],
      ['HTTP/2 without its settings', ['Upgrade: h2c', 'Connection: Upgrade, close']],
      ['HTTP/2 in other letters', ['Upgrade: H2C', 'Connection: upgrade, close']],
      ['a protocol that nobody knows', ['Upgrade: other/1', 'Connection: Upgrade, close']],
      ['two protocols', ['Upgrade: h2c, websocket', 'Connection: Upgrade, close']],
    ])('no change to %s', async (_name, headers) => {
      expect((await ask('GET /public/x', headers)).status).toBe(403)
      expect(reached()).toEqual([[], []])
    })

    it('a request that asks for no change', async () => {
      expect((await ask('GET /public/x', ['Connection: close'])).status).toBe(200)
      expect(reached()).toEqual([[], ['GET /public/x HTTP/1.1']])
    })

    it('a WebSocket that is allowed, and none that is not', async () => {
      const cookie = `Cookie: ${estate.installation.cookie('dev', ['dev'])}`
      expect((await ask('GET /ws', [cookie, ...WEBSOCKET])).status).toBe(101)
      expect(reached()).toEqual([['websocket'], ['GET /ws HTTP/1.1']])
      const closing = WEBSOCKET.map((line) => line.replace('Connection: ', 'Connection: close, '))
      expect((await ask('GET /ws', closing)).status).toBe(401)
      expect((await ask('GET /admin/ws', [cookie, ...closing])).status).toBe(403)
      expect(reached()[0]).toEqual(['websocket'])
    })
  })
})

describe.skipIf(nginxIsMissing('a handshake by POST'))('a handshake that is no GET', () => {
  it('is no WebSocket to anybody behind the demo', async () => {
    const app = await startAnyUpgradeApp()
    const estate = await startEstate({ policies: ATTACK_POLICIES }, (front, places) =>
      nginxConfig({ ...front, sites: front.sites.map((site) => ({ ...site, port: app.port })) }, places),
    )
    try {
      const closing = WEBSOCKET.map((line) => line.replace('Connection: ', 'Connection: close, '))
      const lines = [`POST /public/x HTTP/1.1`, `Host: ${APP}`, 'Content-Length: 0', ...closing, '', '']
      expect((await exchange(estate.port, lines.join('\r\n'))).status).not.toBe(101)
      expect(app.upgrades).toEqual([])
    } finally {
      await estate.close()
      await app.close()
    }
  })
})

// "Try it without TLS" of docs/configuration.md does what it promises: with that very file a browser goes from an
// application by plain http through sign-in, back to the page that it asked for.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { startPostern } from '../../src/server/serve.ts'
import { makeLogger } from '../../src/telemetry/logger.ts'
import { freePort } from '../support/free-port.ts'
import { nginxGuardedHost, publicHost } from '../support/front-hosts.ts'
import { startTestProvider } from '../support/oidc-provider.ts'
import { logIn } from '../support/sign-in-world.ts'
import { makeBrowser, type Browser } from '../unit/signin/browser.ts'
import { blocksOf } from './markdown.ts'
import { makeSecret } from './secret-files.ts'

const text = blocksOf('docs/configuration.md').find(({ directives }) =>
  directives.includes('file try.yaml'),
)?.text

const APP = 'http://grafana.postern.localhost:8080'
const PUBLIC = 'http://auth.postern.localhost:8080'
const POLICY = `apiVersion: postern/v1
route: grafana
owner: team
hosts: [grafana.postern.localhost]
sections: [{path: /, allow: [{id: ada, emails: [ada@example.com]}]}]
`

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

/** The service of the page, and a browser that finds it and the application by the names of the page. */
const start = async (): Promise<() => Browser> => {
  const provider = await startTestProvider({
    clientId: 'postern',
    clientSecret: 'secret-of-the-client',
    redirectUris: [`${PUBLIC}/callback/corp`],
    postLogoutRedirectUris: [`${PUBLIC}/signed-out`],
  })
  ending.push(provider.close)
  const folder = mkdtempSync(join(tmpdir(), 'postern-try-'))
  ending.push(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'policies'))
  const own = (text ?? '')
    .replace('https://idp.example.com', provider.issuer)
    .replace('clientId: postern,', 'clientId: postern, clientSecret: {file: oidc.secret},')
  writeFileSync(join(folder, 'try.yaml'), own)
  writeFileSync(join(folder, 'session.key'), makeSecret('session.key'))
  writeFileSync(join(folder, 'oidc.secret'), 'secret-of-the-client')
  writeFileSync(join(folder, 'policies', 'grafana.yaml'), POLICY)
  const ports = { decision: await freePort(), public: await freePort(), admin: await freePort() }
  const loaded = loadConfig({
    file: join(folder, 'try.yaml'),
    env: {
      POSTERN_LISTEN_DECISION: `127.0.0.1:${ports.decision}`,
      POSTERN_LISTEN_PUBLIC: `127.0.0.1:${ports.public}`,
      POSTERN_LISTEN_ADMIN: `127.0.0.1:${ports.admin}`,
      POSTERN_AUDIT_SINK_FILE: join(folder, 'decisions.ndjson'),
    },
  })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  const running = await startPostern(loaded.config, { logger: makeLogger('silent') })
  ending.push(() => running.close())
  const hosts = new Map([
    [new URL(PUBLIC).host, publicHost(ports.public)],
    [new URL(APP).host, nginxGuardedHost(ports.decision)],
  ])
  return () => makeBrowser(hosts)
}

describe('the configuration without TLS', () => {
  it('leads from the application through sign-in back to the very page', async () => {
    const browser = (await start())()
    const shown = await logIn(browser, await browser.visit(`${APP}/d/abc?from=now-1h`), 'ada')
    expect([shown.url, shown.status, shown.body]).toEqual([
      `${APP}/d/abc?from=now-1h`,
      200,
      'application /d/abc',
    ])
  })

  it('takes the address of the application at sign-in itself, by `rd`', async () => {
    const browser = (await start())()
    const rd = encodeURIComponent(`${APP}/d/abc`)
    const shown = await logIn(browser, await browser.visit(`${PUBLIC}/sign-in?rd=${rd}`), 'ada')
    expect(shown.url).toBe(`${APP}/d/abc`)
  })

  it('leads to no host that no route lists, and lets nobody in whom the policy does not name', async () => {
    const newBrowser = await start()
    for (const address of ['http://evil.localhost:8080/', 'http://grafana.example.com/']) {
      const browser = newBrowser()
      const rd = encodeURIComponent(address)
      const shown = await logIn(browser, await browser.visit(`${PUBLIC}/sign-in?rd=${rd}`), 'ada')
      expect(shown.url).toBe(`${PUBLIC}/me`)
    }
    const browser = newBrowser()
    const shown = await logIn(browser, await browser.visit(`${APP}/d/abc`), 'ben')
    expect([shown.url.startsWith(`${PUBLIC}/`) || shown.url === `${APP}/d/abc`, shown.status]).toEqual([
      true,
      403,
    ])
  })
})

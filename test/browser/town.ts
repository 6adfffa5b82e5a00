// A small town behind one nginx: sign-in and two applications on https, with real names, a real Chromium that resolves
// them to this machine, and real providers. What an operator gets wrong is a change of nginx's text.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { findProgram } from '../../scripts/debian-packages.ts'
import { makeEnds, type Ends } from '../../src/demo/ends.ts'
import { nginxConfig } from '../../src/demo/nginx-config.ts'
import { chromiumIsMissing, startChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { nginxIsMissing, startTestNginx } from '../support/nginx.ts'
import { startTestProvider, type TestProvider } from '../support/oidc-provider.ts'
import { startService } from '../support/running-service.ts'
import { CLIENT_SECRET, makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

export const LOGIN = 'https://login.example.com'
export const APP = 'https://app.example.com'

const OPENSSL = findProgram('openssl')

/** For `describe.skipIf`; says what is missing. */
export const townIsMissing = (suite: string): boolean => {
  if (OPENSSL === undefined) console.warn(`SKIPPED ALOUD: ${suite} needs openssl`)
  return [OPENSSL === undefined, nginxIsMissing(suite), chromiumIsMissing(suite)].includes(true)
}

export interface TownPlan {
  /** Ids of the providers; each is one of its own. */
  readonly providers?: readonly string[]
  readonly settings?: Readonly<Record<string, unknown>>
  /** Whether providers give refresh tokens. */
  readonly refreshTokens?: boolean
  /** What somebody did to nginx's configuration. */
  readonly nginx?: (config: string) => string
}

export interface Town {
  readonly browser: Browser
  readonly service: ServiceFolder
  readonly providers: readonly TestProvider[]
  /** Added to the clock of the service. */
  readonly clock: { aheadMs: number }
  readonly close: () => Promise<void>
}

const POLICY = (providers: readonly string[]): string => `apiVersion: postern/v1
route: shop
owner: team-shop
hosts: [app.example.com, plain.example.com]
issuers: [${providers.join(', ')}]
sections:
- path: /
  allow: [{id: staff, groups: [sre, eng]}]
- path: /public
  allow: [{id: all, anyone: true, why: "a page without data", review: 2099-01-01}]
`

/** Starts the town and a browser that finds it. */
export const startTown = async (plan: TownPlan = {}): Promise<Town> => {
  const ends = makeEnds()
  try {
    return await build(plan, ends)
  } catch (error) {
    await ends.run()
    throw error
  }
}

const build = async (plan: TownPlan, ends: Ends): Promise<Town> => {
  const ids = plan.providers ?? ['corp']
  const providers: TestProvider[] = []
  for (const id of ids) {
    const provider = await startTestProvider(
      {
        clientId: 'postern',
        clientSecret: CLIENT_SECRET,
        redirectUris: [`${LOGIN}/callback/${id}`],
        postLogoutRedirectUris: [`${LOGIN}/signed-out`],
      },
      { claimsInIdToken: true, endSession: true, refreshTokens: plan.refreshTokens ?? false },
    )
    ends.add(provider.close)
    providers.push(provider)
  }
  const service = await makeServiceFolder({
    policies: { 'shop.yaml': POLICY(ids) },
    settings: {
      providers: ids.map((id, index) => providerOf(id, providers[index]?.issuer ?? '')),
      ...plan.settings,
    },
  })
  ends.add(service.remove)
  const clock = { aheadMs: 0 }
  const running = await startService(service, { nowMs: () => Date.now() + clock.aheadMs })
  ends.add(() => running.close())
  const [https, http] = [await freePort(), await freePort()]
  await startFront(service, { https, http, app: await startApplication(ends) }, plan, ends)
  const browser = await startChromium([
    `--host-resolver-rules=MAP *.example.com:443 127.0.0.1:${https},MAP *.example.com:80 127.0.0.1:${http}`,
  ])
  ends.add(() => browser.close())
  return { browser, service, providers, clock, close: ends.run }
}

const providerOf = (id: string, issuer: string): Readonly<Record<string, unknown>> => ({
  id,
  label: `Example ${id}`,
  issuer,
  clientId: 'postern',
  clientSecret: { file: 'oidc.secret' },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { groups: 'groups' },
})

const startFront = async (
  service: ServiceFolder,
  ports: { readonly https: number; readonly http: number; readonly app: number },
  plan: TownPlan,
  ends: Ends,
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-town-'))
  ends.add(() => rm(folder, { recursive: true, force: true }))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=example.com'
  await promisify(execFile)(OPENSSL ?? '', [
    'req',
    ...subject.split(' '),
    '-keyout',
    key,
    '-out',
    certificate,
  ])
  const front = {
    port: ports.https,
    decisionPort: service.ports.decision,
    publicPort: service.ports.public,
    authHost: 'login.example.com',
    proxyKey: service.proxyKey,
    sites: ['app.example.com', 'plain.example.com'].map((host) => ({ host, port: ports.app })),
  }
  const nginx = await startTestNginx(ports.https, (places) =>
    (plan.nginx ?? ((text) => text))(
      nginxConfig(front, places)
        .replaceAll(/listen (127\.0\.0\.1:\d+)( default_server)?;/g, 'listen $1$2 ssl http2;')
        .replace(
          'http {',
          `http {\n  ssl_certificate ${certificate};\n  ssl_certificate_key ${key};\n${redirectToHttps(ports.http)}`,
        ),
    ),
  )
  ends.add(nginx.stop)
}

const redirectToHttps = (port: number): string =>
  `  server {\n    listen 127.0.0.1:${port};\n    return 301 https://$host$request_uri;\n  }`

/** An application that shows what it was asked, and can load more by script. */
const startApplication = async (ends: Ends): Promise<number> => {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path.endsWith('/data')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"rows":3}')
      return
    }
    const user = String(request.headers['x-auth-request-user'] ?? '')
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(pageText(path, user, path.startsWith('/public/embeds')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.add(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return (server.address() as AddressInfo).port
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const pageText = (path: string, user: string, embeds: boolean): string => `<!doctype html><html lang="en">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Shop</title>
<h1>Shop ${escaped(path)}</h1><p id="user">${escaped(user)}</p><p id="hash"></p>
${embeds ? '<img src="/picture.png" alt=""><iframe src="/framed" title="framed"></iframe>' : ''}
<button id="load">Load data</button><output id="out"></output>
<script>
hash.textContent = location.hash
load.onclick = async () => {
  out.textContent = 'loading'
  try {
    const answer = await fetch('/data')
    const type = answer.headers.get('content-type')
    out.textContent = JSON.stringify({ status: answer.status, redirected: answer.redirected, url: answer.url, type, body: await answer.text() })
  } catch (error) { out.textContent = String(error) }
}
</script></html>`

/** Fills in the form of the provider. */
export const fillIn = async (page: Page, who: string): Promise<void> => {
  await page.getByLabel('Name').fill(who)
  await page.getByLabel('Password').fill(who)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Loads by script, and what came of it. */
export const load = async (page: Page): Promise<Readonly<Record<string, unknown>>> => {
  await page.getByRole('button', { name: 'Load data' }).click()
  const out = page.locator('#out', { hasText: /^\{/ })
  return JSON.parse(await out.innerText()) as Readonly<Record<string, unknown>>
}

// A whole service in front of a real Keycloak, and people with browsers.
import { expect } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { ensureKeycloak } from '../../scripts/keycloak.ts'
import { freePort } from '../support/free-port.ts'
import { forwardGuardedHost, nginxGuardedHost, publicHost } from '../support/front-hosts.ts'
import type { RawAnswer } from '../support/raw-http.ts'
import { askNginx, startService } from '../support/running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  type ServiceFolder,
  type Settings,
} from '../support/service-folder.ts'
import { makeBrowser, type Browser, type Shown } from '../unit/signin/browser.ts'
import { issuerOf, startKeycloak, type Keycloak } from './keycloak-process.ts'

export const APP = 'https://app.example.com'
export const PUBLIC = 'https://login.example.com'
const PASSWORD = 'correct horse battery staple'

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com, page.example.com]
sections:
- path: /
  allow: [{id: sre, groups: [sre]}]
- path: /rota
  allow: [{id: on-call, groups: [on-call]}]
`

/** For `describe.skipIf`; the reason was printed. */
export const keycloakFolder = ensureKeycloak()
if (keycloakFolder === undefined) console.warn('SKIPPED ALOUD: sign-in at a real Keycloak')

export interface World {
  readonly keycloak: Keycloak
  readonly service: ServiceFolder
  readonly postern: RunningPostern
  /** Answers that the proxy of the application got, in order. */
  readonly decisions: RawAnswer[]
  readonly browser: () => Browser
}

export interface Worlds {
  /** Learns anew what Keycloak says after ten minutes, and hears of sign-outs over the back channel. */
  readonly usual: World
  /** Learns it anew after two seconds, and hears of nothing. */
  readonly hasty: World
  readonly close: () => Promise<void>
}

/** Starts one Keycloak and two services. */
export const makeWorlds = async (): Promise<Worlds> => {
  const port = await freePort()
  const usual = await makeFolder(port, {})
  const hasty = await makeFolder(port, {
    session: { keys: [{ file: 'session.key' }], domain: 'example.com', freshness: '2s' },
  })
  const keycloak = await startKeycloak({
    folder: keycloakFolder ?? '',
    port,
    realm: {
      publicUrl: PUBLIC,
      backChannelLogoutUrl: `http://127.0.0.1:${usual.ports.public}/backchannel-logout`,
      clientSecret: CLIENT_SECRET,
      password: PASSWORD,
    },
  })
  const worlds = { usual: await guard(keycloak, usual), hasty: await guard(keycloak, hasty) }
  return {
    ...worlds,
    close: async () => {
      for (const world of Object.values(worlds)) await world.postern.close()
      await keycloak.close()
      for (const folder of [usual, hasty]) await folder.remove()
    },
  }
}

const makeFolder = (keycloakPort: number, settings: Settings): Promise<ServiceFolder> =>
  makeServiceFolder({
    policies: { 'app.yaml': POLICY },
    settings: {
      publicUrl: PUBLIC,
      providers: [
        {
          id: 'corp',
          label: 'Staff directory',
          issuer: issuerOf(keycloakPort),
          clientId: 'postern',
          clientSecret: { file: 'oidc.secret' },
          claims: { groups: 'groups' },
        },
      ],
      ...settings,
    },
  })

const guard = async (keycloak: Keycloak, service: ServiceFolder): Promise<World> => {
  const postern = await startService(service)
  const decisions: RawAnswer[] = []
  const hosts = new Map([
    ['login.example.com', publicHost(service.ports.public)],
    ['page.example.com', forwardGuardedHost(service.ports.decision)],
    ['app.example.com', nginxGuardedHost(service.ports.decision, decisions)],
  ])
  return { keycloak, service, postern, decisions, browser: () => makeBrowser(hosts) }
}

export const isLoginForm = (shown: Shown): boolean => shown.body.includes('id="kc-form-login"')

/** Fills in Keycloak's own form and follows what comes. */
export const logIn = async (browser: Browser, form: Shown, who: string): Promise<Shown> => {
  expect(isLoginForm(form), form.body.slice(0, 2000)).toBe(true)
  const action = /<form[^>]* id="kc-form-login"[^>]* action="([^"]+)"/.exec(form.body)?.[1] ?? ''
  const fields = { username: who, password: PASSWORD, credentialId: '' }
  return browser.follow(await browser.post(new URL(action.replaceAll('&amp;', '&'), form.url).href, fields))
}

/** Somebody who is signed in, in a browser of their own. */
export const signedIn = async (world: World, who: string): Promise<Browser> => {
  const browser = world.browser()
  const shown = await logIn(browser, await browser.visit(`${APP}/d/abc`), who)
  expect([shown.url, browser.cookie(SESSION_COOKIE) === undefined]).toEqual([`${APP}/d/abc`, false])
  return browser
}

/** The status of a decision about a path, with the session of this browser. */
export const statusOf = async (world: World, browser: Browser, path: string): Promise<number> => {
  const cookie = `${SESSION_COOKIE}=${browser.cookie(SESSION_COOKIE)}`
  return (await askNginx(world.service, APP + path, { cookie })).status
}

/** Lines of one type in the decision log. */
export const eventsOf = async (
  world: World,
  type: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await world.service.log()).filter((line) => line['type'] === type)

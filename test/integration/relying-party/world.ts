// A whole service and a provider that misbehaves, and the law of every refusal: no session, the page's status and code,
// one line in the decision log, no secret anywhere, and whoever is signed in stays so.
import { expect } from 'vitest'
import { startPostern, type RunningPostern } from '../../../src/server/serve.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { makeLogger } from '../../../src/telemetry/logger.ts'
import { forwardGuardedHost, publicHost } from '../../support/front-hosts.ts'
import { makeProviderKeys } from '../../support/misbehaving-keys.ts'
import type { Misbehaviour } from '../../support/misbehaviours.ts'
import {
  startMisbehavingProvider,
  STRONG_ACR,
  type MisbehavingProvider,
} from '../../support/misbehaving-provider.ts'
import { askNginx, totalOf, until } from '../../support/running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  type ServiceFolder,
} from '../../support/service-folder.ts'
import { makeBrowser, type Browser, type Shown } from '../../unit/signin/browser.ts'

export const APP = 'https://app.example.com'
export const PUBLIC = 'https://login.example.com'
export { SESSION_COOKIE }

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: sre, groups: [sre]}]
- path: /strong
  allow: [{id: strong, groups: [sre], mfa: true}]
`

export interface World {
  readonly provider: MisbehavingProvider
  readonly service: ServiceFolder
  readonly postern: RunningPostern
  readonly stranger: () => Browser
  /** Somebody who is signed in already, and what the cookie is. */
  readonly member: () => { readonly browser: Browser; readonly cookie: string }
  /** Lines of the decision log about logins. */
  readonly logins: (count: number) => Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Everything that the service wrote down so far. */
  readonly written: () => Promise<string>
  readonly close: () => Promise<void>
}

// Once for each file of tests: what takes long is the RSA.
const keys = makeProviderKeys()

/** Starts both; the provider behaves. */
export const makeWorld = async (): Promise<World> => {
  const provider = await startMisbehavingProvider({
    keys,
    clientId: 'postern',
    clientSecret: CLIENT_SECRET,
    redirectUri: `${PUBLIC}/callback/corp`,
  })
  const service = await makeServiceFolder({
    policies: { 'app.yaml': POLICY },
    settings: {
      publicUrl: PUBLIC,
      providers: [
        {
          id: 'corp',
          issuer: provider.issuer,
          clientId: 'postern',
          clientSecret: { file: 'oidc.secret' },
          claims: { groups: 'groups' },
          mfa: { acr: [STRONG_ACR] },
        },
      ],
    },
  })
  const serviceLog: string[] = []
  const postern = await start(service, serviceLog)
  const hosts = new Map([
    ['login.example.com', publicHost(service.ports.public)],
    ['app.example.com', forwardGuardedHost(service.ports.decision)],
  ])
  const logins: World['logins'] = (count) =>
    until(
      async () => (await service.log()).filter((line) => line['type'] === 'login'),
      (lines) => lines.length >= count,
    )
  return {
    provider,
    service,
    postern,
    stranger: () => makeBrowser(hosts),
    member: () => {
      const browser = makeBrowser(hosts)
      const cookie = service.cookie('ada', ['sre'])
      browser.setCookie(PUBLIC, `${cookie}; Domain=example.com; Path=/; Secure`)
      return { browser, cookie }
    },
    logins,
    written: async () => JSON.stringify(await service.log()) + serviceLog.join(''),
    close: async () => {
      await postern.close()
      await service.remove()
      await provider.close()
    },
  }
}

const start = (service: ServiceFolder, serviceLog: string[]): Promise<RunningPostern> => {
  const loaded = loadConfig({ file: service.configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  const logger = makeLogger('trace', { write: (line) => void serviceLog.push(line) })
  return startPostern(loaded.config, { logger })
}

export interface Refusal {
  readonly status: 403 | 500 | 503
  readonly code: string
  /** `why` of the decision log. */
  readonly why: string
}

/** Makes the provider misbehave, and expects that nobody gets in by it and nobody is put out. */
export const expectRefused = async (world: World, how: Misbehaviour, refusal: Refusal): Promise<void> => {
  const before = (await world.logins(0)).length
  world.provider.misbehave(how)
  const [stranger, member] = [world.stranger(), world.member()]
  const shown = await Promise.all([
    stranger.visit(`${APP}/x`),
    // A member is sent to the provider for more than the session is worth.
    member.browser.visit(`${APP}/strong`),
  ])
  for (const page of shown) expectPage(page, refusal)
  expect(stranger.cookie(SESSION_COOKIE)).toBeUndefined()
  expect(`${SESSION_COOKIE}=${member.browser.cookie(SESSION_COOKIE)}`).toBe(member.cookie)
  expect((await askNginx(world.service, `${APP}/x`, { cookie: member.cookie })).status).toBe(200)
  expect((await askNginx(world.service, `${APP}/strong`, { cookie: member.cookie })).status).toBe(401)
  const lines = (await world.logins(before + 2)).slice(before)
  const failed = { outcome: 'failed', provider: 'corp', code: refusal.code, why: refusal.why }
  expect(lines.map(({ outcome, provider, code, why }) => ({ outcome, provider, code, why }))).toEqual([
    failed,
    failed,
  ])
  await expectNoSecret(world, shown)
}

/** The nearest success: the same people, at the same service and provider, get in. */
export const expectSignsIn = async (world: World, how: Misbehaviour = 'none'): Promise<void> => {
  const before = (await world.logins(0)).length
  world.provider.misbehave(how)
  const [stranger, member] = [world.stranger(), world.member()]
  const first = await stranger.visit(`${APP}/x`)
  const second = await member.browser.visit(`${APP}/strong`)
  expect([first.status, first.body]).toEqual([200, 'application /x'])
  expect([second.status, second.body]).toEqual([200, 'application /strong'])
  expect(stranger.cookie(SESSION_COOKIE)).toBeDefined()
  expect(`${SESSION_COOKIE}=${member.browser.cookie(SESSION_COOKIE)}`).not.toBe(member.cookie)
  const lines = (await world.logins(before + 2)).slice(before)
  expect(lines.map(({ outcome, purpose }) => [outcome, purpose])).toEqual([
    ['success', 'interactive'],
    ['success', 'step-up'],
  ])
  await expectNoSecret(world, [first, second])
}

/** A page with the code, and nothing to keep. */
export const expectPage = (page: Shown, { status, code }: Pick<Refusal, 'status' | 'code'>): void => {
  expect([page.status, /PST-\d{4}/.exec(page.body)?.[0]]).toEqual([status, code])
  expect(page.headers.getSetCookie()).toEqual([])
  expect(page.headers.get('location')).toBeNull()
  expect(page.headers.get('retry-after')).toBe(status === 503 ? '5' : null)
}

/** Neither what was shown nor what was written down holds anything that went between us and the provider. */
export const expectNoSecret = async (world: World, shown: readonly Shown[]): Promise<void> => {
  const texts = [await world.written(), ...shown.map(({ body }) => body)]
  const secrets = [...world.provider.secrets].filter((secret) => secret.length > 8)
  expect(secrets.filter((secret) => texts.some((text) => text.includes(secret)))).toEqual([])
  expect(await totalOf(world.service, 'postern_faults_total')).toBe(0)
}

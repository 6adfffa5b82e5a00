// A service with one application in front of it and a real provider behind it, and people with browsers: what sign-in
// is tried out on over real sockets. Only host names are made up.
import { afterEach, expect } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { makeBrowser, type Browser, type Shown } from '../unit/signin/browser.ts'
import { forwardGuardedHost, nginxGuardedHost, publicHost } from './front-hosts.ts'
import {
  SECOND_FACTOR_ACR,
  startTestProvider,
  type TestProvider,
  type TestProviderOptions,
} from './oidc-provider.ts'
import type { RawAnswer } from './raw-http.ts'
import { startService } from './running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  type ServiceFolder,
  type Settings,
} from './service-folder.ts'

export const APP = 'https://app.example.com'
export const PUBLIC = 'https://login.example.com'

export const policy = (sections: string): string =>
  `apiVersion: postern/v1\nroute: app\nowner: team\nhosts: [app.example.com, page.example.com]\nsections:\n${sections}`

export const SECTIONS = `- path: /
  allow: [{id: sre, groups: [sre]}]
- path: /strong
  allow: [{id: strong, groups: [sre], mfa: true}]
- path: /fresh
  allow: [{id: fresh, groups: [sre], auth_age: 5m}]
`
export const NAMED = `${SECTIONS}- path: /named
  allow: [{id: named, claims: {name: [Ada Lovelace]}}]
`

export interface World {
  readonly provider: TestProvider
  readonly service: ServiceFolder
  readonly postern: RunningPostern
  /** Ends the service and starts it again in its place. */
  readonly restart: () => Promise<void>
  /** Answers that the proxy of the application got, in order. */
  readonly decisions: RawAnswer[]
  readonly browser: () => Browser
  /** Added to the clock of the service. */
  readonly clock: { aheadMs: number }
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

export interface WorldPlan {
  readonly provider?: TestProviderOptions
  /** Laid over the usual settings. */
  readonly settings?: Settings
}

/** Starts all of it; it ends with the test. */
export const makeWorld = async (publicUrl = PUBLIC, plan: WorldPlan = {}): Promise<World> => {
  const provider = await startTestProvider(
    {
      clientId: 'postern',
      clientSecret: CLIENT_SECRET,
      redirectUris: [`${publicUrl}/callback/corp`],
      postLogoutRedirectUris: [`${publicUrl}/signed-out`],
    },
    plan.provider,
  )
  ending.push(provider.close)
  const service = await makeServiceFolder({
    policies: { 'app.yaml': policy(SECTIONS) },
    settings: { publicUrl, providers: [providerSettings(provider.issuer)], ...plan.settings },
  })
  ending.push(service.remove)
  const clock = { aheadMs: 0 }
  const start = (): Promise<RunningPostern> =>
    startService(service, { nowMs: () => Date.now() + clock.aheadMs })
  let postern = await start()
  ending.push(() => postern.close())
  const restart = async (): Promise<void> => {
    await postern.close()
    postern = await start()
  }
  const decisions: RawAnswer[] = []
  const own = publicHost(service.ports.public)
  const app = nginxGuardedHost(service.ports.decision, decisions)
  const { pathname: prefix } = new URL(`${publicUrl}/`)
  const hosts = new Map([
    ['login.example.com', own],
    ['page.example.com', forwardGuardedHost(service.ports.decision)],
    [
      'app.example.com',
      (asked: Parameters<typeof own>[0]) =>
        prefix !== '/' && asked.url.pathname.startsWith(prefix) ? own(asked) : app(asked),
    ],
  ])
  return { provider, service, postern, restart, decisions, clock, browser: () => makeBrowser(hosts) }
}

export const providerSettings = (issuer: string): Readonly<Record<string, unknown>> => ({
  id: 'corp',
  label: 'Example Corp',
  issuer,
  clientId: 'postern',
  clientSecret: { file: 'oidc.secret' },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { groups: 'groups' },
  mfa: { acr: [SECOND_FACTOR_ACR] },
})

/** Fills in the form of the provider and follows what comes. */
export const logIn = async (
  browser: Browser,
  form: Shown,
  who: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Shown> => {
  expect(form.body).toContain('<title>Test provider</title>')
  const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
  const answer = await browser.post(new URL(action, form.url).href, {
    username: who,
    password: who,
    action: 'login',
    ...extra,
  })
  return browser.follow(answer)
}

export const signedIn = async (world: World, who = 'ada'): Promise<Browser> => {
  const browser = world.browser()
  await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), who)
  expect(browser.cookie(SESSION_COOKIE)).toBeDefined()
  return browser
}

export const cookieOf = (browser: Browser): string => `${SESSION_COOKIE}=${browser.cookie(SESSION_COOKIE)}`

/** Lines of one type in the decision log. */
export const eventsOf = async (
  world: World,
  type: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await world.service.log()).filter((line) => line['type'] === type)

// The demo's provider is a real one: discovery, code flow with PKCE, claims, step-up, account choice and sign-out.
import { generateKeyPairSync, randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listenOnLoopback, type Listening } from '../../../src/demo/loopback.ts'
import { makePeople } from '../../../src/demo/people.ts'
import { startProvider, type RunningProvider } from '../../../src/demo/provider.ts'
import { SECOND_FACTOR_ACR } from '../../../src/demo/provider-prompts.ts'

const CLIENT_URL = 'http://auth.postern.localhost:8080'
const people = makePeople((max) => randomInt(max))
const ada = people[0]
let provider: RunningProvider
let client: oidc.Configuration
let backchannel: Listening
const logoutTokens: string[] = []

beforeAll(async () => {
  backchannel = await listenOnLoopback(
    createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '')
        response.writeHead(200).end()
      })
    }),
    0,
  )
  provider = await startProvider({
    host: '127.0.0.1',
    preferredPort: 0,
    people,
    clientId: 'postern',
    clientSecret: 'secret-of-the-client',
    clientUrl: CLIENT_URL,
    backchannelUrl: `http://127.0.0.1:${backchannel.port}/backchannel-logout`,
    signingKeys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })],
    cookieKey: 'k'.repeat(32),
  })
  client = await oidc.discovery(
    new URL(provider.issuer),
    'postern',
    'secret-of-the-client',
    oidc.ClientSecretBasic('secret-of-the-client'),
    { execute: [oidc.allowInsecureRequests] },
  )
})
afterAll(async () => {
  await provider.close()
  await backchannel.close()
})

/** A browser without script: cookies, redirects by hand, one form at a time. */
const makeBrowser = () => {
  const jar = new Map<string, string>()
  const visit = async (url: string, init: Pick<RequestInit, 'method' | 'body'> = {}): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null || location.startsWith(CLIENT_URL)) return answer
    return visit(new URL(location, url).href)
  }
  const submit = async (page: string, fields: Readonly<Record<string, string>>): Promise<Response> => {
    const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1] ?? ''
    return visit(new URL(action, provider.issuer).href, {
      method: 'POST',
      body: new URLSearchParams(fields),
    })
  }
  return { visit, submit, jar }
}

const begin = async (more: Readonly<Record<string, string>> = {}) => {
  const verifier = oidc.randomPKCECodeVerifier()
  const url = oidc.buildAuthorizationUrl(client, {
    redirect_uri: `${CLIENT_URL}/callback/demo`,
    scope: 'openid profile email groups',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const finish = (answer: Response) =>
    oidc.authorizationCodeGrant(client, new URL(answer.headers.get('location') ?? 'about:blank'), {
      pkceCodeVerifier: verifier,
      expectedState: 'the-state',
      expectedNonce: 'the-nonce',
    })
  return { url: url.href, finish }
}

const password = { username: 'ada', password: ada?.password ?? '' }

describe('the provider of the demo', () => {
  it('signs somebody in by name and password and says who it is', async () => {
    const browser = makeBrowser()
    const { url, finish } = await begin()
    const form = await (await browser.visit(url)).text()
    const tokens = await finish(await browser.submit(form, password))
    expect(tokens.claims()).toMatchObject({
      sub: 'ada',
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada Lovelace',
      groups: ['sre'],
      amr: ['pwd'],
      acr: 'urn:example:password',
      auth_time: expect.any(Number),
      sid: expect.any(String),
    })
  })

  it.each([
    ['a wrong password', { username: 'ada', password: 'wrong' }],
    ["somebody else's password", { username: 'ben', password: password.password }],
    ['an unknown name', { username: '"><script>', password: 'x' }],
    ['an empty form', {}],
  ])('refuses %s, and lets one try again', async (_, fields) => {
    const browser = makeBrowser()
    const { url, finish } = await begin()
    const form = await (await browser.visit(url)).text()
    const refusal = await browser.submit(form, fields)
    const again = await refusal.text()
    expect([refusal.status, again.includes('role="alert"'), again.includes('<script>')]).toEqual([
      401,
      true,
      false,
    ])
    expect((await finish(await browser.submit(again, password))).claims()?.sub).toBe('ada')
  })

  it('signs in silently while its session lives, and says login_required without one', async () => {
    const browser = makeBrowser()
    const stranger = await browser.visit((await begin({ prompt: 'none' })).url)
    expect(stranger.headers.get('location')).toContain('error=login_required')
    const first = await begin()
    await first.finish(await browser.submit(await (await browser.visit(first.url)).text(), password))
    const second = await begin({ prompt: 'none' })
    expect((await second.finish(await browser.visit(second.url))).claims()?.sub).toBe('ada')
  })

  it.each([
    ['another account is wanted', { prompt: 'select_account' }],
    ['a new login is wanted', { prompt: 'login' }],
    ['the login is too old', { max_age: '0' }],
    ['a second factor is wanted', { acr_values: SECOND_FACTOR_ACR }],
  ])('asks again where %s', async (_, wish) => {
    const browser = makeBrowser()
    const first = await begin()
    await first.finish(await browser.submit(await (await browser.visit(first.url)).text(), password))
    const second = await begin(wish)
    const form = await (await browser.visit(second.url)).text()
    expect(form).toContain('name="password"')
    const tokens = await second.finish(await browser.submit(form, { ...password, 'second-factor': 'yes' }))
    expect(tokens.claims()).toMatchObject({ amr: ['pwd', 'hwk'], acr: SECOND_FACTOR_ACR })
  })

  it('lets another account take the place of the one before', async () => {
    const browser = makeBrowser()
    const first = await begin()
    await first.finish(await browser.submit(await (await browser.visit(first.url)).text(), password))
    const second = await begin({ prompt: 'select_account' })
    const form = await (await browser.visit(second.url)).text()
    const ben = { username: 'ben', password: people[1]?.password ?? '' }
    expect((await second.finish(await browser.submit(form, ben))).claims()?.sub).toBe('ben')
    const silent = await begin({ prompt: 'none' })
    expect((await silent.finish(await browser.visit(silent.url))).claims()?.sub).toBe('ben')
  })

  it('ends its session on request and tells the client behind the browser', async () => {
    const browser = makeBrowser()
    const { url, finish } = await begin()
    const tokens = await finish(await browser.submit(await (await browser.visit(url)).text(), password))
    const out = oidc.buildEndSessionUrl(client, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: `${CLIENT_URL}/signed-out`,
    })
    const page = await (await browser.visit(out.href)).text()
    const action = /action="([^"]+)"/.exec(page)?.[1] ?? ''
    const secret = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const done = await browser.visit(action, {
      method: 'POST',
      body: new URLSearchParams({ xsrf: secret, logout: 'yes' }),
    })
    expect(done.headers.get('location')).toBe(`${CLIENT_URL}/signed-out`)
    const silent = await browser.visit((await begin({ prompt: 'none' })).url)
    expect(silent.headers.get('location')).toContain('error=login_required')
    expect(logoutTokens.length).toBe(1)
  })

  it('says that a sign-in is over instead of failing', async () => {
    const answer = await makeBrowser().visit(`${provider.issuer}/login/no-such-interaction`)
    expect([answer.status, (await answer.text()).includes('This sign-in is over')]).toEqual([400, true])
  })
})

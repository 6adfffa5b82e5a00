// `check --online` says what the service would meet: it asks by the service's own code, and every way of answering wrong
// is told with what, where, why and how to mend it.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkOnline, type OnlineReport } from '../../src/cli/online.ts'
import { loadConfig } from '../../src/config/load.ts'
import { freePort } from '../support/free-port.ts'
import { startTestProvider, type TestProvider } from '../support/oidc-provider.ts'
import { runPostern } from '../support/postern-process.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  type ServiceFolder,
  type Settings,
} from '../support/service-folder.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

const POLICY = `apiVersion: postern/v1
route: app
hosts: [app.example.com]
issuers: [corp, ci]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
tests:
- {as: {groups: [dev]}, get: /, expect: allow dev}
`

let provider: TestProvider
let issuer: TokenIssuer
let service: ServiceFolder
const servers: Server[] = []

beforeAll(async () => {
  provider = await startTestProvider({
    clientId: 'postern',
    clientSecret: CLIENT_SECRET,
    redirectUris: ['https://login.example.com/callback/corp'],
    postLogoutRedirectUris: ['https://login.example.com/signed-out'],
  })
  issuer = await startTokenIssuer()
  service = await makeServiceFolder({ policies: { 'app.yaml': POLICY } })
})
afterAll(async () => {
  await Promise.all([provider.close(), issuer.close(), service.remove()])
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve)
          server.closeAllConnections()
        }),
    ),
  )
})
beforeEach(() => {
  provider.misbehave.discovery = undefined
  issuer.misbehave('none')
  issuer.rotate('ES256')
})

const corp = (more: Settings = {}): Settings => ({
  id: 'corp',
  issuer: provider.issuer,
  clientId: 'postern',
  clientSecret: { file: 'oidc.secret' },
  claims: { groups: 'groups' },
  ...more,
})
const ci = (more: Settings = {}): Settings => ({
  id: 'ci',
  issuer: issuer.issuer,
  audience: 'postern-ci',
  default: true,
  ...more,
})

/** A server that answers every request in one way. */
const serve = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const check = async (
  sources: { readonly providers?: readonly Settings[]; readonly issuers?: readonly Settings[] },
  aheadMs = 0,
): Promise<OnlineReport> => {
  await service.configure({ providers: sources.providers ?? [], issuers: sources.issuers ?? [] })
  const loaded = loadConfig({ file: service.configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  return checkOnline(loaded, { fetch, nowMs: () => Date.now() + aheadMs })
}

/** Code and first line of each finding. */
const told = ({ issues }: OnlineReport): readonly string[] =>
  issues.map(({ code, what }) => `${code} ${what}`)

describe('a provider and an issuer as they should be', () => {
  it('are found, with what they offer and whose clock it is', async () => {
    const report = await check({
      providers: [corp()],
      issuers: [ci(), ci({ id: 'keys', jwksUri: issuer.jwksUri })],
    })
    expect(report.issues).toEqual([])
    expect(report.sources).toMatchObject([
      { id: 'corp', kind: 'provider', state: 'ok', clockAheadSeconds: expect.any(Number) },
      { id: 'ci', kind: 'issuer', state: 'ok' },
      { id: 'keys', kind: 'issuer', state: 'ok' },
    ])
    const [first, second, third] = report.sources.map(({ facts }) => facts.join('; '))
    expect(first).toMatch(/^issuer equal; keys for .*ES256.*; PKCE S256; signs out there too; /)
    expect(second).toMatch(/^issuer equal; keys for ES256/)
    expect(third).toMatch(/^keys from `jwksUri`; keys for ES256/)
  })

  it('are asked nothing but for metadata and keys', async () => {
    const before = provider.requests.length
    await check({ providers: [corp()] })
    expect(provider.requests.slice(before)).toEqual(['GET /.well-known/openid-configuration', 'GET /jwks'])
  })

  it('put no escape, no line and no flood of theirs on a terminal', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `X${index}`)
    provider.misbehave.discovery = (document) => ({
      ...document,
      id_token_signing_alg_values_supported: ['\u001b]0;pwned\u0007\u001b[2J', 'x\n[ok] corp', ...many],
    })
    expect(told(await check({ providers: [corp()] }))).toEqual([
      `E41 \`corp\` has no key for \`?]0;pwned??[2J\`, \`x?[ok] corp\`, ${many
        .slice(0, 8)
        .map((one) => `\`${one}\``)
        .join(', ')} and 492 more`,
    ])
  })

  it('are told of where they do without', async () => {
    provider.misbehave.discovery = (document) => ({
      ...document,
      end_session_endpoint: undefined,
      backchannel_logout_supported: true,
    })
    const { sources, issues } = await check({ providers: [corp()] })
    expect(issues).toEqual([])
    expect(sources[0]?.facts).toEqual(
      expect.arrayContaining(['cannot be signed out of', 'tells of sign-outs (back-channel)']),
    )
  })
})

describe('metadata of a provider', () => {
  it.each([
    [
      'another issuer',
      { issuer: 'https://evil.example.com' },
      /^E41 `corp` calls itself `https:\/\/evil\.example\.com`, not/,
    ],
    [
      'an endpoint by plain http',
      { authorization_endpoint: 'http://idp.example.com/auth' },
      /^E41 `corp` is not taken: `authorization_endpoint_not_permitted`/,
    ],
    [
      'a token endpoint of the link',
      { token_endpoint: 'https://169.254.169.254/token' },
      /^E41 `corp`: its `token_endpoint` is an address that is not permitted/,
    ],
    ['no keys', { jwks_uri: undefined }, /^E41 `corp`: its metadata has no `jwks_uri`/],
    [
      'PKCE without S256',
      { code_challenge_methods_supported: ['plain'] },
      /^E41 `corp`: it does not take PKCE/,
    ],
    [
      'nothing of PKCE',
      { code_challenge_methods_supported: undefined },
      /^W42 `corp`: its metadata does not say whether/,
    ],
    [
      'no code flow',
      { response_types_supported: ['id_token'] },
      /^E41 `corp`: it does not offer the code flow/,
    ],
    [
      'no client secret',
      { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
      /^E41 `corp`: its token endpoint does not list/,
    ],
    [
      'fewer scopes',
      { scopes_supported: ['openid', 'profile'] },
      /^W42 `corp`: it does not list the scope `email`/,
    ],
    [
      'algorithms that no key of it serves',
      { id_token_signing_alg_values_supported: ['PS512', 'HS256'] },
      /^E41 `corp` has no key for `PS512`, `HS256`/,
    ],
    [
      'control characters',
      { issuer: 'https://a.example.com/\u001b[31m' },
      /^E41 `corp` calls itself `https:\/\/a\.example\.com\/\?\[31m`/,
    ],
  ])('with %s is a finding', async (_, changes, pattern) => {
    provider.misbehave.discovery = (document) => ({ ...document, ...changes })
    const report = await check({ providers: [corp()] })
    expect(told(report)).toEqual([expect.stringMatching(pattern)])
    const [issue] = report.issues
    expect([issue?.file, issue?.line === 0, issue?.why === '', issue?.mend === '']).toEqual([
      service.configFile,
      false,
      false,
      false,
    ])
    expect(report.sources[0]?.state).toBe(issue?.severity === 'error' ? 'faulty' : 'ok')
  })
})

describe('keys of an issuer', () => {
  it('that serve no pinned algorithm are a finding, and one that does is none', async () => {
    issuer.rotate('RS256')
    expect(told(await check({ issuers: [ci({ algorithms: ['ES256'] })] }))).toEqual([
      'E41 `ci` has no key for `ES256`',
    ])
    issuer.rotate('RS256', 'ES256')
    expect(told(await check({ issuers: [ci({ algorithms: ['ES256'] })] }))).toEqual([])
  })

  it('of another name or origin are not taken', async () => {
    issuer.claimInMetadata({ issuer: 'https://evil.example.com' })
    expect(told(await check({ issuers: [ci()] }))).toEqual([
      `E41 \`ci\` calls itself \`https://evil.example.com\`, not \`${issuer.issuer}\``,
    ])
    issuer.claimInMetadata({ issuer: issuer.issuer, jwks_uri: 'https://keys.example.com/' })
    expect(told(await check({ issuers: [ci()] }))).toEqual([
      expect.stringMatching(
        /^E41 the keys of `ci` are not taken: discovery: `jwks_uri` is on another origin/,
      ),
    ])
    issuer.claimInMetadata({ jwks_uri: issuer.jwksUri })
  })

  it.each([
    ['status-500', /^E40 `ci` cannot be reached: it answered 500 at /],
    ['garbage', /^E41 the keys of `ci` are not taken: key set: it is no JWK set/],
    ['html', /^E41 the keys of `ci` are not taken: it answered with text\/html instead of JSON at /],
    ['not-a-set', /^E41 the keys of `ci` are not taken: key set: it is no JWK set/],
    ['redirect', /^E41 the keys of `ci` are not taken: it answered 302, a redirect to .* at /],
    ['reset', /^E40 `ci` cannot be reached: .* at /],
    ['endless', /^E41 the keys of `ci` are not taken: key set: it is over \d+ bytes/],
  ] as const)('that answer with %s are a finding', async (how, pattern) => {
    issuer.misbehave(how)
    expect(told(await check({ issuers: [ci()] }))).toEqual([expect.stringMatching(pattern)])
  })
})

describe('a server that is none', () => {
  it('that shows a page is a finding', async () => {
    const page = await serve(
      (_, response) => void response.setHeader('content-type', 'text/html').end('<p>hi</p>'),
    )
    expect(told(await check({ providers: [corp({ issuer: page })] }))).toEqual([
      `E41 discovery of \`corp\` is no metadata: it answered with text/html instead of JSON at ${page}/.well-known/openid-configuration`,
    ])
  })

  it('that leads elsewhere is a finding, and is not followed', async () => {
    const before = provider.requests.length
    const elsewhere = await serve(
      (_, response) => void response.writeHead(302, { location: `${provider.issuer}/?secret=x` }).end(),
    )
    expect(told(await check({ providers: [corp({ issuer: elsewhere })] }))).toEqual([
      `E41 discovery of \`corp\` is no metadata: it answered 302, a redirect to ${provider.issuer}/, at ${elsewhere}/.well-known/openid-configuration`,
    ])
    expect(provider.requests.length).toBe(before)
  })

  it('that is not there cannot be reached, nor one that never answers, and neither holds up the others', async () => {
    const silent = await serve(() => undefined)
    const nobody = `http://127.0.0.1:${await freePort()}`
    const report = await check({
      providers: [corp(), corp({ id: 'silent', issuer: silent }), corp({ id: 'nobody', issuer: nobody })],
      issuers: [ci(), ci({ id: 'mute', issuer: silent })],
    })
    expect(told(report)).toEqual([
      expect.stringMatching(/^E40 `silent` cannot be reached: no answer in time at /),
      expect.stringMatching(/^E40 `nobody` cannot be reached: ECONNREFUSED at /),
      expect.stringMatching(/^E40 `mute` cannot be reached: no answer in time at /),
    ])
    expect(report.sources.map(({ state }) => state)).toEqual([
      'ok',
      'unreachable',
      'unreachable',
      'ok',
      'unreachable',
    ])
  })
})

describe('a clock', () => {
  it.each([
    [20, []],
    [-20, []],
    [45, ['W43 the clock of `corp` is 45 s behind ours', 'W43 the clock of `ci` is 45 s behind ours']],
    [-45, ['W43 the clock of `corp` is 45 s ahead of ours', 'W43 the clock of `ci` is 45 s ahead of ours']],
    [90, ['E44 the clock of `corp` is 90 s behind ours', 'E44 the clock of `ci` is 90 s behind ours']],
  ])('of ours that is %d s ahead is told', async (aheadSeconds, findings) => {
    const report = await check({ providers: [corp()], issuers: [ci()] }, aheadSeconds * 1000)
    // The header counts whole seconds, and an answer takes a while.
    expect(
      told(report).map((text) =>
        text.replace(/ (\d+) s /, (_, given) => ` ${Math.round(Number(given) / 15) * 15} s `),
      ),
    ).toEqual(findings)
  })

  it('is not taken from an old answer of a cache', async () => {
    const old = await serve(
      (_, response) =>
        void response
          .writeHead(200, {
            'content-type': 'application/json',
            date: new Date(Date.now() - 600_000).toUTCString(),
            age: '600',
          })
          .end(JSON.stringify({ keys: [] })),
    )
    const report = await check({ issuers: [ci({ jwksUri: old })] })
    expect(told(report)).toEqual([expect.stringMatching(/^E41 `ci` has no key for/)])
    expect(Math.abs(report.sources[0]?.clockAheadSeconds ?? 99)).toBeLessThan(10)
  })
})

describe('the command', () => {
  const run = (...args: readonly string[]) =>
    runPostern(['check', '--online', '-c', service.configFile, ...args])

  it('ends with 0 where all is well, and says whom it asked', async () => {
    await service.configure({
      providers: [corp()],
      issuers: [ci()],
      proxies: { trusted: ['127.0.0.1/32'], hostHeader: 'required' },
    })
    const ran = await run()
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('0 errors, 0 warnings')])
    expect(ran.stderr).toMatch(/\nproviders and issuers: 0 errors, 0 warnings; \d asked\n$/)
    expect(ran.stdout).toMatch(
      /^provider corp \(http:\S+\): ok; issuer equal; keys for .*\nissuer ci \(http:\S+\): ok; .*\n$/,
    )
    expect(ran.stdout + ran.stderr).not.toContain(CLIENT_SECRET)
  })

  it('ends with 1 for a finding, in text, JSON and SARIF', async () => {
    provider.misbehave.discovery = (document) => ({ ...document, code_challenge_methods_supported: [] })
    await service.configure({ providers: [corp()], issuers: [ci()] })
    const text = await run()
    expect([text.code, text.stdout]).toEqual([
      1,
      expect.stringMatching(
        /postern\.yaml:\d+:\d+: error E41: `corp`: it does not take PKCE with `S256`\n {2}why: .*\n {2}mend: /,
      ),
    ])
    expect(text.stderr).toMatch(
      /: 0 errors, \d warnings? in 1 file; .*\nproviders and issuers: 1 error, 0 warnings; 2 asked\n$/,
    )
    const json = await run('-o', 'json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'CheckReport',
      online: [
        { id: 'corp', kind: 'provider', state: 'faulty' },
        { id: 'ci', kind: 'issuer', state: 'ok' },
      ],
      findings: [{ code: 'E41', severity: 'error' }],
    })
    const sarif = await run('-o', 'sarif')
    expect(JSON.parse(sarif.stdout)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          results: [
            { ruleId: 'E41', level: 'error', message: { text: expect.stringContaining('To mend it: ') } },
          ],
        },
      ],
    })
    expect([json.code, sarif.code]).toEqual([1, 1])
  })

  it('ends with 2 for a configuration that does not load, and asks nobody', async () => {
    await service.configure({ providers: [corp()], issuers: [ci()] })
    const before = provider.requests.length
    const extra = join(service.folder, 'extra.yaml')
    await writeFile(extra, 'session: {idel: 5m}\n')
    const ran = await run('-c', extra)
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain('extra.yaml:1:11: unknown key `idel` in `session` (did you mean `idle`?)')
    expect(provider.requests.length).toBe(before)
  })

  it('ends with 3 where somebody cannot be reached, whatever else is wrong', async () => {
    provider.misbehave.discovery = (document) => ({ ...document, code_challenge_methods_supported: [] })
    await service.configure({
      providers: [corp()],
      issuers: [ci({ issuer: `http://127.0.0.1:${await freePort()}` })],
    })
    const ran = await run()
    expect(ran.code).toBe(3)
    expect(ran.stdout).toMatch(/error E40: `ci` cannot be reached: ECONNREFUSED/)
    expect(ran.stdout).toMatch(/error E41: `corp`/)
  })

  it('does not overlook a variable that sets nothing: one that is misspelt stops it, any other is told', async () => {
    await service.configure({ providers: [corp()], issuers: [ci()] })
    const args = ['check', '-c', service.configFile]
    const misspelt = await runPostern(args, { POSTERN_SESSION_IDEL: '5m' })
    expect([misspelt.code, misspelt.stdout, misspelt.stderr]).toEqual([
      2,
      '',
      'error: POSTERN_SESSION_IDEL: this variable sets nothing (did you mean `POSTERN_SESSION_IDLE`?)\n',
    ])
    const other = await runPostern(args, { POSTERN_SOMETHING: 'x' })
    expect([other.code, other.stderr]).toEqual([
      0,
      expect.stringMatching(/^POSTERN_SOMETHING: this variable sets nothing\n/),
    ])
  })

  it('asks nobody without `--online`', async () => {
    await service.configure({ providers: [corp()], issuers: [ci()] })
    const before = provider.requests.length
    expect((await runPostern(['check', '-c', service.configFile])).code).toBe(0)
    expect(provider.requests.length).toBe(before)
  })
})

// Service accounts of a real cluster's issuer over HTTP at a whole service: the account that a rule names gets in, and
// whatever resembles it does not.
import { afterEach, describe, expect, it } from 'vitest'
import { askNginx, headerOf, startService, until, untilReady } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'
import {
  startTokenIssuer,
  type MintOptions,
  type TokenClaims,
  type TokenIssuer,
} from '../support/token-issuer.ts'

const APP = 'https://metrics.example.com'
const AUDIENCE = 'postern-pods'
const SUBJECT = 'system:serviceaccount:monitoring:grafana'
const POLICIES = {
  'metrics.yaml': `apiVersion: postern/v1
route: metrics
owner: team
hosts: [metrics.example.com]
accepts: [session, bearer, service-account]
issuers: [corp, cluster, ci]
sections:
- path: /
  deny:
  - {id: no-batch, service_accounts: [monitoring/batch]}
  allow:
  - {id: people, groups: [sre]}
  - {id: pods, service_accounts: [monitoring/grafana, monitoring/batch], methods: [GET]}
- path: /tokens
  accepts: [session, bearer]
  allow: [{id: sre, groups: [sre]}]
- path: /open
  allow: [{id: open, anyone: true, why: "open by contract", review: 2099-01-01}]
`,
}

interface World {
  readonly cluster: TokenIssuer
  readonly ci: TokenIssuer
  readonly service: ServiceFolder
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeWorld = async (): Promise<World> => {
  const cluster = await startTokenIssuer({ audience: AUDIENCE })
  const ci = await startTokenIssuer({ audience: AUDIENCE })
  ending.push(cluster.close, ci.close)
  const service = await makeServiceFolder({
    policies: POLICIES,
    settings: {
      issuers: [
        // By discovery, as a cluster publishes it.
        {
          id: 'cluster',
          kind: 'kubernetes',
          issuer: cluster.issuer,
          audience: AUDIENCE,
        },
        { id: 'ci', issuer: ci.issuer, audience: AUDIENCE },
      ],
    },
  })
  ending.push(service.remove)
  const postern = await startService(service)
  ending.push(() => postern.close())
  await untilReady(service, 'issuer-cluster', /^ok: keys confirmed/)
  await untilReady(service, 'issuer-ci', /^ok: keys confirmed/)
  return { cluster, ci, service }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** As a projected token: an hour, no `typ`, the account said twice. */
const mint = (
  issuer: TokenIssuer,
  account = 'monitoring/grafana',
  claims: TokenClaims = {},
  options: MintOptions = {},
): Promise<string> => {
  const [namespace, name] = account.split('/')
  return issuer.mint(
    {
      sub: `system:serviceaccount:${namespace}:${name}`,
      'kubernetes.io': { namespace, serviceaccount: { name, uid: '3f9a' } },
      exp: nowSeconds() + 3500,
      ...claims,
    },
    { header: { typ: undefined }, ...options },
  )
}

const statusOf = async ({ service }: World, bearer: string, path = '/x', method = 'GET'): Promise<number> =>
  (await askNginx(service, APP + path, { bearer, method })).status

describe('a service account', () => {
  it('that a rule names gets in, by its subject, and its token is emptied', async () => {
    const world = await makeWorld()
    const answer = await askNginx(world.service, `${APP}/x`, { bearer: await mint(world.cluster) })
    expect([
      answer.status,
      headerOf(answer, 'x-auth-request-user'),
      headerOf(answer, 'x-auth-request-email'),
      headerOf(answer, 'x-auth-request-groups'),
      headerOf(answer, 'authorization'),
    ]).toEqual([200, `cluster|${SUBJECT}`, '', '', ''])
  })

  it('is in the decision log as what it is, without its token', async () => {
    const world = await makeWorld()
    const bearer = await mint(world.cluster)
    await statusOf(world, bearer)
    const lines = await until(world.service.log, (log) => log.some((line) => line['route'] === 'metrics'))
    expect(lines.find((line) => line['route'] === 'metrics')).toMatchObject({
      decision: 'allow',
      rule: 'metrics#pods',
      sub: { kind: 'sa', id: `cluster|${SUBJECT}`, cred: 'service-account' },
    })
    expect(JSON.stringify(lines)).not.toContain(bearer.split('.')[2])
  })

  it.each([
    ['of another namespace', 'default/grafana'],
    ['of another name', 'monitoring/grafana-admin'],
    ['that a deny names', 'monitoring/batch'],
  ])('%s is known and refused', async (_, account) => {
    const world = await makeWorld()
    expect(await statusOf(world, await mint(world.cluster, account))).toBe(403)
    expect(await statusOf(world, await mint(world.cluster))).toBe(200)
  })

  it('does by other methods what its rule says: nothing', async () => {
    const world = await makeWorld()
    const bearer = await mint(world.cluster)
    expect([
      await statusOf(world, bearer, '/x', 'HEAD'),
      await statusOf(world, bearer, '/x', 'POST'),
    ]).toEqual([200, 403])
  })

  it('is nobody where only sessions and bearer tokens are accepted', async () => {
    const world = await makeWorld()
    const bearer = await mint(world.cluster)
    expect(await statusOf(world, bearer, '/tokens')).toBe(401)
    const cookie = world.service.cookie('ada', ['sre'])
    const answer = await askNginx(world.service, `${APP}/tokens`, { bearer, cookie })
    expect([
      answer.status,
      headerOf(answer, 'x-auth-request-user'),
      headerOf(answer, 'authorization'),
    ]).toEqual([200, 'corp|ada', `Bearer ${bearer}`])
  })
})

describe('what resembles a service account', () => {
  it('is refused: the same subject from another issuer', async () => {
    const world = await makeWorld()
    expect(await statusOf(world, await mint(world.ci))).toBe(403)
    expect(await statusOf(world, await mint(world.ci, undefined, {}, { header: { typ: 'JWT' } }))).toBe(403)
  })

  it('is refused: the name of the cluster under a key of another issuer', async () => {
    const world = await makeWorld()
    const forged = await mint(world.ci, undefined, { iss: world.cluster.issuer })
    expect(await statusOf(world, forged)).toBe(401)
  })

  it('is refused: a person with the name among the groups, or as a subject', async () => {
    const world = await makeWorld()
    for (const cookie of [
      world.service.cookie('ada', ['monitoring/grafana', SUBJECT]),
      world.service.cookie(SUBJECT, ['eng']),
    ])
      expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(403)
    const cookie = world.service.cookie('ada', ['sre'])
    expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(200)
  })
})

describe('a token of the cluster', () => {
  it.each<readonly [string, (issuer: TokenIssuer) => Promise<string>]>([
    ['that is not for us', (issuer) => mint(issuer, undefined, { aud: 'vault' })],
    ['for the API', (issuer) => mint(issuer, undefined, { aud: ['https://kubernetes.default.svc'] })],
    ['for others too', (issuer) => mint(issuer, undefined, { aud: [AUDIENCE, 'vault'] })],
    ['for nobody', (issuer) => mint(issuer, undefined, { aud: undefined })],
    ['that is valid for a year', (issuer) => mint(issuer, undefined, { exp: nowSeconds() + 31_536_000 })],
    ['without an end', (issuer) => mint(issuer, undefined, { exp: undefined })],
    ['that has ended', (issuer) => mint(issuer, undefined, { exp: nowSeconds() - 61 })],
    ['that names two accounts', (issuer) => mint(issuer, 'default/x', { sub: SUBJECT })],
    ['of no service account', (issuer) => mint(issuer, undefined, { sub: 'system:node:n1' })],
    ['of an access token', (issuer) => mint(issuer, undefined, {}, { header: { typ: 'at+jwt' } })],
  ])('%s lets nobody in, and what is open stays open', async (_, make) => {
    const world = await makeWorld()
    const bearer = await make(world.cluster)
    const answer = await askNginx(world.service, `${APP}/x`, { bearer })
    expect([answer.status, headerOf(answer, 'x-auth-request-user')]).toEqual([401, undefined])
    expect(headerOf(answer, 'www-authenticate')).toContain('invalid_token')
    const open = await askNginx(world.service, `${APP}/open`, { bearer })
    expect([open.status, headerOf(open, 'x-auth-request-user')]).toEqual([200, ''])
  })
})

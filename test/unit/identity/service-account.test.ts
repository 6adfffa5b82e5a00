// A token of a cluster makes its bearer a service account, and nothing else does. What the cluster did not say of it, or
// said of two accounts, and what was meant for somebody else is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeReadBearer, type ReadBearer } from '../../../src/identity/bearer-jwt.ts'
import { makeIssuerKeys, type IssuerKeys } from '../../../src/identity/issuer-keys.ts'
import type { IssuerSource } from '../../../src/identity/source.ts'
import type { Authentication } from '../../../src/policy/principal.ts'
import type { CredentialKind } from '../../../src/policy/credential-kind.ts'
import {
  startTokenIssuer,
  type MintOptions,
  type TokenClaims,
  type TokenIssuer,
} from '../../support/token-issuer.ts'
import { acceptanceOf, issuerOf } from './acceptance-fixture.ts'
import { makeKeyClock } from './key-clock.ts'
import { NOW_SECONDS } from './session-fixture.ts'

const SUBJECT = 'system:serviceaccount:monitoring:grafana'
const CLAIM = {
  namespace: 'monitoring',
  serviceaccount: { name: 'grafana', uid: '3f9a' },
  pod: { name: 'grafana-0', uid: '77' },
}

let cluster: TokenIssuer
let other: TokenIssuer
let keys: Map<string, IssuerKeys>

beforeAll(async () => {
  const settings = { nowSeconds: () => NOW_SECONDS, audience: 'postern' }
  cluster = await startTokenIssuer(settings)
  other = await startTokenIssuer(settings)
})
afterAll(() => Promise.all([cluster.close(), other.close()]))
beforeEach(() => {
  const { ports } = makeKeyClock()
  const keysOf = ({ issuer }: TokenIssuer): IssuerKeys =>
    makeIssuerKeys({ issuer, jwksUri: undefined }, ports)
  keys = new Map([
    ['cluster', keysOf(cluster)],
    ['ci', keysOf(other)],
  ])
})

const clusterOf = (changes: Partial<IssuerSource> = {}): IssuerSource =>
  issuerOf({
    id: 'cluster',
    issuer: cluster.issuer,
    audiences: ['postern'],
    credential: 'service-account',
    tokenTypes: ['jwt'],
    maxTokenAgeSeconds: 3600,
    claims: { sub: 'sub' },
    ...changes,
  })

const readerOf = (changes: Partial<IssuerSource> = {}): ReadBearer =>
  makeReadBearer({
    issuers: [clusterOf(changes), issuerOf({ issuer: other.issuer, audiences: ['postern'] })],
    keysOf: (id) => keys.get(id),
    checkRevocation: () => 'live',
  })

/** As the API server makes them: no `typ`, an hour, one account said twice. */
const mint = (claims: TokenClaims = {}, options: MintOptions = {}): Promise<string> =>
  cluster.mint(
    { sub: SUBJECT, 'kubernetes.io': CLAIM, nbf: NOW_SECONDS, exp: NOW_SECONDS + 3600, ...claims },
    { ...options, header: { typ: undefined, ...options.header } },
  )

const ACCEPTS: readonly CredentialKind[] = ['session', 'service-account']

const find = async (
  token: string,
  accepts = ACCEPTS,
  reader = readerOf(),
): Promise<Authentication & { readonly isForeign: boolean }> => {
  const reading = reader(token, acceptanceOf({ accepts }))
  return reading.kind === 'foreign'
    ? { ...reading.rejected, isForeign: true }
    : { ...(await reading.verify()).authentication, isForeign: false }
}

const REFUSED = {
  kind: 'rejected',
  reason: 'DENY_CRED_INVALID',
  credential: 'service-account',
  isForeign: false,
}

describe('a token of a cluster', () => {
  test('makes its bearer a machine with the name of its account, and nothing that a person has', async () => {
    const token = await mint({ client_id: 'x', azp: 'y', amr: ['mfa'], acr: 'gold', auth_time: NOW_SECONDS })
    const found = await find(token)
    expect(found).toMatchObject({
      kind: 'verified',
      principal: {
        kind: 'machine',
        credential: 'service-account',
        serviceAccount: 'monitoring/grafana',
        source: 'cluster',
        subject: SUBJECT,
        client: undefined,
        amr: [],
        acr: undefined,
        authTimeSeconds: undefined,
        multiFactor: false,
        expiresAtSeconds: NOW_SECONDS + 3660,
      },
    })
  })

  test('is no person, whatever its issuer is said to speak of', async () => {
    const found = await find(await mint(), ACCEPTS, readerOf({ subjects: 'people', emailTrusted: true }))
    expect(found).toMatchObject({ principal: { kind: 'machine' } })
  })

  test.each([
    ['without `typ`', { typ: undefined }, 'verified'],
    ['of `typ` JWT', { typ: 'JWT' }, 'verified'],
    ['of an access token', { typ: 'at+jwt' }, 'rejected'],
    ['of a logout token', { typ: 'logout+jwt' }, 'rejected'],
  ])('has the header of one, %s', async (_, header, kind) => {
    expect(await find(await mint({}, { header }))).toMatchObject({ kind })
  })

  test('need not say the account twice', async () => {
    expect(await find(await mint({ 'kubernetes.io': undefined }))).toMatchObject({
      principal: { serviceAccount: 'monitoring/grafana' },
    })
  })

  test.each<readonly [string, TokenClaims]>([
    ['another namespace in the claim', { 'kubernetes.io': { ...CLAIM, namespace: 'default' } }],
    ['another account in the claim', { 'kubernetes.io': { ...CLAIM, serviceaccount: { name: 'admin' } } }],
    ['no namespace in the claim', { 'kubernetes.io': { serviceaccount: { name: 'grafana' } } }],
    ['no account in the claim', { 'kubernetes.io': { namespace: 'monitoring', node: { name: 'n1' } } }],
    ['an account that is text', { 'kubernetes.io': { namespace: 'monitoring', serviceaccount: 'grafana' } }],
    ['a claim that is a text', { 'kubernetes.io': 'monitoring/grafana' }],
    ['an empty claim', { 'kubernetes.io': null }],
    ['another subject than the claim', { sub: 'system:serviceaccount:monitoring:admin' }],
    ['the subject of a node', { sub: 'system:node:n1', 'kubernetes.io': undefined }],
    ['the subject of a person', { sub: 'anna', 'kubernetes.io': undefined }],
    [
      'a subject of capitals',
      { sub: 'system:serviceaccount:Monitoring:grafana', 'kubernetes.io': undefined },
    ],
    ['a subject with one more part', { sub: `${SUBJECT}:x`, 'kubernetes.io': undefined }],
    ['an audience beside ours', { aud: ['postern', 'vault'] }],
    ['the audience of the API beside ours', { aud: ['postern', 'https://kubernetes.default.svc'] }],
    ['no end', { exp: undefined }],
    ['no begin', { iat: undefined }],
    ['an end a second too late', { exp: NOW_SECONDS + 3601 }],
    ['a year to live', { exp: NOW_SECONDS + 31_536_000 }],
    ['an end that is past', { iat: NOW_SECONDS - 3000, exp: NOW_SECONDS - 60 }],
  ])('is refused with %s', async (_, claims) => {
    expect(await find(await mint(claims))).toMatchObject(REFUSED)
  })

  test('may live longer where the configuration says so, and no second more', async () => {
    const patient = readerOf({ maxTokenAgeSeconds: 86_400 })
    expect(await find(await mint({ exp: NOW_SECONDS + 86_400 }), ACCEPTS, patient)).toMatchObject({
      kind: 'verified',
    })
    expect(await find(await mint({ exp: NOW_SECONDS + 86_401 }), ACCEPTS, patient)).toMatchObject(REFUSED)
  })

  test.each<readonly [string, TokenClaims]>([
    ['for another audience', { aud: 'vault' }],
    ['for the API', { aud: ['https://kubernetes.default.svc'] }],
    ['without audience', { aud: undefined }],
    ['for nobody', { aud: [] }],
  ])('is foreign %s', async (_, claims) => {
    expect(await find(await mint(claims))).toMatchObject({
      kind: 'rejected',
      reason: 'DENY_WRONG_AUDIENCE',
      isForeign: true,
    })
  })

  test('may be for several audiences, if all are ours', async () => {
    const reader = readerOf({ audiences: ['postern', 'postern-test'] })
    const found = await find(await mint({ aud: ['postern-test', 'postern'] }), ACCEPTS, reader)
    expect(found).toMatchObject({ kind: 'verified' })
  })
})

describe('the kinds of tokens', () => {
  test('are accepted apart: `bearer` takes no service account, and `service-account` nothing else', async () => {
    const account = await mint()
    const robot = await other.mint()
    const foreign = { kind: 'rejected', reason: 'DENY_CRED_KIND', isForeign: true }
    expect(await find(account, ['session', 'bearer'])).toMatchObject({
      ...foreign,
      credential: 'service-account',
    })
    expect(await find(robot, ['session', 'service-account'])).toMatchObject({
      ...foreign,
      credential: 'bearer',
    })
    const both: readonly CredentialKind[] = ['bearer', 'service-account']
    expect(await find(account, both)).toMatchObject({ principal: { credential: 'service-account' } })
    expect(await find(robot, both)).toMatchObject({ principal: { credential: 'bearer' } })
  })

  test('are told by the issuer alone: the same claims of another one are no service account', async () => {
    const claims = { sub: SUBJECT, 'kubernetes.io': CLAIM }
    const found = await find(await other.mint(claims, { header: { typ: 'JWT' } }), ['bearer'])
    expect(found).toMatchObject({ kind: 'verified', principal: { credential: 'bearer', subject: SUBJECT } })
    expect(found.kind === 'verified' && found.principal.serviceAccount).toBeUndefined()
  })

  test('do not help a token that another issuer signed in the name of the cluster', async () => {
    const [key] = other.keys()
    expect(await find(await mint({}, key === undefined ? {} : { key }))).toMatchObject(REFUSED)
  })
})

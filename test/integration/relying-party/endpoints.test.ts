// A provider whose endpoints answer with something else than they should: metadata of another issuer, error bodies, web
// pages, redirects, and answers that are giant, slow or torn. Nobody gets in by it, nobody is put out.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Misbehaviour } from '../../support/misbehaviours.ts'
import { APP, expectRefused, expectSignsIn, makeWorld, type Refusal, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(async () => {
  // Wherever a redirect pointed to, nobody went there.
  expect(world.provider.requests.filter((one) => one.endsWith('/elsewhere'))).toEqual([])
  await world.close()
})

type Module = readonly [law: string, how: Misbehaviour, why: string]

const refuses = async (how: Misbehaviour, refusal: Refusal): Promise<void> => {
  await expectRefused(world, how, refusal)
  await expectSignsIn(world)
}

const unreachable = (why: string): Refusal => ({ status: 503, code: 'PST-1007', why })
const setUpWrongly = (why: string): Refusal => ({ status: 500, code: 'PST-1008', why })
const notBelieved = (why: string): Refusal => ({ status: 403, code: 'PST-1006', why })

const REFUSED_FETCH = 'POSTERN_PROVIDER_FETCH_REFUSED'

describe('metadata', () => {
  it.each<Module>([
    ['of another issuer', 'discovery-issuer-mismatch', 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'],
    [
      'of the same server under another origin',
      'discovery-of-another-origin',
      'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
    ],
    ['of an issuer with one slash more', 'discovery-issuer-with-slash', 'issuer_differs'],
  ])('%s is a mistake of the set-up', (_, how, why) => refuses(how, setUpWrongly(why)))

  it.each<Module>([
    ['that are elsewhere', 'discovery-redirects', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['that are a web page', 'discovery-html', 'OAUTH_RESPONSE_IS_NOT_JSON'],
    ['that are not there', 'discovery-not-found', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['without end', 'discovery-flood', REFUSED_FETCH],
    ['that never come', 'discovery-never', 'OAUTH_TIMEOUT'],
  ])('%s are an outage, and nothing of them is kept', (_, how, why) => refuses(how, unreachable(why)))

  it('may name endpoints under another origin, but none on an address that is not permitted', async () => {
    await expectSignsIn(world, 'discovery-endpoints-elsewhere')
    await anew()
    await expectRefused(world, 'discovery-endpoint-link-local', unreachable(REFUSED_FETCH))
    await anew()
    await expectRefused(world, 'discovery-endpoint-plain-http', unreachable(REFUSED_FETCH))
    await anew()
    await expectRefused(world, 'discovery-keys-link-local', unreachable(REFUSED_FETCH))
  })

  it('without a token endpoint or without keys are a mistake of the set-up', async () => {
    await expectRefused(
      world,
      'discovery-without-token-endpoint',
      setUpWrongly('OAUTH_MISSING_SERVER_METADATA'),
    )
    await anew()
    await expectRefused(world, 'discovery-without-keys', setUpWrongly('no_jwks_uri'))
    await anew()
    await expectSignsIn(world)
  })

  const anew = async (): Promise<void> => {
    await world.close()
    world = await makeWorld()
  }
})

describe('keys', () => {
  it('that were rotated between two sign-ins are learned at once, and the old ones forgotten', async () => {
    await expectSignsIn(world)
    world.provider.rotate()
    await expectSignsIn(world)
    // Signed by the key that was right before.
    await refuses('key-of-before', notBelieved('OAUTH_KEY_SELECTION_FAILED'))
  })

  it.each<Module>([
    ['that are a web page', 'keys-html', 'no_key_set'],
    ['that are elsewhere', 'keys-redirect', 'no_key_set'],
    ['without end', 'keys-flood', REFUSED_FETCH],
    ['that never come', 'keys-never', 'keys_timeout'],
    ['that are no key set', 'keys-no-set', 'no_key_set'],
  ])('%s are an outage', (_, how, why) => refuses(how, unreachable(why)))
})

describe('the token endpoint', () => {
  it.each<Module>([
    ['that refuses the code', 'token-invalid-grant', 'invalid_grant'],
    ['that answers with an error in odd words', 'token-odd-error', 'unknown_error'],
    ['that calls an error a success', 'token-error-as-200', 'OAUTH_INVALID_RESPONSE'],
    ['that answers with a list', 'token-list', 'OAUTH_INVALID_RESPONSE'],
    ['that leaves out the ID token', 'token-without-id-token', 'OAUTH_INVALID_RESPONSE'],
    ['that leaves out the access token', 'token-without-access-token', 'OAUTH_INVALID_RESPONSE'],
    ['that gives a token of another type', 'token-of-another-type', 'OAUTH_UNSUPPORTED_OPERATION'],
  ])('%s makes no session', (_, how, why) => refuses(how, notBelieved(why)))

  it.each<Module>([['that does not know this client', 'token-invalid-client', 'invalid_client']])(
    '%s is a mistake of the set-up',
    (_, how, why) => refuses(how, setUpWrongly(why)),
  )

  it.each<Module>([
    ['that is in trouble', 'token-server-error', 'server_error'],
    ['that is in trouble and blames the code', 'token-invalid-grant-as-500', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['that is a web page', 'token-html', 'OAUTH_RESPONSE_IS_NOT_JSON'],
    ['behind a gateway in trouble', 'token-bad-gateway', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['whose answer is torn', 'token-torn', 'OAUTH_PARSE_ERROR'],
    ['whose connection breaks', 'token-cut', 'network'],
    ['whose ID token is no token', 'token-garbled', 'OAUTH_PARSE_ERROR'],
    ['that redirects', 'token-redirect-302', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    [
      'that redirects with the code, to another origin',
      'token-redirect-307',
      'OAUTH_RESPONSE_IS_NOT_CONFORM',
    ],
    ['whose answer has no end', 'token-flood', REFUSED_FETCH],
    ['that never answers', 'token-never', 'OAUTH_TIMEOUT'],
    ['that answers byte by byte', 'token-drip', 'OAUTH_TIMEOUT'],
  ])('%s is an outage', (_, how, why) => refuses(how, unreachable(why)))
})

describe('UserInfo', () => {
  it.each<Module>([
    ['about somebody else', 'userinfo-sub-mismatch', 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'],
    ['about nobody', 'userinfo-sub-missing', 'OAUTH_INVALID_RESPONSE'],
    ['that is signed by a foreign key', 'userinfo-signed-badly', 'OAUTH_INVALID_RESPONSE'],
    ['that should be signed and is not', 'userinfo-unsigned', 'OAUTH_INVALID_RESPONSE'],
    ['that is signed for another client', 'userinfo-signed-for-another', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
  ])('%s makes no session', (_, how, why) => refuses(how, notBelieved(why)))

  it.each<Module>([
    ['that is a web page', 'userinfo-html', 'OAUTH_RESPONSE_IS_NOT_JSON'],
    ['in trouble', 'userinfo-server-error', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['that redirects', 'userinfo-redirect', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    ['without end', 'userinfo-flood', REFUSED_FETCH],
    ['byte by byte', 'userinfo-drip', 'OAUTH_TIMEOUT'],
  ])('%s is an outage: groups that were not learned are not absent', (_, how, why) =>
    refuses(how, unreachable(why)),
  )

  it('that does not take the token that it gave is a mistake of the set-up', () =>
    refuses('userinfo-unauthorized', setUpWrongly('OAUTH_WWW_AUTHENTICATE_CHALLENGE')))

  it('that is signed by the provider is believed', async () => {
    await expectSignsIn(world, 'userinfo-signed')
    expect(world.provider.requests).toContain('GET /userinfo')
    expect((await world.stranger().visit(`${APP}/x`)).status).toBe(200)
  })
})

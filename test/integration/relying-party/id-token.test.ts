// ID tokens that a relying party must not believe (OIDC Core §3.1.3.7), each from a provider that makes exactly this
// mistake; the names follow the modules of OpenID conformance. The same provider, behaving, signs in.
import { afterEach, beforeEach, describe, it } from 'vitest'
import type { Misbehaviour } from '../../support/misbehaviours.ts'
import { expectRefused, expectSignsIn, makeWorld, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(() => world.close())

const NOT_BELIEVED = { status: 403, code: 'PST-1006' } as const
const CLOCK = 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED'

/** Its page names the clocks: a token that comes straight from the provider is old only where one of them is wrong. */
const OF_ANOTHER_TIME = { status: 403, code: 'PST-1020', why: CLOCK } as const

type Module = readonly [law: string, how: Misbehaviour, why: string]

const refuses = async (how: Misbehaviour, why: string): Promise<void> => {
  await expectRefused(world, how, why === CLOCK ? OF_ANOTHER_TIME : { ...NOT_BELIEVED, why })
  await expectSignsIn(world)
}

describe('an ID token', () => {
  it.each<Module>([
    ['without nonce', 'nonce-missing', 'OAUTH_INVALID_RESPONSE'],
    ['with another nonce', 'nonce-invalid', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['without issuer', 'issuer-missing', 'OAUTH_INVALID_RESPONSE'],
    ['of another issuer', 'issuer-invalid', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['without audience', 'audience-missing', 'OAUTH_INVALID_RESPONSE'],
    ['for another audience', 'audience-invalid', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['for several others', 'audience-of-others', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['without expiry', 'exp-missing', 'OAUTH_INVALID_RESPONSE'],
    ['that has expired', 'exp-past', CLOCK],
    ['whose expiry is a text', 'exp-as-text', 'OAUTH_INVALID_RESPONSE'],
    ['whose expiry is infinite', 'exp-infinite', 'time_not_finite'],
    ['that is not valid yet', 'nbf-in-the-future', CLOCK],
    ['without the time of issue', 'iat-missing', 'OAUTH_INVALID_RESPONSE'],
    ['whose time of issue is a text', 'iat-as-text', 'OAUTH_INVALID_RESPONSE'],
    ['without subject', 'sub-missing', 'OAUTH_INVALID_RESPONSE'],
    ['with an empty subject', 'sub-empty', 'no_usable_subject'],
    ['whose subject is a number', 'sub-a-number', 'OAUTH_INVALID_RESPONSE'],
    ['whose subject holds control bytes', 'sub-with-control-bytes', 'no_usable_subject'],
  ])('%s is refused', (_, how, why) => refuses(how, why))

  it('that expired within the tolerance of clocks is believed', async () => {
    await expectRefused(world, 'exp-past', OF_ANOTHER_TIME)
    await expectSignsIn(world, 'exp-past-within-tolerance')
  })

  it('for us alone is believed only where it names no other party that asked for it', async () => {
    await expectRefused(world, 'azp-foreign', { ...NOT_BELIEVED, why: 'another_authorized_party' })
    await expectSignsIn(world, 'azp-own')
  })

  it('for a second audience is believed only where it says that we asked for it', async () => {
    const why = 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'
    await expectSignsIn(world, 'audience-alone-in-a-list')
    await expectRefused(world, 'audience-secondary-without-azp', { ...NOT_BELIEVED, why })
    await expectRefused(world, 'audience-secondary-with-foreign-azp', { ...NOT_BELIEVED, why })
    await expectSignsIn(world, 'audience-secondary-with-azp')
  })
})

describe('the signature of an ID token', () => {
  it.each<Module>([
    ['none', 'signature-none', 'OAUTH_INVALID_RESPONSE'],
    ['none, although the provider announces it', 'signature-none-announced', 'OAUTH_UNSUPPORTED_OPERATION'],
    ['RS256, altered', 'signature-rs256-bad', 'OAUTH_INVALID_RESPONSE'],
    ['RS256 of a foreign key of the same name', 'signature-rs256-foreign', 'OAUTH_INVALID_RESPONSE'],
    ['HS256 of nobody', 'signature-hs256-bad', 'OAUTH_UNSUPPORTED_OPERATION'],
    ['HS256 by the public key', 'signature-hs256-by-public-key', 'OAUTH_UNSUPPORTED_OPERATION'],
    ['HS256 by the client secret', 'signature-hs256-by-client-secret', 'OAUTH_UNSUPPORTED_OPERATION'],
    ['with a critical header that nobody knows', 'crit-unknown', 'OAUTH_UNSUPPORTED_OPERATION'],
    ['by a key name that is not published', 'kid-unknown', 'OAUTH_KEY_SELECTION_FAILED'],
    ['by a key that is not published', 'key-not-published', 'OAUTH_KEY_SELECTION_FAILED'],
    ['by a key that the token itself brings', 'key-in-the-header', 'OAUTH_KEY_SELECTION_FAILED'],
    ['by a key that is for encryption', 'key-for-encryption', 'OAUTH_KEY_SELECTION_FAILED'],
  ])('%s is refused', (_, how, why) => refuses(how, why))

  it('ES256 is believed where the provider announces it and its own key made it', async () => {
    await expectSignsIn(world, 'signature-es256-good')
    await expectRefused(world, 'signature-es256-bad', { ...NOT_BELIEVED, why: 'OAUTH_INVALID_RESPONSE' })
    await expectRefused(world, 'signature-es256-foreign', { ...NOT_BELIEVED, why: 'OAUTH_INVALID_RESPONSE' })
  })

  it('by a published key of an algorithm that is not announced is refused', () =>
    refuses('alternate-alg', 'OAUTH_INVALID_RESPONSE'))

  it('without key name is believed by the only key that fits, and refused where several do', async () => {
    await expectSignsIn(world, 'kid-absent-one-key-of-the-kind')
    await anew()
    await expectSignsIn(world, 'kid-absent-one-key')
    await anew()
    await expectRefused(world, 'kid-absent-several-keys', {
      ...NOT_BELIEVED,
      why: 'OAUTH_KEY_SELECTION_FAILED',
    })
    await expectSignsIn(world, 'kid-of-several-keys')
  })

  const anew = async (): Promise<void> => {
    await world.close()
    world = await makeWorld()
  }
})

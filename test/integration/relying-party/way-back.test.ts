// The way back from the provider: `state`, `iss` (RFC 9207), errors and codes, each wrong in exactly one way. The same
// provider, behaving, signs in.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Misbehaviour } from '../../support/misbehaviours.ts'
import { onwardOf, type Browser } from '../../unit/signin/browser.ts'
import {
  APP,
  expectNoSecret,
  expectPage,
  expectRefused,
  expectSignsIn,
  makeWorld,
  PUBLIC,
  SESSION_COOKIE,
  type World,
} from './world.ts'

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(() => world.close())

type Module = readonly [law: string, how: Misbehaviour, code: string, why: string]

describe('an answer', () => {
  it.each<Module>([
    ['without state', 'state-missing', 'PST-1002', 'PST-1002'],
    ['with a state that is not ours', 'state-invalid', 'PST-1002', 'PST-1002'],
    ['without code', 'code-missing', 'PST-1006', 'OAUTH_INVALID_RESPONSE'],
    ['with an invented code', 'code-invalid', 'PST-1006', 'invalid_grant'],
    ['of another issuer', 'iss-parameter-invalid', 'PST-1006', 'OAUTH_INVALID_RESPONSE'],
    ['of almost the same issuer', 'iss-parameter-with-slash', 'PST-1006', 'OAUTH_INVALID_RESPONSE'],
    ['without the issuer that was announced', 'iss-parameter-removed', 'PST-1006', 'OAUTH_INVALID_RESPONSE'],
    ['that is an error', 'error-answer', 'PST-1005', 'access_denied'],
    [
      'that is an error of another issuer',
      'error-answer-of-another-issuer',
      'PST-1006',
      'OAUTH_INVALID_RESPONSE',
    ],
    ['that is an error in odd words', 'error-answer-in-odd-words', 'PST-1005', 'unknown_error'],
  ])('%s is refused', async (_, how, code, why) => {
    await expectRefused(world, how, { status: 403, code, why })
    await expectSignsIn(world)
  })

  it('without issuer is believed of a provider that announces none, and one of another issuer is not', async () => {
    await expectSignsIn(world, 'iss-parameter-not-announced')
    await world.close()
    world = await makeWorld()
    await expectRefused(world, 'iss-parameter-not-announced-and-invalid', {
      status: 403,
      code: 'PST-1006',
      why: 'OAUTH_INVALID_RESPONSE',
    })
  })
})

describe('a code', () => {
  /** Signs in and returns the address of the way back. */
  const wayBackOf = async (browser: Browser): Promise<string> => {
    expect((await browser.visit(`${APP}/x`)).body).toBe('application /x')
    return browser.history.find((url) => url.startsWith(`${PUBLIC}/callback/`)) ?? ''
  }
  const redemptions = (): number => world.provider.requests.filter((one) => one === 'POST /token').length
  /** As after signing out: the browser is the same one, but nobody. */
  const forgetSession = (browser: Browser): void =>
    browser.setCookie(PUBLIC, `${SESSION_COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)

  it.each<readonly [string, Misbehaviour]>([
    ['takes each code once', 'none'],
    ['takes a code again', 'codes-taken-again'],
  ])('is redeemed once, at a provider that %s', async (_, how) => {
    world.provider.misbehave(how)
    const browser = world.stranger()
    const url = await wayBackOf(browser)
    const session = browser.cookie(SESSION_COOKIE)
    // Whoever is signed in goes on as before.
    const again = await browser.get(url)
    expect([again.status, onwardOf(again), again.headers.getSetCookie()]).toEqual([200, `${APP}/x`, []])
    expect(browser.cookie(SESSION_COOKIE)).toBe(session)
    forgetSession(browser)
    const page = await browser.get(url)
    expectPage(page, { status: 403, code: 'PST-1004' })
    expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
    expect(redemptions()).toBe(1)
    expect((await world.logins(2)).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['success', undefined],
      ['failed', 'PST-1004'],
    ])
    await expectNoSecret(world, [again, page])
    await expectSignsIn(world)
  })

  it.each<readonly [string, Misbehaviour]>([
    ['takes each code once', 'none'],
    ['takes a code again', 'codes-taken-again'],
  ])('of one sign-in does not finish another, at a provider that %s', async (_, how) => {
    world.provider.misbehave(how)
    const code = new URL(await wayBackOf(world.stranger())).searchParams.get('code') ?? ''
    const other = world.stranger()
    const stopped = await other.visit(`${APP}/x`, (url) => url.startsWith(`${PUBLIC}/callback/`))
    const url = new URL(stopped.headers.get('location') ?? '')
    const right = url.href
    url.searchParams.set('code', code)
    const page = await other.get(url.href)
    expectPage(page, { status: 403, code: 'PST-1006' })
    expect(other.cookie(SESSION_COOKIE)).toBeUndefined()
    expect((await world.logins(2)).map(({ outcome, why }) => [outcome, why])).toEqual([
      ['success', undefined],
      ['failed', 'invalid_grant'],
    ])
    await expectNoSecret(world, [page])
    // Nothing was used up by it.
    expect((await other.visit(right)).body).toBe('application /x')
  })
})

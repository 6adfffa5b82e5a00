// People with a real browser in front of a real nginx: signing in, deep links with their fragments, many tabs, the end
// of a session, and what is no page load. Each scene leaves a screenshot to look at.
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fitsTheWidth, keepScreenshot, makeVisitor, type Visitor } from '../support/chromium.ts'
import { until } from '../support/running-service.ts'
import { APP, fillIn, load, LOGIN, startTown, townIsMissing, type Town } from './town.ts'

const BIND = '__Host-postern-bind-'
const isMissing = townIsMissing('the sign-in suite in a browser')

const HTTPS: BrowserContextOptions = { ignoreHTTPSErrors: true }

const cookiesOf = async ({ context }: Visitor): Promise<readonly string[]> =>
  (await context.cookies(LOGIN)).map(({ name }) => name).toSorted()

const textOf = (page: Page): Promise<string> => page.locator('body').innerText()

describe.skipIf(isMissing)('with one provider', () => {
  let town: Town
  const visitors: Visitor[] = []

  beforeAll(async () => {
    town = await startTown()
  })
  afterAll(() => town.close())
  afterEach(async () => {
    town.clock.aheadMs = 0
    for (const { context } of visitors.splice(0)) await context.close()
  })

  const visitor = async (options: BrowserContextOptions = {}): Promise<Visitor> => {
    const one = await makeVisitor(town.browser, { ...HTTPS, ...options })
    visitors.push(one)
    return one
  }

  const signedIn = async (url: string, who = 'ada'): Promise<Visitor> => {
    const one = await visitor()
    await one.page.goto(url)
    await fillIn(one.page, who)
    await one.page.waitForURL(url)
    return one
  }

  it('a deep link survives with its query and its fragment, over the form of the provider', async () => {
    const url = `${APP}/d/abc?from=now-6h&x=%2F#panel-2?y=1`
    const ada = await signedIn(url)
    expect(await ada.page.locator('#hash').textContent()).toBe('#panel-2?y=1')
    expect(await ada.page.locator('#user').textContent()).toBe('ada')
    await keepScreenshot(ada.page, 'sign-in-deep-link')
    expect(await ada.page.evaluate('history.length')).toBeLessThanOrEqual(4)
    expect(ada.complaints).toEqual([])
  })

  it('survives where the provider asks nothing, and no server has ever seen the fragment', async () => {
    const { context, page } = await signedIn(`${APP}/`)
    const asked: string[] = []
    context.on('request', (request) => asked.push(request.url().split('#', 1)[0] ?? ''))
    await context.clearCookies({ domain: /example\.com$/ })
    const url = `${APP}/d/abc?q=1#tell-nobody`
    await page.goto(url)
    await page.waitForURL(url)
    expect(asked.filter((one) => one.includes('/callback/'))).toHaveLength(1)
    expect(asked.join('\n')).not.toContain('tell-nobody')
    expect(await page.evaluate('Object.keys(sessionStorage).length')).toBe(0)
    await page.goto(`${LOGIN}/me`)
    expect(await page.evaluate('Object.keys(sessionStorage).length')).toBe(0)
  })

  it('works without script; only the fragment is lost', async () => {
    const { page } = await visitor({ javaScriptEnabled: false })
    await page.goto(`${APP}/d/abc?q=1`)
    await fillIn(page, 'ada')
    await page.waitForURL(`${APP}/d/abc?q=1`)
    expect(await page.locator('#user').textContent()).toBe('ada')
  })

  it('ten tabs that are opened in the same instant end each at its own page', async () => {
    const ada = await visitor()
    const urls = Array.from({ length: 10 }, (_, index) => `${APP}/tab/${index}?n=${index}#part-${index}`)
    const tabs = await Promise.all(urls.map(() => ada.context.newPage()))
    await Promise.all(tabs.map((tab, index) => tab.goto(urls[index] ?? '')))
    await Promise.all(tabs.map((tab) => tab.getByLabel('Name').waitFor()))
    const before = (await cookiesOf(ada)).filter((name) => name.startsWith(BIND))
    expect(before.length).toBeGreaterThan(1)
    await Promise.all(tabs.map((tab) => fillIn(tab, 'ada')))
    await Promise.all(tabs.map((tab, index) => tab.waitForURL(urls[index] ?? '')))
    for (const tab of tabs) expect(await tab.locator('#user').textContent()).toBe('ada')
    await keepScreenshot(tabs[9] ?? ada.page, 'sign-in-ten-tabs')
    const next = await ada.context.newPage()
    await next.goto(`${APP}/tab/next`)
    expect(await next.locator('#user').textContent()).toBe('ada')
    expect((await cookiesOf(ada)).filter((name) => name.startsWith(BIND)).length).toBeLessThanOrEqual(
      before.length,
    )
    expect(ada.complaints).toEqual([])
  })

  it('images, frames and scripts of a page start no sign-in and are sent to no provider', async () => {
    const stranger = await visitor()
    const { context, page } = stranger
    const answers: [string, number, string][] = []
    context.on('response', (answer) => {
      const type = answer.headers()['content-type'] ?? ''
      answers.push([answer.url().replace(/\?.*/, ''), answer.status(), type])
    })
    await page.goto(`${APP}/public/embeds`)
    const got = await load(page)
    const framed = await until(
      () => answers.find(([url]) => url === `${LOGIN}/sign-in`),
      (found) => found !== undefined,
    )
    expect(framed?.slice(1)).toEqual([401, 'application/problem+json'])
    expect(answers.filter(([url]) => url === `${APP}/picture.png`).map(([, status]) => status)).toEqual([401])
    expect(got).toMatchObject({ status: 401, redirected: false, url: `${APP}/data` })
    expect(got['type']).toContain('application/problem+json')
    expect(answers.some(([url]) => url.startsWith(town.providers[0]?.issuer ?? ''))).toBe(false)
    expect(await context.cookies()).toEqual([])
    await keepScreenshot(page, 'sign-in-embeds')
  })

  it('when the session ends, a script gets a clean 401, a page load signs in again, and the page is kept', async () => {
    const ada = await signedIn(`${APP}/work#row-7`)
    const { page, context } = ada
    expect(await load(page)).toMatchObject({ status: 200, body: '{"rows":3}' })
    town.clock.aheadMs = 13 * 3_600_000
    const refused = await load(page)
    expect(refused).toMatchObject({ status: 401, redirected: false, url: `${APP}/data` })
    expect(JSON.parse(String(refused['body']))).toMatchObject({ status: 401, title: expect.any(String) })
    expect(page.url()).toBe(`${APP}/work#row-7`)
    await keepScreenshot(page, 'expiry-script')
    await page.goto(`${APP}/again?q=1#row-8`)
    await page.waitForURL(`${APP}/again?q=1#row-8`)
    expect(await load(page)).toMatchObject({ status: 200 })
    // Where the provider has forgotten as well, a person is asked.
    await context.clearCookies()
    await page.goto(`${APP}/again?q=2#row-9`)
    await page.getByLabel('Password').waitFor()
    await keepScreenshot(page, 'expiry-provider')
    await fillIn(page, 'ada')
    await page.waitForURL(`${APP}/again?q=2#row-9`)
  })

  it('signing out says what ended and what did not, and nobody is signed in by it', async () => {
    const ada = await signedIn(`${APP}/`)
    const { page, context } = ada
    await page.goto(`${LOGIN}/sign-out`)
    await keepScreenshot(page, 'sign-out-ask')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(/\/signed-out/)
    const text = await textOf(page)
    for (const part of ['Your session here has ended', 'Your session at Example corp has ended as well'])
      expect(text).toContain(part)
    await keepScreenshot(page, 'signed-out')
    expect(await cookiesOf(ada)).not.toContain('__Secure-postern')
    await page.reload()
    expect(page.url()).toMatch(/\/signed-out/)
    expect((await context.cookies(APP)).map(({ name }) => name)).toEqual([])
    await page.goto(`${APP}/`)
    await page.getByLabel('Password').waitFor()
  })

  it('a refusal says who, what and where to turn; another account keeps the fragment', async () => {
    const cy = await visitor()
    const { page } = cy
    await page.goto(`${APP}/d/1#part`)
    await fillIn(page, 'cy')
    await page.getByRole('heading', { name: 'You have no access to app.example.com' }).waitFor()
    expect(page.url()).toBe(`${APP}/d/1#part`)
    expect(await textOf(page)).toContain('one of the groups sre, eng')
    await keepScreenshot(page, 'sign-in-denied')
    await page.getByRole('link', { name: 'Use another account' }).click()
    await fillIn(page, 'ben')
    await page.waitForURL(`${APP}/d/1#part`)
    expect(await page.locator('#user').textContent()).toBe('ben')
  })

  it('a group that the provider takes away ends access without a new sign-in, and comes back with it', async () => {
    const ada = await signedIn(`${APP}/d/1`)
    const { page } = ada
    const [provider] = town.providers
    provider!.misbehave.groups = { ada: ['guests'] }
    town.clock.aheadMs = 11 * 60_000
    await page.goto(`${APP}/d/2`)
    await page.getByRole('heading', { name: 'You have no access to app.example.com' }).waitFor()
    expect(page.url()).toBe(`${APP}/d/2`)
    await keepScreenshot(page, 'refresh-group-taken-away')
    provider!.misbehave.groups = {}
    town.clock.aheadMs = 22 * 60_000
    await page.goto(`${APP}/d/3#part`)
    await page.waitForURL(`${APP}/d/3#part`)
    expect(await page.locator('#user').textContent()).toBe('ada')
  })

  it('a provider that is down is said with a code, a time to try again, and the session goes on', async () => {
    const ada = await signedIn(`${APP}/`)
    const stranger = await visitor({ colorScheme: 'dark' })
    const [provider] = town.providers
    provider!.misbehave.tokenError = true
    await stranger.page.goto(`${APP}/x#here`)
    await fillIn(stranger.page, 'ben')
    await stranger.page.getByText('PST-1007').waitFor()
    expect(await textOf(stranger.page)).toContain('your session stays valid')
    await keepScreenshot(stranger.page, 'provider-down-dark')
    await ada.page.goto(`${APP}/still`)
    expect(await ada.page.locator('#user').textContent()).toBe('ada')
    provider!.misbehave.tokenError = false
    await stranger.page.getByRole('link', { name: 'Try again' }).click()
    await stranger.page.waitForURL(`${APP}/x#here`)
    expect(await stranger.page.locator('#user').textContent()).toBe('ben')
  })

  it('a sign-in that took too long says so, and starts again from there', async () => {
    const { page } = await visitor()
    await page.goto(`${APP}/slow?q=%C3%A4&b=1#part`)
    await page.getByLabel('Name').waitFor()
    town.clock.aheadMs = 11 * 60_000
    await fillIn(page, 'ada')
    await page.getByText('PST-1001').waitFor()
    await keepScreenshot(page, 'state-expired')
    await page.getByRole('link', { name: 'Try again' }).click()
    await page.waitForURL(`${APP}/slow?q=%C3%A4&b=1#part`)
  })

  it('a sign-in of another browser is refused in this one', async () => {
    const [one, other] = [await visitor(), await visitor()]
    let callback = ''
    one.page.on('request', (request) => {
      if (request.url().includes('/callback/')) callback = request.url()
    })
    await one.page.goto(`${APP}/theirs`)
    await fillIn(one.page, 'ada')
    await until(
      () => callback,
      (url) => url !== '',
    )
    await other.page.goto(callback)
    expect(await textOf(other.page)).toContain('PST-1003')
    expect(await textOf(other.page)).toContain('none')
    await keepScreenshot(other.page, 'state-foreign')
    expect(await cookiesOf(other)).toEqual([])
  })
})

describe.skipIf(isMissing)('with two providers', () => {
  let town: Town

  beforeAll(async () => {
    town = await startTown({ providers: ['corp', 'partner'] })
  })
  afterAll(() => town.close())

  const focused = async (page: Page): Promise<string> =>
    (await page.locator(':focus').innerText()).replaceAll(/\s+/g, ' ').trim()

  it('a person chooses by keyboard, the fragment is kept, and the choice stands first the next time', async () => {
    const ada = await makeVisitor(town.browser, HTTPS)
    const { page, context } = ada
    const url = `${APP}/d/abc?q=1#panel-2`
    await page.goto(url)
    expect(await page.title()).toBe('Sign in to app.example.com · Postern')
    expect(await textOf(page)).toContain('shop (app.example.com) asks you to sign in')
    await keepScreenshot(page, 'chooser')
    const order = []
    for (let presses = 0; presses < 2; presses += 1) {
      await page.keyboard.press('Tab')
      order.push(await focused(page))
    }
    expect(order).toEqual(['Sign in with Example corp', 'Sign in with Example partner'])
    await page.keyboard.press('Enter')
    await fillIn(page, 'ada')
    await page.waitForURL(url)
    expect(await page.locator('#hash').textContent()).toBe('#panel-2')
    expect(await cookiesOf(ada)).toContain('__Host-postern-provider')
    await context.clearCookies({ name: '__Secure-postern' })
    await page.goto(`${APP}/other#panel-3`)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Sign in with Example partner (used last time)')
    await keepScreenshot(page, 'chooser-last-used')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${APP}/other#panel-3`)
    expect(ada.complaints).toEqual([])
    await context.close()
  })

  it.each(['light', 'dark'] as const)(
    'fits a %s window of 320 pixels, without script',
    async (colorScheme) => {
      const one = await makeVisitor(town.browser, {
        ...HTTPS,
        viewport: { width: 320, height: 640 },
        colorScheme,
        javaScriptEnabled: false,
      })
      await one.page.goto(`${LOGIN}/sign-in?rd=${encodeURIComponent(`${APP}/`)}&prompt=choose`)
      await keepScreenshot(one.page, `chooser-${colorScheme}-320`)
      expect(await fitsTheWidth(one.page)).toBe(true)
      await one.page.getByRole('link', { name: 'Sign in with Example corp' }).click()
      await fillIn(one.page, 'ada')
      await one.page.waitForURL(`${APP}/`)
      await one.context.close()
    },
  )
})

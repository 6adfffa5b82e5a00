// A person with a browser: sign-in and back, being refused, signing out, several tabs, no mouse, a narrow window.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningDemo } from '../../src/demo/demo.ts'
import {
  chromiumIsMissing,
  fitsTheWidth,
  keepScreenshot,
  makeVisitor,
  startChromium,
  type Visitor,
} from '../support/chromium.ts'
import { startTestDemo } from '../support/demo.ts'
import { NGINX } from '../support/nginx.ts'

/** What Chromium says of any page load that is refused, the wanted ones too. */
const REFUSED_LOAD = /^Failed to load resource: the server responded with a status of 40[13]/

describe.skipIf(chromiumIsMissing('the browser suite'))('in a browser', () => {
  let demo: RunningDemo
  let browser: Browser
  const visitors: Visitor[] = []

  beforeAll(async () => {
    demo = await startTestDemo(NGINX === undefined ? 'builtin' : 'nginx')
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser.close()
    await demo.stop()
  })

  const visitor = async (options = {}): Promise<Visitor> => {
    const one = await makeVisitor(browser, options)
    visitors.push(one)
    return one
  }

  const fillIn = async (page: Page, username: string): Promise<void> => {
    const person = demo.values.people.find((one) => one.username === username)
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill(person?.password ?? '')
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  const signedIn = async (username: string, url: string, options = {}): Promise<Visitor> => {
    const one = await visitor(options)
    await one.page.goto(url)
    await fillIn(one.page, username)
    await one.page.waitForURL(url)
    return one
  }

  const strange = ({ complaints }: Visitor): readonly string[] =>
    complaints.filter((text) => !REFUSED_LOAD.test(text))

  it('a deep link survives signing in', async () => {
    const url = `${demo.values.wikiUrl}/runbooks/database?tab=history&x=%2F`
    const ada = await signedIn('ada', url)
    expect(await ada.page.title()).toBe('Runbook: the database is down · Team Wiki (DEMO)')
    expect(await ada.page.locator('header').textContent()).toContain('ada <ada@example.com> in sre')
    expect(await ada.page.locator('footer').textContent()).toContain('signed by Postern for ada')
    expect(ada.complaints).toEqual([])
  })

  it('one sign-in opens every application', async () => {
    const { page, complaints } = await signedIn('ada', `${demo.values.wikiUrl}/`)
    await page.goto(`${demo.values.grafanaUrl}/`)
    await page.getByText('Everything is up to date.').waitFor()
    await page.getByRole('button', { name: 'Save a new dashboard' }).click()
    await page.getByText('Saved.').waitFor()
    expect(await page.locator('#dashboards li').count()).toBe(3)
    expect(complaints).toEqual([])
  })

  it('a group that may look may not write, and the page stays', async () => {
    const ben = await signedIn('ben', `${demo.values.grafanaUrl}/`)
    await ben.page.getByText('Everything is up to date.').waitFor()
    await ben.page.getByRole('button', { name: 'Save a new dashboard' }).click()
    await ben.page.getByText('You may not do this (403 for POST /api/dashboards/db).').waitFor()
    expect(strange(ben)).toEqual([])
  })

  it('a refusal says who, what is missing, and the ways on; another account gets in', async () => {
    const cy = await visitor()
    await cy.page.goto(`${demo.values.grafanaUrl}/d/errors`)
    const refusal = cy.page.waitForResponse(
      (answer) => answer.url().endsWith('/d/errors') && answer.status() === 403,
    )
    await fillIn(cy.page, 'cy')
    expect((await refusal).status()).toBe(403)
    await cy.page.getByRole('heading', { name: /You have no access/ }).waitFor()
    expect(await cy.page.title()).toContain('You have no access')
    const text = await cy.page.locator('body').innerText()
    expect(text).toContain('Cy Lindqvist')
    expect(text).toContain('contractors')
    expect(text).toContain('team-observability')
    await keepScreenshot(cy.page, 'denied')
    await cy.page.getByRole('link', { name: 'Use another account' }).click()
    await fillIn(cy.page, 'ada')
    await cy.page.waitForURL(`${demo.values.grafanaUrl}/d/errors`)
    expect(await cy.page.locator('header').textContent()).toContain('ada')
    expect(strange(cy)).toEqual([])
  })

  it('more than a password is asked for where a rule wants it, and once', async () => {
    const ada = await signedIn('ada', `${demo.values.grafanaUrl}/`)
    await ada.page.goto(`${demo.values.grafanaUrl}/admin`)
    expect(await ada.page.getByLabel('Pretend that I also used a security key').isChecked()).toBe(true)
    await fillIn(ada.page, 'ada')
    await ada.page.getByRole('heading', { name: 'Administration' }).waitFor()
    await ada.page.goto(`${demo.values.grafanaUrl}/admin`)
    expect(await ada.page.title()).toContain('Administration')
    expect(strange(ada)).toEqual([])
  })

  it('a step-up that was not taken is a refusal, not a circle', async () => {
    const ada = await signedIn('ada', `${demo.values.grafanaUrl}/`)
    await ada.page.goto(`${demo.values.grafanaUrl}/admin`)
    await ada.page.getByLabel('Pretend that I also used a security key').uncheck()
    await fillIn(ada.page, 'ada')
    await ada.page.getByRole('heading', { name: /You have no access/ }).waitFor()
    await keepScreenshot(ada.page, 'denied-step-up')
    expect(strange(ada)).toEqual([])
  })

  it('the page about oneself has name, groups and the end of the session', async () => {
    const ada = await signedIn('ada', `${demo.values.wikiUrl}/`)
    await ada.page.goto(`${demo.values.authUrl}/me`)
    const text = await ada.page.locator('body').innerText()
    for (const word of ['Ada Lovelace', 'sre', 'Session ends']) expect(text).toContain(word)
    await ada.page.goto(`${demo.values.authUrl}/me.json`)
    expect(JSON.parse(await ada.page.locator('body').innerText())).toMatchObject({ groups: ['sre'] })
    expect(ada.complaints).toEqual([])
  })

  it('signing out ends it, stays there, and nobody is signed in by himself', async () => {
    const ada = await signedIn('ada', `${demo.values.grafanaUrl}/`)
    const { page } = ada
    await page.getByText('Everything is up to date.').waitFor()
    const out = await ada.context.newPage()
    await out.goto(`${demo.values.authUrl}/sign-out`)
    await out.getByRole('button', { name: 'Sign out' }).click()
    await out.getByRole('button', { name: 'Sign out', exact: true }).click()
    await out.waitForURL(/\/signed-out/)
    expect(await out.locator('h1').textContent()).toBe('You are signed out')
    await page.getByRole('button', { name: 'Save a new dashboard' }).click()
    await page.getByText('Your session has ended').waitFor()
    await page.goto(`${demo.values.wikiUrl}/`)
    await page.getByLabel('Password').waitFor()
    expect(strange(ada)).toEqual([])
  })

  it('tabs that are opened while one is signing in come each to its own page', async () => {
    const ada = await visitor()
    const open = async (path: string) => {
      const url = `${demo.values.wikiUrl}${path}`
      const tab = await ada.context.newPage()
      await tab.goto(url)
      return { tab, url }
    }
    const tabs = await Promise.all(['/', '/page/onboarding', '/runbooks/database'].map(open))
    for (const { tab, url } of tabs) {
      await fillIn(tab, 'ada')
      await tab.waitForURL(url)
    }
    expect(ada.complaints).toEqual([])
  })

  it('needs no mouse', async () => {
    const { page, complaints } = await visitor()
    await page.goto(`${demo.values.wikiUrl}/page/onboarding`)
    await page.keyboard.type('ada')
    await page.keyboard.press('Tab')
    await page.keyboard.type(demo.values.people.find(({ username }) => username === 'ada')?.password ?? '')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${demo.values.wikiUrl}/page/onboarding`)
    await page.goto(`${demo.values.authUrl}/me`)
    await tabTo(page, 'Sign out')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor()
    await tabTo(page, 'Sign out')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Sign out here too?' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    expect(complaints).toEqual([])
  })

  const tabTo = async (page: Page, name: string): Promise<void> => {
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab')
      const focused = page.locator(':focus')
      if ((await focused.count()) > 0 && (await focused.innerText()).trim() === name) {
        const outline = await focused.evaluate('(element) => getComputedStyle(element).outlineStyle')
        expect([name, outline]).not.toEqual([name, 'none'])
        return
      }
    }
    throw new Error(`no way to ${name} by the Tab key`)
  }

  describe.each(['light', 'dark'] as const)('in a %s window of 320 pixels', (colorScheme) => {
    it('no page has to be scrolled sideways, and script changes nothing', async () => {
      const narrow = { viewport: { width: 320, height: 640 }, colorScheme, javaScriptEnabled: false }
      const cy = await visitor(narrow)
      const { page } = cy
      const look = async (name: string): Promise<void> => {
        await keepScreenshot(page, `${name}-${colorScheme}-320`)
        expect([name, await fitsTheWidth(page)]).toEqual([name, true])
      }
      await page.goto(`${demo.values.authUrl}/me`)
      await look('not-signed-in')
      await page.goto(`${demo.values.wikiUrl}/`)
      await look('login')
      await fillIn(page, 'cy')
      await page.waitForURL(`${demo.values.wikiUrl}/`)
      await look('wiki')
      await page.goto(`${demo.values.grafanaUrl}/`)
      await look('denied')
      await page.goto(`${demo.values.authUrl}/me`)
      await look('me')
      await page.goto(`${demo.values.authUrl}/sign-out`)
      await look('sign-out')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await look('sign-out-provider')
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.waitForURL(/\/signed-out/)
      await look('signed-out')
      expect(strange(cy)).toEqual([])
    })
  })

  it('fits a narrow window with script as well', async () => {
    const ada = await signedIn('ada', `${demo.values.grafanaUrl}/`, { viewport: { width: 320, height: 640 } })
    await ada.page.getByText('Everything is up to date.').waitFor()
    await keepScreenshot(ada.page, 'grafana-320')
    expect(await fitsTheWidth(ada.page)).toBe(true)
  })
})

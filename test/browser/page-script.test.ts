// The script that docs/sign-in.md gives to the pages of applications, as it stands there, in a real browser.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from '../docs/markdown.ts'
import { makeVisitor } from '../support/chromium.ts'
import { APP, fillIn, load, LOGIN, startTown, townIsMissing, type Town } from './town.ts'

const isMissing = townIsMissing('the script of docs/sign-in.md in a browser')

const BLOCKS = blocksOf('docs/sign-in.md').filter(({ language }) => language === 'js')

/** At the address of this town, with what the page of an application has to bring. */
const SCRIPT = `let shown = 0
const showSignIn = () => { shown += 1 }
${BLOCKS.map(({ text }) => text).join('')}`.replaceAll('https://auth.example.com', LOGIN)

/** Three loads at once: their statuses, and how often a person was asked to sign in. */
const THREE =
  'Promise.all([1, 2, 3].map(async () => (await load("/data")).status)).then((all) => [...all, shown])'

describe.skipIf(isMissing)('the script for pages that stay open', () => {
  let town: Town

  beforeAll(async () => {
    town = await startTown({ refreshTokens: true })
  })
  afterAll(() => town.close())

  it('renews by itself, and asks a person only where nothing else helps', async () => {
    expect(BLOCKS).toHaveLength(1)
    const { page, context } = await makeVisitor(town.browser, { ignoreHTTPSErrors: true })
    await page.goto(`${APP}/work`)
    await fillIn(page, 'ada')
    await page.waitForURL(`${APP}/work`)
    const renewals: string[] = []
    context.on('request', (request) => {
      if (new URL(request.url()).pathname === '/renew') renewals.push(request.method())
    })
    const [provider] = town.providers
    provider!.misbehave.groups = { ada: ['guests'] }
    town.clock.aheadMs = 11 * 60_000
    expect(await load(page)).toMatchObject({ status: 403 })
    // Given back at the provider: nobody would ask about it for another ten minutes.
    provider!.misbehave.groups = {}
    town.clock.aheadMs = 12 * 60_000
    expect(await load(page)).toMatchObject({ status: 403 })
    await page.addScriptTag({ content: SCRIPT })
    expect(await page.evaluate(THREE)).toEqual([200, 200, 200, 0])
    // Those that fail at once share one.
    expect(renewals.length).toBeGreaterThan(0)
    expect(new Set(renewals)).toEqual(new Set(['POST']))
    // After the end of the session nothing but a sign-in helps.
    town.clock.aheadMs = 14 * 3_600_000
    expect(await page.evaluate(THREE)).toEqual([401, 401, 401, 3])
    expect(page.url()).toBe(`${APP}/work`)
  })
})

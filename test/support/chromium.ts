// A real browser for tests, with an empty profile of its own. Where the machine has none, suites say so and are skipped.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core'
import { findProgram } from '../../scripts/debian-packages.ts'

const CHROMIUM = findProgram('chromium')
const SCREENSHOTS = '.cache/screenshots'

/** For `describe.skipIf`; prints the reason once for each suite that asks. */
export const chromiumIsMissing = (suite: string): boolean => {
  if (CHROMIUM === undefined)
    console.warn(`SKIPPED ALOUD: ${suite} needs Chromium (Debian: apt-get install chromium)`)
  return CHROMIUM === undefined
}

/** Starts the browser; nothing of it goes to any network but loopback. */
export const startChromium = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM ?? '',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })

export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors on the console or in a page's script, in any tab; what a person would call broken. */
  readonly complaints: readonly string[]
}

/** One person: cookies of their own, and everything that the console complains about. */
export const makeVisitor = async (
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visitor> => {
  const context = await browser.newContext(options)
  // Less than a test may take, so that a failure says what was waited for.
  // An upper bound for a loaded machine; every wait is for a state.
  context.setDefaultTimeout(60_000)
  const complaints: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(error.error().message))
  return { context, page: await context.newPage(), complaints }
}

/** Keeps what a page looks like, for people to look at. */
export const keepScreenshot = async (page: Page, name: string): Promise<void> => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true })
}

/** True where nothing is wider than the window, so that nobody has to scroll sideways. */
export const fitsTheWidth = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')

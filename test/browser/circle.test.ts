// What operators get wrong in front of a sign-in, in a real nginx and a real browser: the page that stops it names it.
import type { Page } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import { fitsTheWidth, keepScreenshot, makeVisitor, type Visitor } from '../support/chromium.ts'
import { until } from '../support/running-service.ts'
import { APP, fillIn, load, LOGIN, startTown, townIsMissing, type Town, type TownPlan } from './town.ts'

const isMissing = townIsMissing('the suite about circles in a browser')

let town: Town | undefined
afterEach(async () => {
  await town?.close()
  town = undefined
})

const open = async (plan: TownPlan, options = {}): Promise<Visitor & { readonly town: Town }> => {
  town = await startTown(plan)
  return { ...(await makeVisitor(town.browser, { ignoreHTTPSErrors: true, ...options })), town }
}

const look = async (page: Page, name: string): Promise<string> => {
  await keepScreenshot(page, name)
  return (await page.locator('body').innerText()).replaceAll(/\s+/g, ' ')
}

/** In the location that asks for the decision. */
const inQuestion = (line: string) => (config: string) =>
  config.replaceAll('/authz/nginx;', `/authz/nginx;\n      ${line}`)

/** On the site of sign-in. */
const atSignIn = (line: string) => (config: string) =>
  config.replaceAll(
    'proxy_pass http://postern_public;\n      proxy_http_version',
    `proxy_pass http://postern_public;\n      ${line}\n      proxy_http_version`,
  )

/** A site that answers by http alone, and a sign-in address that the operator wrote by hand, as `auth-signin` is. */
const plainSite = (config: string): string => {
  const [http = '', address = ''] = /listen (127\.0\.0\.1:\d+);\n\s+return 301/.exec(config) ?? []
  const start = config.indexOf('    server_name plain.example.com;')
  const site = config.slice(start, config.lastIndexOf('}'))
  return config.replace(http, http.replace(address, `${address} default_server`)).replace(
    site,
    () => `    server_name plain.example.com;
    return 302 http://$host$request_uri;
  }
  server {
    listen ${address};
${site.replace('return 302 $postern_location;', `return 302 ${LOGIN}/sign-in?rd=$scheme://$host$request_uri;`)}`,
  )
}

describe.skipIf(isMissing)('a circle is stopped, and the page says what was seen', () => {
  it('the proxy asks without the cookie', async () => {
    const {
      page,
      complaints,
      town: here,
    } = await open({
      nginx: inQuestion('proxy_set_header Cookie "";'),
    })
    await page.goto(`${APP}/d/1#x`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1011').waitFor()
    const text = await look(page, 'loop-not-sent')
    for (const part of [
      'You are going around in a circle',
      'The session counts at sign-in, but the application’s proxy asks without its cookie.',
      'carry the browser’s Cookie header',
      'Session cookie at sign-in sent, and accepted',
      'Session cookie at the application not sent, as far as is known',
      '__Secure-postern, for example.com and all hosts below it',
      'Scheme at the application https',
      'Clock, against Example corp the same',
      'Scheme in your browser https',
      'Clock of your browser, ahead by 0 s',
      'Your browser keeps cookies yes',
    ])
      expect(text).toContain(part)
    const failed = await until(
      async () => (await here.service.log()).filter((line) => line['code'] === 'PST-1011'),
      (lines) => lines.length > 0,
    )
    expect(failed).toMatchObject([{ type: 'login', outcome: 'failed', why: 'not-sent-there' }])
    expect(complaints.filter((one) => !one.includes('508'))).toEqual([])
    expect(await page.locator('dl[data-clock]').isVisible()).toBe(true)
  })

  it('and says it on 320 pixels, in the dark, and without script, too', async () => {
    const { page } = await open(
      { nginx: inQuestion('proxy_set_header Cookie "";') },
      { viewport: { width: 320, height: 640 }, colorScheme: 'dark', javaScriptEnabled: false },
    )
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1011').waitFor()
    expect(await look(page, 'loop-dark-320')).toContain('Session cookie at sign-in sent, and accepted')
    expect(await fitsTheWidth(page)).toBe(true)
    expect(await page.locator('dl[data-clock]').isVisible()).toBe(false)
  })

  it('the proxy of the application mangles the cookie', async () => {
    const { page } = await open({ nginx: inQuestion('proxy_set_header Cookie "__Secure-postern=old";') })
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1011').waitFor()
    const text = await look(page, 'loop-not-accepted')
    expect(text).toContain('Session cookie at the application sent, but it cannot be opened')
    expect(text).toContain('has the same session.keys, session.domain, state and clock as this one')
  })

  it('the browser does not keep the session cookie', async () => {
    const { page } = await open({
      nginx: (config) =>
        config.replace(
          'server_name login.example.com;',
          `server_name login.example.com;
    location /callback/ {
      proxy_pass http://postern_public;
      proxy_set_header Host $host;
      proxy_hide_header Set-Cookie;
    }`,
        ),
    })
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1011').waitFor()
    const text = await look(page, 'loop-not-kept')
    expect(text).toContain('brought none back, not even to sign-in')
    expect(text).toContain('Look whether a proxy before sign-in drops or rewrites Set-Cookie')
  })

  it('the application is on http, where the cookie does not go', async () => {
    const { page } = await open({ nginx: plainSite })
    await page.goto('http://plain.example.com/x')
    await fillIn(page, 'ada')
    await page.getByText('PST-1011').waitFor()
    const text = await look(page, 'loop-http')
    expect(text).toContain('The application was reached by http.')
    expect(text).toContain('Scheme at the application http')
  })
})

describe.skipIf(isMissing)('what would become a circle is stopped before', () => {
  it('a cookie whose domain does not cover the application', async () => {
    const { page, context } = await open({
      settings: { session: { keys: [{ file: 'session.key' }], domain: 'login.example.com' } },
    })
    await page.goto(`${APP}/`)
    const text = await look(page, 'domain-does-not-cover')
    expect(text).toContain('PST-1012')
    expect(text).toContain('shop (app.example.com)')
    expect(await context.cookies()).toEqual([])
  })

  it('a proxy that drops Set-Cookie before sign-in', async () => {
    const { page } = await open({ nginx: atSignIn('proxy_hide_header Set-Cookie;') })
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1003').waitFor()
    expect(await look(page, 'set-cookie-dropped')).toContain('Sign-in cookies that came back none')
  })

  it('a provider whose clock is far from ours', async () => {
    const { page, town: here } = await open({})
    here.providers[0]!.misbehave.idToken = (claims) => ({
      ...claims,
      exp: (claims.iat ?? 0) - 3600,
      iat: (claims.iat ?? 0) - 7200,
    })
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.getByText('PST-1020').waitFor()
    expect(await look(page, 'clock')).toMatch(/Clock of this service, against the provider 72\d\d s ahead/)
  })
})

describe.skipIf(isMissing)('a script after the end of the session', () => {
  it('gets 403 where the operator wants that, with a body that it can read', async () => {
    const { page, town: here } = await open({
      nginx: (config) => config.replaceAll('/authz/nginx;', '/authz/nginx?xhr=403;'),
    })
    await page.goto(`${APP}/`)
    await fillIn(page, 'ada')
    await page.waitForURL(`${APP}/`)
    here.clock.aheadMs = 13 * 3_600_000
    const got = await load(page)
    expect(got).toMatchObject({ status: 403, redirected: false, url: `${APP}/data` })
    expect(got['type']).toContain('application/problem+json')
    expect(JSON.parse(String(got['body']))).toMatchObject({
      title: 'You are not signed in',
      signIn: `${LOGIN}/sign-in?rd=${encodeURIComponent(`${APP}/data`)}`,
    })
    await keepScreenshot(page, 'expiry-script-403')
  })
})

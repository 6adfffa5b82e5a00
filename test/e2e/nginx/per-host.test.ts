// A session for each host through a real NGINX, configured as docs/nginx.md says it: what one hostile application gets of
// its visitors, and what it can do with that at its neighbour.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxBlocks } from '../../docs/nginx-page.ts'
import { nginxIsMissing } from '../../support/nginx.ts'
import { startPerHostEstate, type PerHostEstate } from '../../support/per-host-estate.ts'
import { askProxy } from '../../support/proxy-client.ts'
import type { RawAnswer } from '../../support/raw-http.ts'
import type { Browser, Shown } from '../../unit/signin/browser.ts'

const A = 'a.example.com'
const B = 'b.example.org'
const COOKIE = '__Host-postern'

const [PAGE = '', , , WAY = ''] = nginxBlocks()
/** The page with the way to the host beside each guarded location. */
const withWay = (page: string): string =>
  page.replace('  location / {\n    auth_request', (line) => WAY + line)

const signIn = async (browser: Browser, form: Shown, who = 'ada'): Promise<Shown> => {
  const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
  const fields = { username: who, password: who, action: 'login' }
  return browser.follow(await browser.post(new URL(action, form.url).href, fields))
}

const cookiesOf = (browser: Browser, host: string): string =>
  browser
    .cookies()
    .filter(({ domain }) => domain === host)
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')

describe.skipIf(nginxIsMissing('a session for each host'))('two applications behind NGINX', () => {
  let estate: PerHostEstate
  let browser: Browser
  beforeAll(async () => {
    estate = await startPerHostEstate({
      publicUrl: 'https://login.example.com',
      appHosts: [A, B],
      nginx: withWay(PAGE),
    })
    browser = estate.browser()
    const page = await signIn(browser, await browser.visit(`https://${A}/d/1?x=1`))
    expect([page.status, page.url]).toEqual([200, `https://${A}/d/1?x=1`])
  })
  afterAll(() => estate.close())

  const ask = (host: string, cookie: string, target = '/x'): Promise<RawAnswer> =>
    askProxy(estate.port, {
      target,
      headers: [
        ['Host', host],
        ['Cookie', cookie],
      ],
    })

  it('let a person in on both, who signed in once', async () => {
    const before = browser.history.length
    expect((await browser.visit(`https://${B}/d/2`)).status).toBe(200)
    expect(estate.app.seen.at(-1)?.headers).toMatchObject({ host: [B], 'x-auth-request-user': ['ada'] })
    expect(browser.history.slice(before).map((url) => new URL(url).host + new URL(url).pathname)).toEqual([
      `${B}/d/2`,
      'login.example.com/sign-in',
      `${B}/postern/leave`,
      'login.example.com/sign-in',
      `${B}/postern/land`,
      `${B}/d/2`,
    ])
  })

  it('get each a cookie that opens nothing at the neighbour, not even for the whole of a hostile server', async () => {
    await browser.visit(`https://${A}/stolen`)
    // Nothing is stripped here: this is what the server of A has of its visitor.
    const [stolen = ''] = estate.app.seen.at(-1)?.headers['cookie'] ?? []
    expect(stolen).toContain(`${COOKIE}=`)
    const before = estate.app.seen.length
    expect([(await ask(A, stolen)).status, estate.app.seen.length - before]).toEqual([200, 1])
    for (const target of ['/x', '/d/2', '/x?y=1']) {
      const { status } = await ask(B, stolen, target)
      expect(status).toBe(401)
    }
    const atSignIn = await ask('login.example.com', stolen, '/me.json')
    expect([atSignIn.status, atSignIn.body.includes('ada')]).toEqual([401, false])
    // Two hosts in one request: NGINX serves the one of the target, whatever `Host` says.
    const twoHosts = await askProxy(estate.port, {
      target: `http://${B}/x`,
      headers: [
        ['Host', A],
        ['Cookie', stolen],
      ],
    })
    expect([twoHosts.status, estate.app.seen.length - before]).toEqual([401, 1])
  })

  it('cannot land with the ticket of the other, or with one that was used', async () => {
    const visitor = estate.browser()
    const form = await visitor.visit(`https://${A}/d/1`)
    const stop = (url: string): boolean => url.includes('/postern/land')
    const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
    const fields = { username: 'ada', password: 'ada', action: 'login' }
    const posted = await visitor.post(new URL(action, form.url).href, fields)
    const stopped = await visitor.follow(posted, stop)
    const land = new URL(stopped.headers.get('location') ?? '')
    const target = land.pathname + land.search
    const nonce = cookiesOf(visitor, A)
    expect([(await ask(B, nonce, target)).status, (await ask(A, nonce, target)).status]).toEqual([403, 403])
    expect((await ask(A, nonce, target)).headers.get('set-cookie')).toBeUndefined()
  })

  it('hand nothing of the prefix on to the application, in any spelling', async () => {
    const before = estate.app.seen.length
    const cookie = cookiesOf(browser, A)
    for (const target of [
      '/postern/',
      '/postern/me',
      '/%70ostern/land',
      '/x/../postern/leave',
      '/postern/authz/nginx',
    ])
      expect((await ask(A, cookie, target)).status).toBeGreaterThanOrEqual(300)
    expect(estate.app.seen.length).toBe(before)
  })

  it('are both left by one sign-out', async () => {
    const [onA, onB] = [cookiesOf(browser, A), cookiesOf(browser, B)]
    expect([(await ask(A, onA)).status, (await ask(B, onB)).status]).toEqual([200, 200])
    const confirm = await browser.get('https://login.example.com/sign-out')
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    expect((await browser.post('https://login.example.com/sign-out', { token })).status).toBe(200)
    expect([(await ask(A, onA)).status, (await ask(B, onB)).status]).toEqual([401, 401])
  })

  it('leave NGINX nothing to complain about', () => {
    expect(estate.errorLog()).not.toMatch(/\[(?:warn|error|crit|emerg)\]/)
  })
})

describe.skipIf(nginxIsMissing('a prefix that is guarded'))(
  'an application host that guards the prefix',
  () => {
    it('ends at a page that says so, not in a circle', async () => {
      const estate = await startPerHostEstate({
        publicUrl: 'https://login.example.com',
        appHosts: [A],
        nginx: PAGE,
      })
      try {
        const browser = estate.browser()
        const page = await signIn(browser, await browser.visit(`https://${A}/d/1`))
        expect([page.status, page.body.includes('PST-1032')]).toEqual([500, true])
      } finally {
        await estate.close()
      }
    })
  },
)

describe.skipIf(nginxIsMissing('a public URL with a path'))(
  'sign-in below a path of one application host',
  () => {
    let estate: PerHostEstate
    // No name for sign-in: its server goes, and the prefix of the application's host leads to it.
    const guardedOnly = PAGE.slice(0, PAGE.indexOf('# Sign-in has a host of its own')).replace(
      'rewrite ^ /denied?',
      'rewrite ^ /postern/denied?',
    )
    beforeAll(async () => {
      estate = await startPerHostEstate({
        publicUrl: `https://${A}/postern`,
        appHosts: [A, B],
        nginx: withWay(guardedOnly),
      })
    })
    afterAll(() => estate.close())

    it('signs in there without a hop, and at the other host with one', async () => {
      const browser = estate.browser()
      const page = await signIn(browser, await browser.visit(`https://${A}/d/1`))
      expect([page.status, page.url]).toEqual([200, `https://${A}/d/1`])
      expect(browser.history.some((url) => url.includes('/postern/leave'))).toBe(false)
      expect((await browser.visit(`https://${B}/d/2`)).url).toBe(`https://${B}/d/2`)
      const me = await browser.get(`https://${A}/postern/me`)
      expect([me.status, me.body.includes('ada@example.com')]).toEqual([200, true])
      const before = estate.app.seen.length
      const onA = cookiesOf(browser, A)
      const { status } = await askProxy(estate.port, {
        target: '/x',
        headers: [
          ['Host', B],
          ['Cookie', onA],
        ],
      })
      expect([status, estate.app.seen.length - before]).toEqual([401, 0])
    })

    it('needs no hop at all where one cookie serves the whole domain', async () => {
      const shared = await startPerHostEstate({
        publicUrl: `https://${A}/postern`,
        appHosts: [A],
        nginx: withWay(guardedOnly),
        session: { keys: [{ file: 'session.key' }], domain: A },
      })
      try {
        const browser = shared.browser()
        const page = await signIn(browser, await browser.visit(`https://${A}/d/1`))
        expect([page.status, page.url]).toEqual([200, `https://${A}/d/1`])
        expect(
          browser.history.filter((url) => url.includes('/postern/')).map((url) => new URL(url).pathname),
        ).toEqual(['/postern/sign-in', '/postern/callback/corp'])
        expect((await browser.get(`https://${A}/postern/me`)).body).toContain('ada@example.com')
        expect((await browser.get(`https://${A}/postern/leave?rd=x`)).status).toBe(404)
      } finally {
        await shared.close()
      }
    })

    it('shows the page of a refusal below the path too', async () => {
      const browser = estate.browser()
      const page = await signIn(browser, await browser.visit(`https://${A}/d/1`), 'ben')
      expect(page.status).toBe(403)
      const again = await browser.get(`https://${A}/d/1`)
      expect([again.status, again.body.includes('ben@example.com')]).toEqual([403, true])
    })
  },
)

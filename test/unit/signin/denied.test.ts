// `/denied`: the page behind a 403, asked for by a proxy in the name of the browser that was refused.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APP, logIn, makeWorld, PUBLIC, type World } from './world.ts'
import type { Browser } from './browser.ts'

let world: World

beforeEach(async () => {
  world = await makeWorld()
})
afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const signedIn = async (user: string): Promise<Browser> => {
  const browser = world.browser()
  await logIn(browser, await browser.visit(`${APP}/y`), user)
  return browser
}

const DECISION = '01M87SZAHDV3YBPF00000001'

describe('the page behind a 403', () => {
  it('says who was refused and what is missing, under the id that the log has', async () => {
    const browser = await signedIn('ben')
    const shown = await browser.get(`${PUBLIC}/denied`, {
      'x-original-url': `${APP}/y?a=1&b=2`,
      'x-original-method': 'POST',
      'x-postern-decision': DECISION,
    })
    expect(shown.status).toBe(403)
    expect(shown.body).toContain('You are signed in as ben@example.com')
    expect(shown.body).toContain('needs the group sre')
    expect(shown.body).toContain(DECISION)
    expect(shown.body).toContain(encodeURIComponent(`${APP}/y?a=1&b=2`).replaceAll('&', '&amp;'))
  })

  it('takes the address as `rd` too', async () => {
    const browser = await signedIn('ben')
    const shown = await browser.get(`${PUBLIC}/denied?rd=${encodeURIComponent(`${APP}/y`)}&id=${DECISION}`)
    expect([shown.status, shown.body.includes(DECISION)]).toEqual([403, true])
  })

  it('sends somebody who is not refused through sign-in', async () => {
    const browser = await signedIn('ada')
    const shown = await browser.get(`${PUBLIC}/denied?rd=${encodeURIComponent(`${APP}/y`)}`)
    expect([shown.status, shown.headers.get('location')]).toEqual([
      303,
      `${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/y`)}`,
    ])
  })

  it('tells a script that it is not signed in, and redirects it nowhere', async () => {
    const script = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
    const shown = await world.browser().get(`${PUBLIC}/denied?rd=${encodeURIComponent(`${APP}/y`)}`, script)
    expect([shown.status, shown.headers.get('location')]).toEqual([401, null])
    expect(JSON.parse(shown.body)).toMatchObject({ title: 'You are not signed in', status: 401 })
  })

  it.each(['https://evil.example/', '//evil.example', 'javascript:alert(1)', `${PUBLIC}/sign-out`])(
    'explains nothing about %s',
    async (rd) => {
      const shown = await world.browser().get(`${PUBLIC}/denied`, { 'x-original-url': rd })
      expect([shown.status, shown.headers.get('location'), shown.body.includes('evil.example')]).toEqual([
        403,
        null,
        false,
      ])
    },
  )

  it('repeats no id that could not be one', async () => {
    const browser = await signedIn('ben')
    const shown = await browser.get(`${PUBLIC}/denied`, {
      'x-original-url': `${APP}/y`,
      'x-postern-decision': '<script>',
    })
    expect(shown.body).toContain('<code>d-1</code>')
    expect(shown.body.match(/<script/g)).toHaveLength(1)
  })
})

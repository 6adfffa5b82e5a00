// Any number of tabs of one browser sign in at once, in any order of what is asked and what is answered: each ends
// signed in and at its own page. What another browser started never does.
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onwardOf } from './browser.ts'
import { APP, BIND, COOKIE, logIn, makeWorld, PUBLIC, type World } from './world.ts'

let world: World
/** People who are signed in at the provider: it sends them back without asking. */
let atProvider: (url: string, who: 'ada' | 'ben') => Promise<URL>

beforeAll(async () => {
  world = await makeWorld()
  const known = { ada: world.browser(), ben: world.browser() }
  for (const who of ['ada', 'ben'] as const) await logIn(known[who], await known[who].visit(`${APP}/x`), who)
  atProvider = async (url, who) => {
    const last = await known[who].follow(await known[who].get(url), (to) => to.startsWith(PUBLIC))
    return new URL(onwardOf(last) ?? '')
  }
})

afterAll(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

/** A jar whose requests leave with what it holds, and whose answers arrive when the test says so. */
const makeJar = () => {
  const jar = new Map<string, string>()
  return {
    names: () => [...jar.keys()],
    value: (name: string) => jar.get(name),
    send: (): readonly string[] =>
      jar.size === 0 ? [] : [[...jar].map(([name, value]) => `${name}=${value}`).join('; ')],
    keep: (shown: Answer): void => {
      for (const line of shown.setCookie) {
        const [pair = ''] = line.split(';')
        const name = pair.slice(0, pair.indexOf('='))
        if (/Max-Age=0(?:;|$)/.test(line)) jar.delete(name)
        else jar.set(name, pair.slice(name.length + 1))
      }
    },
  }
}
type Jar = ReturnType<typeof makeJar>

interface Answer {
  readonly status: number
  readonly to: string | undefined
  readonly setCookie: readonly string[]
}

const ask = async (path: string, query: URLSearchParams, cookies: readonly string[]): Promise<Answer> => {
  const handler = world.handlers[path.startsWith('/callback/') ? '/callback/' : path]!
  const answer = await handler({
    method: 'GET',
    path,
    query: [...query],
    headers: new Map([
      ['sec-fetch-mode', 'navigate'],
      ['sec-fetch-dest', 'document'],
    ]),
    cookies,
    form: [],
  })
  const page = answer.body.kind === 'page' ? answer.body.page : undefined
  return {
    status: answer.status,
    to: page?.name === 'hop' ? page.to : undefined,
    setCookie: answer.headers.filter(([name]) => name === 'set-cookie').map(([, line]) => line),
  }
}

/** What a tab does, one step at a time: sends its start, hears of it, comes back, hears of that. */
const makeTab = (jar: Jar, page: string) => {
  let pending: Answer | undefined
  let callback: URL | undefined
  let end: Answer | undefined
  const hear = (): Answer => {
    if (pending === undefined) throw new Error('nothing was asked')
    jar.keep(pending)
    return pending
  }
  const steps: readonly (() => Promise<void>)[] = [
    async () => {
      pending = await ask('/sign-in', new URLSearchParams({ rd: page }), jar.send())
    },
    async () => {
      const { to = '' } = hear()
      if (to === page) end = hear()
      else callback = await atProvider(to, 'ada')
    },
    async () => {
      if (callback !== undefined) pending = await ask(callback.pathname, callback.searchParams, jar.send())
    },
    async () => {
      if (callback !== undefined) end = hear()
    },
  ]
  return { steps, end: () => end, page }
}

const subjectIn = (jar: Jar): string | undefined => {
  const browser = world.browser()
  const value = jar.value(COOKIE)
  if (value === undefined) return undefined
  browser.setCookie(PUBLIC, `${COOKIE}=${value}; Domain=example.com; Path=/; Secure`)
  return world.sessionOf(browser)?.subject
}

/** An order in which the steps of all tabs happen; each tab's own stay in order. */
const schedule = fc.integer({ min: 2, max: 10 }).chain((tabs) =>
  fc.shuffledSubarray(
    Array.from({ length: tabs * 4 }, (_, index) => index % tabs),
    { minLength: tabs * 4, maxLength: tabs * 4 },
  ),
)

describe('tabs of one browser', () => {
  it('end signed in and each at its own page, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (order) => {
        const jar = makeJar()
        const count = Math.max(...order) + 1
        const tabs = Array.from({ length: count }, (_, index) =>
          makeTab(jar, `${APP}/tab/${index}?q=${index}`),
        )
        const done = tabs.map(() => 0)
        for (const tab of order) {
          await tabs[tab]!.steps[done[tab]!]!()
          done[tab]! += 1
        }
        for (const tab of tabs) expect([tab.end()?.status === 403, tab.end()?.to]).toEqual([false, tab.page])
        expect(subjectIn(jar)).toBe('ada')
        expect(jar.names().filter((name) => name.startsWith(BIND)).length).toBeLessThanOrEqual(count)
      }),
      { numRuns: 40, examples: [[[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]]] },
    )
  })

  it('that all start in one instant leave one binding when they are through', async () => {
    const jar = makeJar()
    const tabs = Array.from({ length: 10 }, (_, index) => makeTab(jar, `${APP}/${index}`))
    for (const step of [0, 1]) for (const tab of tabs) await tab.steps[step]!()
    expect(jar.names()).toHaveLength(10)
    expect(jar.send().join('').length).toBeLessThan(600)
    for (const tab of tabs) for (const step of [2, 3]) await tab.steps[step]!()
    expect(tabs.map((tab) => tab.end()?.to)).toEqual(tabs.map((tab) => tab.page))
    expect(jar.names().filter((name) => name.startsWith(BIND))).toHaveLength(1)
  })

  it('that want the same page are no circle: signing out and in again works at once', async () => {
    const browser = world.browser()
    const url = `${APP}/home`
    const rd = `${PUBLIC}/sign-in?rd=${encodeURIComponent(url)}`
    const first = await browser.visit(rd)
    const others = []
    for (let index = 0; index < 9; index += 1) others.push(await browser.visit(rd))
    for (const form of [first, ...others]) expect((await logIn(browser, form, 'ada')).url).toBe(url)
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    expect((await browser.visit(rd)).url).toBe(url)
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    expect((await browser.visit(rd)).url).toBe(url)
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    const stopped = await browser.visit(rd)
    expect([stopped.status, stopped.body.includes('PST-1011')]).toEqual([508, true])
  })

  it('never carry more than sixteen bindings on: a later start forgets the oldest', async () => {
    const jar = makeJar()
    const starts = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        ask('/sign-in', new URLSearchParams({ rd: `${APP}/${index}` }), []),
      ),
    )
    for (const start of starts) jar.keep(start)
    expect(jar.names()).toHaveLength(60)
    for (const _ of [1, 2])
      jar.keep(await ask('/sign-in', new URLSearchParams({ rd: `${APP}/x` }), jar.send()))
    expect(jar.names()).toHaveLength(16)
    const newest = await atProvider(starts.at(-1)?.to ?? '', 'ada')
    expect((await ask(newest.pathname, newest.searchParams, jar.send())).to).toBe(`${APP}/59`)
    const oldest = await atProvider(starts[0]?.to ?? '', 'ada')
    expect((await ask(oldest.pathname, oldest.searchParams, jar.send())).status).toBe(403)
  })
})

describe('what another browser started', () => {
  it('never signs this one in, whatever either has done before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 }), fc.boolean(), async (steps, ownFirst) => {
        const [victim, attacker] = [makeJar(), makeJar()]
        const tab = makeTab(victim, `${APP}/own`)
        const own = async (): Promise<void> => {
          for (const step of tab.steps.slice(0, steps)) await step()
        }
        if (ownFirst) await own()
        const start = await ask('/sign-in', new URLSearchParams({ rd: `${APP}/theirs` }), attacker.send())
        attacker.keep(start)
        const callback = await atProvider(start.to ?? '', 'ben')
        if (!ownFirst) await own()
        const forced = await ask(callback.pathname, callback.searchParams, victim.send())
        victim.keep(forced)
        expect(forced.status).toBe(403)
        expect(subjectIn(victim)).toBeUndefined()
        for (const step of tab.steps.slice(steps)) await step()
        expect(subjectIn(victim)).toBe('ada')
        expect((await ask(callback.pathname, callback.searchParams, attacker.send())).status).not.toBe(403)
      }),
      { numRuns: 12 },
    )
  })
})

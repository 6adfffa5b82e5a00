// A refusal has two pages: the one in the answer of the decision, for proxies that hand our body on, and `/denied` for
// those that fetch it. A person must read the same on both.
import { afterEach, describe, expect, it } from 'vitest'
import { requestText, sendRaw } from '../support/raw-http.ts'
import { askForward, headerOf, startService } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const APP = 'https://app.example.com/x'
const POLICIES = {
  'app.yaml': `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
`,
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const running = async (settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({ policies: POLICIES, settings })
  ending.push(service.remove)
  const postern = await startService(service)
  ending.push(() => postern.close())
  return service
}

const NAVIGATION = [
  ['Accept', 'text/html'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
] as const

/** Both pages for one refused browser. */
const bothPages = async (service: ServiceFolder, cookie: string): Promise<readonly string[]> => {
  const answered = await askForward(service, APP, { cookie, headers: NAVIGATION })
  expect(answered.status).toBe(403)
  const fetched = await sendRaw(
    service.ports.public,
    requestText('GET', `/denied?rd=${encodeURIComponent(APP)}`, [
      ['Host', 'login.example.com'],
      ['Cookie', cookie],
      ...NAVIGATION,
    ]),
  )
  expect(fetched.status).toBe(403)
  // As the log has it.
  expect(answered.body).toContain(headerOf(answered, 'x-postern-decision'))
  return [answered.body, fetched.body]
}

describe('who was refused', () => {
  const signedInAs = (page: string): string | undefined => /You are signed in as ([^<,]*), /.exec(page)?.[1]

  it.each([
    [{ name: 'Ada L.', email: 'ada@example.com', user: 'ada', preferred_username: 'al' }, 'Ada L.'],
    [{ email: 'ada@example.com', user: 'ada', preferred_username: 'al' }, 'ada@example.com'],
    [{ user: 'ada', preferred_username: 'al' }, 'ada'],
    [{ name: '', preferred_username: 'al' }, 'al'],
    [{}, 'sub-of-ada'],
  ])('has the same name on both pages: %o', async (claims, name) => {
    const service = await running({
      providers: [
        {
          id: 'corp',
          issuer: 'http://127.0.0.1:9',
          clientId: 'postern',
          clientSecret: { file: 'oidc.secret' },
          claims: { user: 'uid' },
        },
      ],
    })
    const pages = await bothPages(service, service.cookie('sub-of-ada', [], { claims }))
    expect(pages.map(signedInAs)).toEqual([name, name])
  })
})

describe('a request for access', () => {
  const letterOf = (page: string): URL | undefined => {
    const href = /href="(mailto:[^"]*)"/.exec(page)?.[1]
    return href === undefined ? undefined : new URL(href.replaceAll('&amp;', '&'))
  }

  it('is a letter to the configured contact that says what the owner must know, on both pages', async () => {
    const service = await running({ pages: { accessContact: 'access+apps@example.com' } })
    const pages = await bothPages(service, service.cookie('ada', []))
    const letters = pages.map(letterOf)
    for (const letter of letters) {
      expect(decodeURIComponent(letter?.pathname ?? '')).toBe('access+apps@example.com')
      expect(letter?.searchParams.get('subject')).toBe('Access to app.example.com')
      expect(letter?.searchParams.get('body')).toMatch(
        /^Application: app \(app\.example\.com\)\r\nAccount: corp\|ada\r\nDecision: [0-9A-Z]+$/,
      )
    }
  })

  it('is offered by neither page where nobody is named', async () => {
    const service = await running()
    const pages = await bothPages(service, service.cookie('ada', []))
    expect(pages.map((page) => page.includes('mailto:'))).toEqual([false, false])
  })
})

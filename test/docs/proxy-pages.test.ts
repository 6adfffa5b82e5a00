// What the pages on proxies tell people to configure is run: the NGINX page as it stands there, with real ports, before a
// real Postern. The annotations for ingress-nginx are held to the headers that the code writes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { IDENTITY_PRESET, sentHeaders } from '../../src/policy-file/identity-preset.ts'
import { readDecisionQuery } from '../../src/proxy/decision-query.ts'
import { dialectOf } from '../../src/proxy/dialect.ts'
import { startEstate, type Estate } from '../e2e/nginx/estate.ts'
import { ingressConfig } from '../e2e/nginx/ingress-config.ts'
import { nginxIsMissing } from '../support/nginx.ts'
import { startPerHostEstate, type PerHostEstate } from '../support/per-host-estate.ts'
import { askProxy } from '../support/proxy-client.ts'
import { blocksOf } from './markdown.ts'
import { nginxBlocks, startNginxPage, type NginxPage } from './nginx-page.ts'

/** What an allow of the default preset writes or empties. */
const WHOLE_SET = [...sentHeaders(IDENTITY_PRESET.default), 'Authorization', 'Proxy-Authorization']

const POLICY = `apiVersion: postern/v1
route: grafana
hosts: [grafana.example.com]
sections:
- path: /
  allow:
  - {id: view, groups: [eng], methods: [GET, WEBSOCKET]}
`

const HOST: readonly [string, string] = ['Host', 'grafana.example.com']

const [PAGE = '', KEEPS_COOKIE = '', ROOM = '', WAY = ''] = nginxBlocks()

describe('docs/nginx.md', () => {
  it('passes the whole identity set on, each header from the answer alone', () => {
    for (const header of WHOLE_SET) {
      const [, variable] = new RegExp(`proxy_set_header ${header} (\\$\\w+);`).exec(PAGE) ?? []
      expect(PAGE, header).toContain(
        `auth_request_set ${variable} $upstream_http_${header.toLowerCase().replaceAll('-', '_')};`,
      )
    }
  })
})

describe('docs/nginx.md, on upgrades', () => {
  it('shows the wanted protocol to the decision, and only a WebSocket to the application', () => {
    const locations = PAGE.split(/^ {2}location /m).slice(1)
    const upgrades = locations.flatMap((text) => {
      const [, value] = /^ *proxy_set_header Upgrade (\S+);$/m.exec(text) ?? []
      return value === undefined ? [] : [[text.slice(0, text.indexOf(' {')), value]]
    })
    expect(upgrades).toEqual([
      ['= /_postern', '$http_upgrade'],
      ['/', '$postern_upgrade'],
    ])
  })
})

describe.skipIf(nginxIsMissing('docs/nginx.md'))('docs/nginx.md in a real NGINX', () => {
  let page: NginxPage
  beforeAll(async () => {
    page = await startNginxPage(POLICY, PAGE)
  })
  afterAll(() => page.close())

  const as = (groups: readonly string[]): readonly [string, string] => [
    'Cookie',
    page.installation.cookie('anna', groups),
  ]

  it('lets in whom the policy lets in, and says who it is', async () => {
    const forged: readonly [string, string] = ['X-Auth-Request-User', 'root']
    const { status } = await askProxy(page.port, { target: '/d/abc', headers: [HOST, as(['eng']), forged] })
    expect(status).toBe(200)
    expect(page.app.seen.at(-1)?.headers).toMatchObject({
      'x-auth-request-user': ['anna'],
      'x-auth-request-groups': ['eng'],
      'x-postern-assertion': [expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)],
    })
    expect(page.app.seen.at(-1)?.headers['x-postern-key']).toBeUndefined()
  })

  it('refuses whom it does not, and the application does not hear of it', async () => {
    const before = page.app.seen.length
    const refused = await askProxy(page.port, { target: '/d/abc', headers: [HOST, as(['sales'])] })
    const written = await askProxy(page.port, {
      method: 'POST',
      target: '/d/abc',
      headers: [HOST, as(['eng'])],
    })
    const machine = await askProxy(page.port, { target: '/d/abc', headers: [HOST] })
    expect([refused.status, written.status, machine.status]).toEqual([403, 403, 401])
    expect(page.app.seen.length).toBe(before)
  })

  it('shows a person who is refused what is missing, and stays 403', async () => {
    const load = [HOST, as(['sales']), ['Accept', 'text/html'], ['Sec-Fetch-Mode', 'navigate']] as const
    const { status, headers, body } = await askProxy(page.port, { target: '/d/abc', headers: load })
    expect([status, headers.get('content-type')?.[0]]).toEqual([403, expect.stringMatching(/^text\/html/)])
    expect(body).toMatch(/view.+ needs .*eng/)
  })

  it('sends a person who is not signed in to sign-in', async () => {
    const { status, headers } = await askProxy(page.port, {
      target: '/d/abc',
      headers: [HOST, ['Accept', 'text/html']],
    })
    expect([status, headers.get('location')?.[0]]).toEqual([
      302,
      expect.stringContaining(
        'https://login.example.com/sign-in?rd=https%3A%2F%2Fgrafana.example.com%2Fd%2Fabc',
      ),
    ])
  })

  it('passes a WebSocket on, and no other change of protocol', async () => {
    const upgrade = (to: string): readonly (readonly [string, string])[] => [
      HOST,
      as(['eng']),
      ['Connection', to === 'websocket' ? 'Upgrade' : 'Upgrade, close'],
      ['Upgrade', to],
      ['Origin', 'https://grafana.example.com'],
    ]
    const key: readonly [string, string] = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']
    const ask = async (to: string): Promise<number> =>
      (await askProxy(page.port, { target: '/ws', headers: [...upgrade(to), key] })).status
    expect(await ask('websocket')).toBe(101)
    const before = page.app.seen.length
    expect([await ask('h2c'), await ask('other')]).toEqual([403, 403])
    expect(page.app.seen.length).toBe(before)
  })

  it('reaches sign-in, and no decision by that way', async () => {
    const ask = async (target: string): Promise<number> =>
      (await askProxy(page.port, { target, headers: [['Host', 'auth.example.com']] })).status
    expect([await ask('/me'), await ask('/authz/nginx')]).toEqual([401, 404])
  })

  it('has nothing to complain about', () => {
    expect(
      page
        .errorLog()
        .split('\n')
        .filter((line) => /\[(?:warn|error|crit|emerg)\]/.test(line)),
    ).toEqual([])
  })
})

describe.skipIf(nginxIsMissing('docs/nginx.md, on cookies'))(
  'docs/nginx.md, where it keeps our cookie back',
  () => {
    const changed = PAGE.replace(
      '    proxy_pass http://127.0.0.1:3000;',
      (line) => `${KEEPS_COOKIE}\n${line}`,
    ).replace('    proxy_buffer_size 8k;', ROOM)
    const echoing = POLICY.replace('sections:', 'echo: [authorization, cookie]\nsections:')
    const pages: NginxPage[] = []
    beforeAll(async () => {
      pages.push(await startNginxPage(echoing, changed), await startNginxPage(POLICY, changed))
    })
    afterAll(async () => {
      for (const page of pages) await page.close()
    })

    /** Status, and the cookies that the application saw; the session is written as `OURS`. */
    const cookiesOf = async (index: number, text: string): Promise<readonly unknown[]> => {
      const page = pages[index]
      if (page === undefined) throw new Error('there is no such page')
      const before = page.app.seen.length
      const cookie = text.replaceAll('OURS', page.installation.cookie('anna', ['eng']))
      const { status } = await askProxy(page.port, { target: '/d/abc', headers: [HOST, ['Cookie', cookie]] })
      return [status, page.app.seen.length - before, page.app.seen.at(-1)?.headers['cookie']]
    }

    it.each([
      ['theme=dark; OURS; grafana_session=1', ['theme=dark; grafana_session=1']],
      ['OURS', undefined],
      ['OURS; OURS', undefined],
      [`OURS; big=${'x'.repeat(6000)}`, [`big=${'x'.repeat(6000)}`]],
    ])('leaves the application the others of `%.30s`', async (text, cookies) => {
      expect(await cookiesOf(0, text)).toEqual([200, 1, cookies])
    })

    it('leaves it none where the route does not echo them', async () => {
      expect(await cookiesOf(1, 'theme=dark; OURS')).toEqual([200, 1, undefined])
    })

    it('passes every cookie on where it is not told so', async () => {
      const page = await startNginxPage(echoing, PAGE)
      try {
        const ours = page.installation.cookie('anna', ['eng'])
        await askProxy(page.port, { target: '/d/abc', headers: [HOST, ['Cookie', ours]] })
        expect(page.app.seen.at(-1)?.headers['cookie']).toEqual([ours])
      } finally {
        await page.close()
      }
    })
  },
)

describe.skipIf(nginxIsMissing('docs/nginx.md, on a session for each host'))(
  'docs/nginx.md, with a session for each host',
  () => {
    let estate: PerHostEstate
    beforeAll(async () => {
      estate = await startPerHostEstate({
        publicUrl: 'https://login.example.com',
        appHosts: ['grafana.example.com'],
        nginx: PAGE.replace('  location / {\n    auth_request', (line) => WAY + line),
      })
    })
    afterAll(() => estate.close())

    const rd = encodeURIComponent('https://grafana.example.com/d/abc')

    it('hands the prefix on under the name of the host, and asks nobody', async () => {
      const { status, headers } = await askProxy(estate.port, {
        target: `/postern/leave?rd=${rd}`,
        headers: [HOST],
      })
      expect([status, headers.get('set-cookie')?.[0], headers.get('location')?.[0]]).toEqual([
        303,
        expect.stringMatching(/^__Host-postern-nonce=[\w-]+; Path=\//),
        expect.stringMatching(/^https:\/\/login\.example\.com\/sign-in\?rd=[^&]+&nonce=[\w-]{43}$/),
      ])
      expect(await estate.service.log()).not.toContainEqual(expect.objectContaining({ type: 'decision' }))
    })

    it('guards what is beside it', async () => {
      const { status } = await askProxy(estate.port, { target: '/posternx', headers: [HOST] })
      expect([status, estate.app.seen.length]).toEqual([401, 0])
    })
  },
)

interface Ingress {
  readonly kind: string
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly rules: unknown }
}

describe('docs/ingress-nginx.md', () => {
  const prefix = 'nginx.ingress.kubernetes.io/'
  const [ingress, way] = blocksOf('docs/ingress-nginx.md')
    .filter(({ language }) => language === 'yaml')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own page
    .map(({ text }) => parse(text) as Ingress)
    .filter(({ kind }) => kind === 'Ingress')
  const annotation = (name: string): string => ingress?.metadata.annotations?.[prefix + name] ?? ''

  it('hands the prefix of a session for each host on unguarded, to the public listener', () => {
    expect(way?.metadata.annotations).toBeUndefined()
    expect(way?.spec.rules).toMatchObject([
      {
        host: 'grafana.example.com',
        http: {
          paths: [{ path: '/postern', pathType: 'Prefix', backend: { service: { port: { number: 4180 } } } }],
        },
      },
    ])
  })

  it('sets the three annotations that it explains, and no other', () => {
    expect(Object.keys(ingress?.metadata.annotations ?? {})).toEqual(
      ['auth-url', 'auth-signin', 'auth-response-headers'].map((name) => prefix + name),
    )
  })

  it('shows the decision the served host, the key and the wanted protocol', () => {
    const data = blocksOf('docs/ingress-nginx.md')
      .filter(({ language }) => language === 'yaml')
      .map(({ text }) => /^kind: ConfigMap$/m.test(text) && /^data:\n((?: .*\n?)+)/m.exec(text)?.[1])
      .find((found) => typeof found === 'string')
    expect(parse(data ?? '')).toEqual({
      'X-Postern-Host': '$host',
      'X-Postern-Key': 'TEXT-OF-PROXY-KEY',
      Upgrade: '$http_upgrade',
    })
  })

  it('asks an address that is there, with parameters that are known', () => {
    const { pathname, search, port } = new URL(annotation('auth-url'))
    expect([dialectOf(pathname)?.name, port]).toEqual(['nginx', '4181'])
    expect(readDecisionQuery(pathname + search)).toMatchObject({ kind: 'query', host: 'grafana.example.com' })
    expect(new URL(annotation('auth-signin')).pathname).toBe('/sign-in')
  })

  it('lists every header that an allow writes', () => {
    expect(annotation('auth-response-headers').split(',')).toEqual(WHOLE_SET)
  })

  describe.skipIf(nginxIsMissing('docs/ingress-nginx.md'))(
    'in the shape that the controller gives to NGINX',
    () => {
      let estate: Estate

      beforeAll(async () => {
        estate = await startEstate(
          { policies: { 'grafana.yaml': POLICY } },
          ingressConfig({
            signIn: annotation('auth-signin'),
            responseHeaders: annotation('auth-response-headers').split(','),
            cacheKey: undefined,
          }),
        )
      })
      afterAll(() => estate.close())

      const ask = (
        groups: readonly string[] | undefined,
        forged: readonly (readonly [string, string])[] = [],
      ) =>
        estate.ask('grafana.example.com', {
          target: '/d/abc',
          headers: [
            ...forged,
            ...(groups === undefined
              ? []
              : [['Cookie', estate.installation.cookie('anna', groups)] as const]),
          ],
        })

      it('lets in, refuses and sends to sign-in', async () => {
        const [eng, sales, nobody] = [await ask(['eng']), await ask(['sales']), await ask(undefined)]
        expect([eng.status, sales.status, nobody.status]).toEqual([200, 403, 302])
        expect(nobody.headers.get('location')?.[0]).toMatch(/^https:\/\/auth\.example\.com\/sign-in\?rd=/)
      })

      it('leaves the application no header that a client wrote', async () => {
        const { seen } = await ask(
          ['eng'],
          WHOLE_SET.filter((name) => name !== 'Authorization').map((name) => [name, 'forged']),
        )
        expect(JSON.stringify(seen?.headers)).not.toContain('forged')
        expect(seen?.headers['x-auth-request-user']).toEqual(['anna'])
      })
    },
  )
})

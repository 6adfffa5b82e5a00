// The rows of the dialect and attack tables that a client can cause, sent by a client through a real NGINX. What NGINX
// refuses by itself is as good as refused; what reaches the application must be what was decided.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxConfig } from '../../../src/demo/nginx-config.ts'
import { readDialectCases, type DialectCase } from '../../support/dialect-cases.ts'
import { nginxIsMissing } from '../../support/nginx.ts'
import { ATTACK_POLICIES, CONTRACT_POLICIES } from './contract-policies.ts'
import { startEstate, type Asked, type Estate } from './estate.ts'

type Headers = readonly (readonly [string, string])[]

interface Parts {
  readonly host: string
  readonly target: string
}

/** Takes a reported URL apart as NGINX put it together. */
const parts = (url: string): Parts | undefined => {
  const [, host = '', target = ''] = /^https?:\/\/([^/]*)(\/.*)?$/s.exec(url) ?? []
  return host === '' ? undefined : { host, target: target === '' ? '/' : target }
}

/** What NGINX answers by itself before it asks anybody. */
const REFUSED_BY_NGINX = [400, 404, 405]

/** Rows that no client can cause through this proxy, each with the reason. */
const NOT_BY_A_CLIENT: Readonly<Record<string, string>> = {
  N06: 'revocation goes by the admin listener, and has tests of its own',
  N29: 'the application here refuses raw bytes by itself; see below',
  N30: 'the proxy leaves its header out',
  N31: 'the proxy leaves its header out',
  N36: 'the proxy writes the scheme',
  N47: 'the served host differs only in absolute form, which has a test of its own',
  N74: 'the renewal of a session is not asked for here',
  N75: 'the store is up',
  N83: 'the proxy asks by POST',
  N86: 'differs in a header of the proxy alone',
  N87: 'the proxy leaves its headers out',
  N89: 'the proxy has the right key',
}

const REPORTED = new Set([
  'x-original-url',
  'x-original-method',
  'x-sent-from',
  'x-postern-host',
  'x-postern-key',
])

const rows = readDialectCases().filter((row) => row.px === 'N')
const cased = rows.filter((row) => NOT_BY_A_CLIENT[row.id] === undefined)

describe('the dialect rows for NGINX', () => {
  it('all run here, or say why not', () => {
    const ids = rows.map(({ id }) => id)
    expect(Object.keys(NOT_BY_A_CLIENT).filter((id) => !ids.includes(id))).toEqual([])
    expect(cased.filter(({ h }) => parts(urlOf(h)) === undefined).map(({ id }) => id)).toEqual([])
    expect(cased.length).toBeGreaterThan(30)
  })
})

function urlOf(h: DialectCase['h']): string {
  const url = h?.['X-Original-URL']
  return typeof url === 'string' ? url : ''
}

describe.skipIf(nginxIsMissing('the dialect rows through NGINX'))('a dialect row through NGINX', () => {
  let estate: Estate
  beforeAll(async () => {
    estate = await startEstate({ policies: CONTRACT_POLICIES }, nginxConfig)
  })
  afterAll(() => estate.close())

  const cookieOf = ({ cookie }: Estate['installation'], st: string): string | undefined => {
    const [name = '', rest = ''] = st.split(/:(.*)/s)
    switch (name) {
      case 'alice':
        return cookie('alice', ['readers', 'staff'])
      case 'root':
        return cookie('root', ['admins', 'staff'])
      case 'user':
        return cookie(rest, ['readers'])
      case 'group':
        return cookie('grouped', [rest])
      case 'manygroups':
        return cookie(
          'many',
          Array.from({ length: 200 }, (_, i) => `team-${i}`),
        )
      case 'expired':
        return cookie('alice', ['readers'], { expiresAtSeconds: Math.floor(Date.now() / 1000) - 120 })
      default:
        return undefined
    }
  }

  const headersOf = (row: DialectCase): Headers => {
    const session = cookieOf(estate.installation, row.st)
    const own = Object.entries(row.h ?? {}).filter(([name]) => !REPORTED.has(name.toLowerCase()))
    const lines = own.flatMap(([name, value]): Headers => {
      const values = value === null ? [] : typeof value === 'string' ? [value] : value
      return values.map((one) => [
        name,
        one
          .replace('<S>', session ?? '')
          .replace(/^@(\d+)$/, (_, bytes: string) => 'x'.repeat(Number(bytes))),
      ])
    })
    const hasCookie = own.some(([name]) => name.toLowerCase() === 'cookie')
    return session === undefined || hasCookie ? lines : [...lines, ['Cookie', session]]
  }

  const wanted = (row: DialectCase): readonly number[] => {
    switch (row.s) {
      case 401:
        return row.nh?.includes('location') === true
          ? [401]
          : row.eh?.['location'] === undefined
            ? [401, 302]
            : [302]
      case 403:
        return [403, ...REFUSED_BY_NGINX]
      case 400:
      case 405:
      case 503:
        return [500, ...REFUSED_BY_NGINX]
      default:
        return [row.s]
    }
  }

  const identityProblems = (row: DialectCase, { seen }: Asked): readonly string[] =>
    Object.entries(row.eh ?? {})
      .filter(([name]) => name.startsWith('x-auth-request-'))
      .flatMap(([name, want]) => {
        const got = seen?.headers[name]?.join('|') ?? ''
        const right = want.startsWith('~') ? new RegExp(want.slice(1)).test(got) : got === want
        return right ? [] : [`the application saw ${name} as ${got}, not ${want}`]
      })

  it('N29 raw bytes are decided, and only then refused by an application that cannot read them', async () => {
    const headers: Headers = [['X-Requested-With', 'XMLHttpRequest']]
    const session = cookieOf(estate.installation, 'alice') ?? ''
    const named = await estate.ask('app.example.com', {
      target: '/caf\u00e9',
      headers: [['Cookie', session]],
    })
    expect([named.status, named.headers.has('server')]).toEqual([400, true])
    expect((await estate.ask('app.example.com', { target: '/caf\u00e9', headers })).status).toBe(401)
  })

  it.each(cased)('$id: $why', async (row) => {
    const { host, target } = parts(urlOf(row.h)) ?? { host: '', target: '' }
    const method = row.h?.['X-Original-Method']
    const asked = await estate.ask(host, {
      method: typeof method === 'string' ? method : 'GET',
      target,
      headers: headersOf(row),
    })
    expect(wanted(row)).toContain(asked.status)
    const location = row.eh?.['location']
    if (location !== undefined)
      expect(asked.headers.get('location')?.[0]).toMatch(new RegExp(location.slice(1)))
    expect(asked.seen?.target).toBe(row.s === 200 ? target : undefined)
    if (row.s === 200) expect(identityProblems(row, asked)).toEqual([])
  })
})

interface AttackRow {
  readonly id: string
  readonly url: string
  readonly anonymous: boolean
  readonly expectation: string
}

const unescaped = (text: string): string =>
  text
    .replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\n', '\n')

const attacks: readonly AttackRow[] = readFileSync('test/cases/attacks.txt', 'utf8')
  .split('\n')
  .filter((line) => /^(?:pth|hst)\d+ \| nx(?: ANON)? \|/.test(line))
  .flatMap((line) => {
    const [id = '', surface = '', input = '', expectation = ''] = line.split(' | ')
    return input.split(/ ; (?=\/|https?:)/).map((part) => {
      const url = unescaped(part.replace(/ \(.*$/, ''))
      return {
        id,
        url: url.startsWith('/') ? `https://app.example.com${url}` : url,
        anonymous: surface.endsWith('ANON'),
        expectation,
      }
    })
  })

describe.skipIf(nginxIsMissing('the attack rows through NGINX'))('an attack row through NGINX', () => {
  let estate: Estate
  beforeAll(async () => {
    estate = await startEstate({ policies: ATTACK_POLICIES }, nginxConfig)
  })
  afterAll(() => estate.close())

  /** The section `/public` covers its own path, and case is folded. */
  const statuses = ({ id, expectation }: AttackRow): readonly number[] => {
    if (id === 'pth19') return [200]
    if (id === 'pth11') return [403]
    return expectation.startsWith('REJ')
      ? [403, ...REFUSED_BY_NGINX]
      : [Number(expectation.slice(0, 3)), ...REFUSED_BY_NGINX]
  }

  it('pth23 ends where its line ends', async () => {
    const row = attacks.find(({ id }) => id === 'pth23')
    const asked = await estate.ask('app.example.com', { target: parts(row?.url ?? '')?.target ?? '' })
    // What is left is a request of HTTP/0.9, which has no host and gets no head.
    expect([row?.url.includes('\n'), asked.head.startsWith('HTTP/1'), asked.seen]).toEqual([
      true,
      false,
      undefined,
    ])
  })

  it.each(attacks.filter(({ id }) => id !== 'pth23'))('$id $url', async (row) => {
    const { host, target } = parts(row.url) ?? { host: '', target: '' }
    const session: Headers = row.anonymous ? [] : [['Cookie', estate.installation.cookie('dev', ['dev'])]]
    const asked = await estate.ask(host, {
      target,
      headers: [['X-Requested-With', 'XMLHttpRequest'], ...session],
    })
    expect(statuses(row)).toContain(asked.status)
    expect(asked.seen?.target).toBe(asked.status === 200 ? target : undefined)
  })

  it('are many', () => expect(attacks.length).toBeGreaterThan(25))
})

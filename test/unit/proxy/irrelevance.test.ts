// Whatever a client adds beside the headers that a dialect reads changes nothing: neither the verdict nor the identity.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLIENT_NAMES } from '../../../src/proxy/raw-headers.ts'
import type { Headers } from '../../support/dialect-cases.ts'
import { ask, CONTRACT_SET, SESSION_COOKIE } from './corridor.ts'

const ALICE: Headers = [['Cookie', `${SESSION_COOKIE}=alice`]]
const DECIDING = {
  nginx: ['x-original-url', 'x-original-method', 'x-postern-host'],
  forward: ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri'],
  ext: [],
} as const

type Name = keyof typeof DECIDING

const asked = (dialect: Name, path: string): { target: string; headers: Headers } => {
  switch (dialect) {
    case 'nginx':
      return {
        target: '/authz/nginx',
        headers: [
          ['X-Original-URL', `https://app.example.com${path}`],
          ['X-Original-Method', 'GET'],
        ],
      }
    case 'forward':
      return {
        target: '/authz/forward',
        headers: [
          ['X-Forwarded-Method', 'GET'],
          ['X-Forwarded-Proto', 'https'],
          ['X-Forwarded-Host', 'app.example.com'],
          ['X-Forwarded-Uri', path],
        ],
      }
    case 'ext':
      return { target: `/authz/ext${path}`, headers: [['Host', 'app.example.com']] }
  }
}

const readBy = (dialect: Name): ReadonlySet<string> =>
  new Set<string>([...CLIENT_NAMES, ...DECIDING[dialect], 'cookie', 'x-postern-key'])

const KNOWN = [
  ...DECIDING.nginx,
  ...DECIDING.forward,
  ...CLIENT_NAMES,
  'x-original-uri',
  'x-rewrite-url',
  'x-http-method-override',
  'x-forwarded-prefix',
  'x-forwarded-port',
  'x-forwarded-user',
  'forwarded',
  'x-auth-request-user',
  'x-auth-request-groups',
  'x-auth-request-email',
  'x-postern-assertion',
  'x-postern-auth',
  'x-middleware-subrequest',
  'remote-user',
]

/** A known name in another spelling, or any name at all. */
const name = fc.oneof(
  fc.constantFrom(...KNOWN),
  fc.constantFrom(...KNOWN).map((known) => known.replaceAll('-', '_')),
  fc.constantFrom(...KNOWN).map((known) => known.replaceAll('-', '.')),
  fc.constantFrom(...KNOWN).map((known) => known.replace('-', '_')),
  fc.constantFrom(...KNOWN).map((known) => `${known} `),
  fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/),
)

const value = fc.oneof(
  fc.constantFrom(
    '/public/x',
    'https://open.example.com/',
    'open.example.com',
    'root',
    'admins',
    'GET',
    'OPTIONS',
  ),
  fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,30}$/),
)

const extra = fc.array(fc.tuple(name, value, fc.boolean(), fc.nat(20)), { minLength: 1, maxLength: 8 })

describe.each(['nginx', 'forward', 'ext'] as const)('the %s dialect', (dialect) => {
  it.each(['/a', '/admin/x', '/public/a'])('answers for %s by its own headers alone', async (path) => {
    const read = readBy(dialect)
    await fc.assert(
      fc.asyncProperty(extra, fc.boolean(), async (added, signedIn) => {
        const { target, headers } = asked(dialect, path)
        const plain: (readonly [string, string])[] = [...headers, ...(signedIn ? ALICE : [])]
        const noisy = [...plain]
        for (const [label, text, upper, at] of added) {
          const spelled = upper ? label.toUpperCase() : label
          if (!read.has(spelled.toLowerCase())) noisy.splice(at % (noisy.length + 1), 0, [spelled, text])
        }
        // The client's address is nobody's business here: no rule reads it, and X-Real-IP may be among the noise.
        const answer = async (list: Headers) =>
          ask({ method: 'GET', target, rawHeaders: list.flat() }, { set: CONTRACT_SET })
        expect(await answer(noisy)).toEqual(await answer(plain))
      }),
      { numRuns: 150 },
    )
  })

  it('reads its own headers in any case of letters', async () => {
    const { target, headers } = asked(dialect, '/admin/x')
    const root: Headers = [['cookie', `${SESSION_COOKIE}=root`]]
    const upper = [...headers, ...root].map(([label, text]) => [label.toUpperCase(), text] as const)
    const answer = await ask({ method: 'GET', target, rawHeaders: upper.flat() }, { set: CONTRACT_SET })
    expect(answer?.status).toBe(200)
  })

  it('asks for its own headers, whatever those of the others say', async () => {
    const others = (['nginx', 'forward', 'ext'] as const).filter((one) => one !== dialect)
    const foreign = others.flatMap((one) => asked(one, '/public/a').headers)
    const rawHeaders = foreign.filter(([label]) => dialect !== 'ext' || label !== 'Host').flat()
    const target = dialect === 'ext' ? '/authz/ext/public/a' : `/authz/${dialect}`
    const answer = await ask({ method: 'GET', target, rawHeaders }, { set: CONTRACT_SET })
    expect(answer?.status).toBe(400)
  })
})

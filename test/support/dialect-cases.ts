// Reads test/cases/dialects.jsonl: what each proxy sends and what it must get. The same rows run through the pure
// functions, through HTTP and through real proxies; only who answers differs.
//
// A row: `px` N (nginx), F (forward), E (ext); `m`, `p` method and target of the subrequest; `h` headers added to the
// base of the dialect (null removes one, an array repeats it, `@7000` is that many bytes); `st` whose session the caller
// has; `s` status; `eh` headers expected (`~` = regular expression, `_bytes` = size of the head); `nh` headers that must
// be absent (`=202` a status that must not be); `cfg` configuration assumed; `k` T = also what another implementation
// tests, M = measured on real proxies, D = our own rule; `changed` why a row departs from its first version.
// `src` says where: AU Authelia, OP oauth2-proxy, IN ingress-nginx, NIC F5 NGINX Ingress, NG nginx, NT its tests,
// TR Traefik, CA Caddy, EV Envoy, IS Istio, EG Envoy Gateway, GW Gateway API, HA HAProxy, AP APISIX.
import { readFileSync } from 'node:fs'

export type Headers = readonly (readonly [string, string])[]

export interface DialectCase {
  readonly id: string
  readonly px: 'N' | 'F' | 'E'
  readonly m?: string
  readonly p?: string
  readonly h?: Readonly<Record<string, string | null | readonly string[]>>
  readonly st: string
  readonly s: number
  readonly eh?: Readonly<Record<string, string>>
  readonly nh?: readonly string[]
  readonly cfg?: { readonly proxyKey?: string }
  readonly why: string
  readonly changed?: string
}

/** What goes to the decision listener. */
export interface CaseRequest {
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly bodyBytes: number
}

/** What came back. */
export interface CaseAnswer {
  readonly status: number
  /** Lower-case name → every value, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly headBytes: number
}

/** All rows, in order. */
export const readDialectCases = (): readonly DialectCase[] =>
  readFileSync(new URL('../cases/dialects.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own test data
    .map((line) => JSON.parse(line) as DialectCase)

/** Path and base headers of the three dialects. */
const BASE: Readonly<Record<DialectCase['px'], { readonly target: string; readonly headers: Headers }>> = {
  N: {
    target: '/authz/nginx',
    headers: [
      ['Host', 'postern.internal'],
      ['X-Original-Method', 'GET'],
      ['X-Sent-From', 'nginx-ingress-controller'],
      ['X-Real-IP', '203.0.113.7'],
      ['X-Forwarded-For', '203.0.113.7'],
    ],
  },
  F: {
    target: '/authz/forward',
    headers: [
      ['Host', 'postern.internal'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'app.example.com'],
      ['X-Forwarded-For', '203.0.113.7'],
    ],
  },
  E: {
    target: '/authz/ext',
    headers: [
      ['Host', 'app.example.com'],
      ['X-Forwarded-Proto', 'https'],
      ['Content-Length', '0'],
    ],
  },
}

/**
 * Fills a row in.
 * @param sessionCookie `name=value` for the row's `st`; undefined where it stands for no session
 */
export const requestOf = (row: DialectCase, sessionCookie: string | undefined): CaseRequest => {
  const base = BASE[row.px]
  const own = Object.entries(row.h ?? {})
  const named = new Set(own.map(([name]) => name.toLowerCase()))
  const added = own
    .filter(([name]) => name !== '_body')
    .flatMap(([name, value]) => linesOf(name, value, sessionCookie))
  const cookie: Headers =
    sessionCookie === undefined || named.has('cookie') ? [] : [['Cookie', sessionCookie]]
  return {
    method: row.m ?? 'GET',
    target: row.p ?? base.target,
    headers: [...base.headers.filter(([name]) => !named.has(name.toLowerCase())), ...added, ...cookie],
    bodyBytes: row.h?.['_body'] === '1MiB' ? 1_048_576 : 0,
  }
}

const linesOf = (
  name: string,
  value: string | null | readonly string[],
  sessionCookie: string | undefined,
): Headers => {
  if (value === null) return []
  const values = typeof value === 'string' ? [value] : value
  return values.map((one) => [
    name,
    one
      .replace('<S>', sessionCookie ?? '')
      .replace(/^@(\d+)$/, (_, bytes: string) => 'x'.repeat(Number(bytes))),
  ])
}

/** What is wrong with an answer, in words; empty where it is as the row says. */
export const problemsOf = (row: DialectCase, answer: CaseAnswer): readonly string[] => [
  ...(answer.status === row.s ? [] : [`status ${answer.status}, not ${row.s}`]),
  ...Object.entries(row.eh ?? {}).flatMap(([name, want]) => headerProblem(name, want, answer)),
  ...(row.nh ?? []).flatMap((name) => absenceProblem(name, answer)),
]

const headerProblem = (name: string, want: string, answer: CaseAnswer): readonly string[] => {
  if (name === '_bytes') {
    const limit = Number(want.slice(1))
    return answer.headBytes < limit ? [] : [`a head of ${answer.headBytes} bytes, not under ${limit}`]
  }
  const values = answer.headers.get(name) ?? []
  const [value] = values
  if (value === undefined || values.length > 1) return [`${values.length} lines of ${name}`]
  const right = want.startsWith('~') ? new RegExp(want.slice(1)).test(value) : value === want
  return right ? [] : [`${name} is ${value}, not ${want}`]
}

const absenceProblem = (name: string, answer: CaseAnswer): readonly string[] => {
  if (name.startsWith('=')) return String(answer.status) === name.slice(1) ? [`status ${answer.status}`] : []
  return answer.headers.has(name) ? [`${name} is there`] : []
}

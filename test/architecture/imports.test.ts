// The house: a file imports its own folder and lower floors only, type imports included. Data flows one way.
import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Floor of each room, and what goes wrong when somebody reaches up or sideways into it. */
const FLOORS: Readonly<Record<string, { readonly floor: number; readonly why: string }>> = {
  policy: { floor: 0, why: 'the engine is pure: it serves server, CLI, tests and replay alike' },
  'policy-file': { floor: 1, why: 'files become a policy set; nothing about callers or wires belongs here' },
  identity: {
    floor: 1,
    why: 'credentials become an authentication; state and configuration come in as arguments',
  },
  state: {
    floor: 1,
    why: 'what replicas share is declared by those who need it, and joined in server/compose',
  },
  audit: { floor: 1, why: 'a record must be writable and readable without the service' },
  telemetry: { floor: 1, why: 'metrics are read through callbacks, so that no room depends on its observer' },
  config: { floor: 1, why: 'configuration is decoded once; rooms get plain values, not the file' },
  proxy: { floor: 2, why: 'dialects are pure: wire to exchange, decision to answer' },
  decide: { floor: 3, why: 'match, verify, evaluate on one screen' },
  staging: { floor: 4, why: 'stages choose between decisions, they do not make them' },
  signin: { floor: 4, why: 'signing in returns data; pages and listeners are above' },
  rehearse: { floor: 5, why: 'deciding on traffic that is not live uses the same walk' },
  inventory: { floor: 5, why: 'what exists is read without changing it' },
  migrate: { floor: 6, why: 'plans are text' },
  probe: { floor: 6, why: 'black-box checks know the wire only' },
  pages: { floor: 6, why: 'a page is data in, HTML out' },
  server: { floor: 7, why: 'the only place that knows every room' },
  demo: { floor: 8, why: 'the demo drives the server from outside' },
  cli: { floor: 9, why: 'commands use rooms; no room uses a command' },
}

/** The one room in which each library may be imported. */
const LIBRARY_ROOM: Readonly<Record<string, readonly string[]>> = {
  jose: ['identity'],
  'openid-client': ['signin'],
  'lru-cache': ['decide', 'identity'],
  pino: ['telemetry'],
  '@prometheus-io/client': ['telemetry'],
  yaml: ['policy-file', 'config'],
  commander: ['cli'],
  hono: ['server', 'pages', 'demo'],
  '@hono/node-server': ['server', 'demo'],
  'oidc-provider': ['demo'],
  zod: ['policy-file', 'config', 'audit'],
}

interface Import {
  readonly file: string
  readonly specifier: string
}

const sources = globSync('src/**/*.ts').map((file) => file.replaceAll('\\', '/'))

const importsOf = (file: string): readonly Import[] => {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
  )
  return [...found].map((match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? '' }))
}

const roomOf = (file: string): string => file.split('/')[1]?.replace(/\.ts$/, '') ?? ''

const complaint = ({ file, specifier }: Import): string | undefined => {
  const from = roomOf(file)
  if (file === 'src/main.ts') return undefined
  if (specifier.startsWith('.')) {
    const to = roomOf(posix.normalize(posix.join(posix.dirname(file), specifier)))
    const own = FLOORS[from]
    const other = FLOORS[to]
    if (from === to) return undefined
    if (own === undefined || other === undefined)
      return `${file} imports ${specifier}: ${to} is not a room of the house`
    if (other.floor < own.floor) return undefined
    return `${file} (floor ${own.floor}) imports ${specifier} (floor ${other.floor}): ${own.why}`
  }
  if (from === 'policy') return `${file} imports ${specifier}: policy/ has no npm and no Node import`
  const library = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : (specifier.split('/')[0] ?? '')
  const rooms = LIBRARY_ROOM[library]
  if (library.startsWith('node:') || rooms?.includes(from) === true) return undefined
  return `${file} imports ${specifier}: ${rooms === undefined ? 'no room has this library' : `it belongs to ${rooms.join(', ')}`}`
}

describe('imports', () => {
  it('finds the sources and their imports', () => {
    expect(sources.length).toBeGreaterThan(20)
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(sources.length)
  })

  it('go down or stay in the room, and each library stays in its room', () => {
    expect(
      sources
        .flatMap(importsOf)
        .map(complaint)
        .filter((one) => one !== undefined),
    ).toEqual([])
  })

  it.each([
    ['src/policy/match.ts', '../identity/carried.ts'],
    ['src/policy/match.ts', 'node:fs'],
    ['src/identity/claims.ts', '../state/journal.ts'],
    ['src/proxy/nginx.ts', '../decide/decide.ts'],
    ['src/audit/writer.ts', 'pino'],
  ])('would refuse %s importing %s', (file, specifier) => {
    expect(complaint({ file, specifier })).toMatch(/imports/)
  })
})

// A configuration, policies and a session for the benchmark, in a folder of its own.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Fixture {
  readonly folder: string
  readonly configFile: string
  /** `name=value` of a minted session that every route lets in. */
  readonly cookie: string
  /** Host of the route that the load asks for. */
  readonly host: string
  /** The bytes behind `session.key`. */
  readonly sessionKey: Uint8Array
  /** Writes one route's file anew, with another owner, so that a reload has something to load. */
  readonly change: (owner: string) => void
  readonly remove: () => void
}

export interface FixtureShape {
  readonly routes: number
  readonly rulesPerRoute: number
  /** Entries of the decision cache; 0 = off. */
  readonly cachedDecisions: number
  /** `off`: lines are built and thrown away by the system; the service has no switch that records nothing. */
  readonly log: 'file' | 'off'
  /** Of a cached decision; 60 s where it is not given. */
  readonly ttl?: string
}

const policy = (index: number, rules: number, owner = 'bench'): string => {
  const lines = Array.from(
    { length: rules - 1 },
    (_, i) => `  - {id: r${i}, groups: [team-${index}-${i}], methods: [GET, POST]}`,
  )
  return [
    'apiVersion: postern/v1',
    `route: app-${index}`,
    `owner: ${owner}`,
    `hosts: [app-${index}.example.com]`,
    'sections:',
    '- path: /',
    '  deny:',
    '  - {id: no-contractors, groups: [contractors]}',
    '  allow:',
    ...lines,
    '  - {id: sre, groups: [sre]}',
    '',
  ].join('\n')
}

/** Writes everything that `postern serve -c` needs and mints a session through the command line. */
export const makeFixture = (shape: FixtureShape): Fixture => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  mkdirSync(join(folder, 'policies'))
  const write = (index: number, owner?: string): void =>
    writeFileSync(join(folder, 'policies', `app-${index}.yaml`), policy(index, shape.rulesPerRoute, owner))
  // One route is enough to mint by; the others come after it.
  write(shape.routes - 1)
  const sessionKey = randomBytes(32)
  writeFileSync(join(folder, 'session.key'), sessionKey.toString('base64'))
  writeFileSync(join(folder, 'oidc.secret'), 'not-used')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(join(folder, 'assertion.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const configFile = join(folder, 'postern.yaml')
  writeFileSync(configFile, config(shape))
  const args = [
    'src/main.ts',
    'session',
    'mint',
    '-c',
    configFile,
    '--provider',
    'corp',
    '--sub',
    'ada',
    '--email',
    'ada@example.com',
    '--claim',
    'groups=["sre"]',
  ]
  const cookie = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()
  for (let index = 0; index < shape.routes - 1; index += 1) write(index)
  return {
    folder,
    configFile,
    cookie,
    host: `app-${shape.routes - 1}.example.com`,
    sessionKey,
    change: (owner) => write(0, owner),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** Runs with a fixture, and removes it whatever happens. */
export const withFixture = async <T>(
  shape: FixtureShape,
  use: (fixture: Fixture) => Promise<T>,
): Promise<T> => {
  const fixture = makeFixture(shape)
  try {
    return await use(fixture)
  } finally {
    fixture.remove()
  }
}

const config = (shape: FixtureShape): string =>
  [
    'apiVersion: postern/v1',
    'publicUrl: https://auth.example.com',
    'listen: {decision: "127.0.0.1:0", public: "127.0.0.1:0", admin: "127.0.0.1:0"}',
    'policies: ./policies',
    'proxies: {trusted: ["127.0.0.1/32"]}',
    'session: {keys: [{file: session.key}], domain: example.com, freshness: 12h}',
    'providers:',
    '- {id: corp, issuer: "https://idp.example.com", clientId: postern, clientSecret: {file: oidc.secret}, claims: {groups: groups}}',
    'assertion: {key: {file: assertion.pem}, alg: ES256, lifetime: 5m}',
    `cache: {decisions: ${shape.cachedDecisions}, ttl: ${shape.ttl ?? '60s'}}`,
    'state: {kind: memory}',
    `audit: {sink: ${shape.log === 'off' ? '{file: /dev/null}' : '{file: decisions.ndjson}'}}`,
    'log: {level: warn}',
    '',
  ].join('\n')

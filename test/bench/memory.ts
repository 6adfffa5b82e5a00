// Resident memory with the cache full: real requests, each a key of its own.
import { makeSeal } from '../../src/identity/seal.ts'
import { sealSession, SESSION_PURPOSE } from '../../src/identity/session-seal.ts'
import type { Session } from '../../src/identity/session.ts'
import { ask, checkText } from './asker.ts'
import { withFixture, type Fixture } from './fixture.ts'
import { summarize } from './paired.ts'
import type { Figure } from './report.ts'
import { build, residentMb, startPostern, withServers } from './server-process.ts'
import { checkHeaders, USUAL_SHAPE } from './throughput.ts'

const DECISIONS = 100_000
const CONNECTIONS = 16
/** Methods that the rules of the fixture name, and others: each is a key of its own. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT', 'MKCOL']

const sessionOf = (number: number, nowSeconds: number): Session => ({
  id: `bench-${String(number).padStart(16, '0')}`,
  provider: 'corp',
  subject: `person-${number}`,
  providerSession: undefined,
  authTimeSeconds: nowSeconds,
  amr: ['pwd'],
  acr: undefined,
  issuedAtSeconds: nowSeconds,
  expiresAtSeconds: nowSeconds + 3_600,
  revocationNumber: nowSeconds,
  claims: { groups: ['sre'], email: `person-${number}@example.com` },
  captured: ['email', 'groups', 'preferred_username'],
  cut: [],
  groupsRevision: undefined,
  emailVerified: true,
  stepUp: undefined,
  learnedAtSeconds: nowSeconds,
})

const BINDING = { name: '__Secure-postern', boundTo: 'example.com' }

/** One request for each of so many people and so many methods; then undefined. */
const requestsOf = (fixture: Fixture, people: number, methods: number): (() => string | undefined) => {
  const seal = makeSeal({ keys: [fixture.sessionKey], purpose: SESSION_PURPOSE })
  const nowSeconds = Math.floor(Date.now() / 1000)
  let index = 0
  let cookie = ''
  return () => {
    if (index >= people * methods) return undefined
    if (index % methods === 0) {
      const sealing = sealSession(seal, sessionOf(index / methods, nowSeconds), BINDING)
      if (sealing.kind !== 'sealed') throw new Error('the session does not fit')
      cookie = `${BINDING.name}=${sealing.value}`
    }
    const method = METHODS[index % methods] ?? 'GET'
    index += 1
    return checkText({ ...checkHeaders(fixture), 'X-Original-Method': method, Cookie: cookie })
  }
}

const residentWith = async (people: number, methods: number): Promise<{ idle: number; full: number }> =>
  withFixture({ ...USUAL_SHAPE, cachedDecisions: DECISIONS, ttl: '10m' }, (fixture) =>
    withServers([() => startPostern(fixture.configFile, 'dist/main.js')], async ([postern]) => {
      if (postern === undefined) throw new Error('no server')
      const idle = residentMb(postern.pid)
      await ask(postern.url, CONNECTIONS, requestsOf(fixture, people, methods))
      const entries = /postern_cache_entries (\d+)/.exec(
        await (await fetch(`${postern.urls[2]}/metrics`)).text(),
      )
      if (Number(entries?.[1]) < DECISIONS) throw new Error(`only ${entries?.[1]} decisions are kept`)
      return { idle, full: residentMb(postern.pid) }
    }),
  )

/** Ten decisions for each of ten thousand people, and one for each of a hundred thousand. */
export const measureMemory = async (): Promise<readonly Figure[]> => {
  build()
  const some = await residentWith(DECISIONS / METHODS.length, METHODS.length)
  const many = await residentWith(DECISIONS, 1)
  const budget = { value: 150, direction: 'at most', countNeeded: 1 } as const
  const one = (value: number) => summarize([value])
  return [
    { name: 'RSS without any decision', unit: 'MB', spread: one(some.idle) },
    { name: 'RSS, 100 000 decisions about 10 000 people', unit: 'MB', spread: one(some.full), budget },
    { name: 'RSS, 100 000 decisions about 100 000 people', unit: 'MB', spread: one(many.full), budget },
  ]
}

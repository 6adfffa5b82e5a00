// Every dialect case over HTTP: bytes in at the decision listener of a whole service, bytes out.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/config.ts'
import type { Session } from '../../src/identity/session.ts'
import { startPostern, type RunningPostern } from '../../src/server/serve.ts'
import { openMemoryState, type MemoryState } from '../../src/state/memory-state.ts'
import { CONTRACT_POLICIES } from '../support/contract-policies.ts'
import {
  problemsOf,
  readDialectCases,
  requestOf,
  type DialectCase,
  type Headers,
} from '../support/dialect-cases.ts'
import { makeInstallation, PROXY_KEY, SESSION_COOKIE, type Installation } from '../support/installation.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'

const UNKNOWN_SESSION = randomBytes(16).toString('base64url')
const REVOKED_SESSION = randomBytes(16).toString('base64url')

let installation: Installation
let postern: RunningPostern
let port = 0

/** A memory state that cannot tell about one session, as one does whose store is out of reach. */
const stateWithOutage = async (config: Config): Promise<MemoryState> => {
  const opening = await openMemoryState({
    file: undefined,
    nowSeconds: () => Date.now() / 1000,
    absoluteSeconds: config.session.absoluteMs / 1000,
    every: () => () => undefined,
    onFault: (why) => expect.fail(why),
  })
  if (opening.kind === 'refused') throw new Error(opening.why)
  const { state } = opening
  await state.revocations.revokeCredential(REVOKED_SESSION, undefined)
  return {
    ...state,
    revocations: {
      ...state.revocations,
      check: (one) => (one.id === UNKNOWN_SESSION ? 'unknown' : state.revocations.check(one)),
    },
  }
}

beforeAll(async () => {
  installation = await makeInstallation({ policies: CONTRACT_POLICIES, hostHeader: 'optional' })
  const loaded = loadConfig({ file: installation.configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  postern = await startPostern(loaded.config, { state: await stateWithOutage(loaded.config) })
  port = Number(new URL(postern.decisionUrl).port)
})
afterAll(async () => {
  await postern.close()
  await installation.remove()
})

const nowSeconds = Math.floor(Date.now() / 1000)

/** The cookie of a row's caller; undefined where he has none. */
const cookieOf = (st: string): string | undefined => {
  const [name = '', rest = ''] = st.split(/:(.*)/s)
  const cookie = (subject: string, groups: readonly string[], changes: Partial<Session> = {}): string =>
    installation.cookie(subject, groups, changes)
  switch (name) {
    case 'alice':
      return cookie('alice', ['readers', 'staff'])
    case 'root':
      return cookie('root', ['admins', 'staff'])
    case 'expired':
      return cookie('alice', ['staff'], { expiresAtSeconds: nowSeconds - 1 })
    case 'revoked':
      return cookie('alice', ['staff'], { id: REVOKED_SESSION })
    case 'store-down':
      return cookie('alice', ['staff'], { id: UNKNOWN_SESSION })
    case 'manygroups':
      return cookie(
        'many',
        Array.from({ length: 120 }, (_, index) => `team-${index}`),
      )
    case 'group':
      return cookie('grouped', [rest])
    case 'renew':
      return cookie(rest, ['readers', 'staff'], { issuedAtSeconds: nowSeconds - 2000 })
    case 'none':
      return undefined
    default:
      throw new Error(`no caller for ${st}`)
  }
}

const withKey = (headers: Headers): Headers =>
  headers.some(([name]) => name.toLowerCase() === 'x-postern-key')
    ? headers
    : [...headers, ['X-Postern-Key', PROXY_KEY]]

const ask = async (row: DialectCase) => {
  const request = requestOf(row, cookieOf(row.st))
  const body = 'x'.repeat(request.bodyBytes)
  const answer = await sendRaw(
    port,
    requestText(request.method, request.target, withKey(request.headers), body),
  )
  return { ...answer, headBytes: answer.head.length }
}

describe('dialect cases over HTTP', () => {
  it.each(readDialectCases().map((row) => [row.id, row.why, row] as const))('%s: %s', async (_, __, row) => {
    expect(problemsOf(row, await ask(row))).toEqual([])
  })

  it('every row answers with no-store, a decision id and at most one cookie', async () => {
    for (const row of readDialectCases()) {
      const { headers } = await ask(row)
      expect([row.id, headers.get('cache-control'), headers.get('x-accel-expires')]).toEqual([
        row.id,
        ['no-store'],
        ['0'],
      ])
      expect(headers.get('x-postern-decision')?.length).toBe(1)
      expect(headers.get('set-cookie')?.length ?? 0).toBeLessThanOrEqual(1)
    }
  })

  it('the cookie name is the one that the rows mean', () => {
    expect(cookieOf('alice')).toMatch(new RegExp(`^${SESSION_COOKIE}=`))
  })
})

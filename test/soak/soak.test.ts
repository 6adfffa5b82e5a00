// `npm run soak`: minutes under load, with a policy reload every second, sessions revoked as they go, groups that come and
// go, and a provider that does too. No wrong allow, no lost session, no lost log line, a flat heap.
import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { verifyFiles } from '../../src/audit/verify-files.ts'
import type { Finding, Note } from '../../src/audit/verify-finding.ts'
import { makeSeal } from '../../src/identity/seal.ts'
import { openSession, SESSION_PURPOSE } from '../../src/identity/session-seal.ts'
import { nginxGuardedHost, publicHost } from '../support/front-hosts.ts'
import { startTestProvider } from '../support/oidc-provider.ts'
import { startPosternProcess } from '../support/postern-process.ts'
import { untilReady } from '../support/running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  type ServiceFolder,
} from '../support/service-folder.ts'
import { APP, logIn, providerSettings, PUBLIC } from '../support/sign-in-world.ts'
import { makeBrowser } from '../unit/signin/browser.ts'
import { makeHeapGauge } from './heap.ts'
import { makeLedger } from './ledger.ts'
import { makeTimeline } from './timeline.ts'

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? '10')
const FRESHNESS_MS = 10_000
const LOOPS = 6
const PACE_MS = 4

const policyText = (revision: number): string => `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: in, groups: [sre, members, r${revision}]}]
- path: /flip
  allow: ${revision % 2 === 0 ? '[{id: in, groups: [sre]}]' : '[]'}
`

interface Answer {
  readonly status: number
  readonly id: string
}

/** The id that a session cookie of the service holds. */
const idOf = async (service: ServiceFolder, cookie: string): Promise<string | undefined> => {
  const seal = makeSeal({
    keys: [Buffer.from(await service.read('session.key'), 'base64')],
    purpose: SESSION_PURPOSE,
  })
  const value = cookie.slice(SESSION_COOKIE.length + 1)
  return openSession(seal, value, { name: SESSION_COOKIE, boundTo: 'example.com' })?.id
}

/** What `audit verify` says of the log. */
const proofOf = async (file: string): Promise<unknown> => {
  const findings: Finding[] = []
  const notes: Note[] = []
  const verdict = await verifyFiles(
    [file],
    { keys: undefined, expected: [] },
    { finding: (one) => findings.push(one), note: (one) => notes.push(one) },
    process.stdin,
  )
  if (verdict.kind === 'unreadable') return verdict
  return { kind: verdict.kind, ends: verdict.log.writers.map(({ end }) => end), findings, notes }
}

it(`holds for ${MINUTES} minutes`, { timeout: (MINUTES + 5) * 60_000 }, async () => {
  const provider = await startTestProvider(
    {
      clientId: 'postern',
      clientSecret: CLIENT_SECRET,
      redirectUris: [`${PUBLIC}/callback/corp`],
      postLogoutRedirectUris: [`${PUBLIC}/signed-out`],
    },
    { claimsInIdToken: true, endSession: true, refreshTokens: true },
  )
  const service = await makeServiceFolder({
    policies: { 'app.yaml': policyText(0) },
    settings: {
      publicUrl: PUBLIC,
      providers: [providerSettings(provider.issuer)],
      session: {
        keys: [{ file: 'session.key' }],
        domain: 'example.com',
        freshness: `${FRESHNESS_MS / 1000}s`,
      },
    },
  })
  const heap = await makeHeapGauge()
  const postern = await startPosternProcess(service.configFile, { env: heap.env })
  const ledger = makeLedger()
  const timeline = makeTimeline(FRESHNESS_MS)
  const agent = new Agent({ keepAlive: true, maxSockets: LOOPS + 2 })
  const hosts = new Map([
    ['login.example.com', publicHost(service.ports.public)],
    ['app.example.com', nginxGuardedHost(service.ports.decision)],
  ])

  const ask = (cookie: string | undefined, path: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        'X-Original-URL': `${APP}${path}`,
        'X-Original-Method': 'GET',
        Accept: 'application/json',
        ...(cookie === undefined ? {} : { Cookie: cookie }),
      }
      httpRequest(
        { port: service.ports.decision, host: '127.0.0.1', path: '/authz/nginx', agent, headers },
        (answer) => {
          answer.resume()
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, id: String(answer.headers['x-postern-decision']) }),
          )
        },
      )
        .on('error', reject)
        .end()
    })
  const told = async (
    who: string,
    cookie: string | undefined,
    path: string,
    expected: () => readonly number[],
  ): Promise<void> => {
    const before = expected()
    const answer = await ask(cookie, path)
    // What is right may change while the answer is under way: either is.
    ledger.take({ who, path, ...answer }, [...before, ...expected()])
  }
  const signIn = async (who: string): Promise<string> => {
    const browser = makeBrowser(hosts)
    await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), who)
    return `${SESSION_COOKIE}=${browser.cookie(SESSION_COOKIE)}`
  }

  const steady = await Promise.all(['ada', 'ada', 'ada', 'ada'].map(signIn))
  const refused = await Promise.all(['ben', 'ben'].map(signIn))
  provider.misbehave.groups = { cy: ['members'] }
  const leavers = await Promise.all(['cy', 'cy'].map(signIn))
  const revoked: string[] = []
  const startedMs = performance.now()
  const endsMs = startedMs + MINUTES * 60_000
  const goesOn = (): boolean => performance.now() < endsMs

  const load = async (loop: number): Promise<void> => {
    for (let turn = loop; goesOn(); turn += 1) {
      const path = `/d/${turn % 500}`
      await told('ada', steady[turn % steady.length], path, () => [200])
      await told('ben', refused[turn % refused.length], path, () => [403])
      await told('cy', leavers[turn % leavers.length], path, () => timeline.expected(performance.now()))
      await told('nobody', undefined, path, () => [401])
      await told('a forger', `${SESSION_COOKIE}=AAAA${loop}x${turn}`, path, () => [401])
      const ended = revoked[turn % Math.max(1, revoked.length)]
      if (ended !== undefined) await told('a revoked session', ended, path, () => [401])
      await pause(PACE_MS)
    }
  }
  const reload = async (): Promise<void> => {
    for (let revision = 1; goesOn(); revision += 1) {
      if (revision % 7 === 0) {
        await service.write('policies/app.yaml', 'apiVersion: postern/v1\nroute: app\nhosts: [')
        await untilReady(service, 'policy', /degraded/)
      }
      await service.write('policies/app.yaml', policyText(revision))
      await untilReady(service, 'policy', new RegExp(`^ok: .* generation ${revision + 1}$`))
      await told('ada', steady[0], '/flip', () => (revision % 2 === 0 ? [200] : [403]))
      await pause(1_000)
    }
  }
  const revoke = async (): Promise<void> => {
    while (goesOn()) {
      if (!timeline.isDown()) {
        const victim = await signIn('ada').catch(() => undefined)
        if (victim !== undefined) {
          const id = await idOf(service, victim)
          await told('a victim', victim, '/d/0', () => [200])
          const answer = await fetch(`${service.adminUrl}/admin/v1/sessions/revoke`, {
            method: 'POST',
            headers: { authorization: `Bearer ${service.adminToken}`, 'content-type': 'application/json' },
            body: JSON.stringify({ id }),
          })
          expect(answer.status).toBe(200)
          await told('a revoked session', victim, '/d/0', () => [401])
          revoked.push(victim)
          if (revoked.length > 20) revoked.shift()
        }
      }
      await pause(5_000)
    }
  }
  const turnProvider = async (): Promise<void> => {
    for (let turn = 0; goesOn(); turn += 1) {
      await pause(10_000)
      const down = turn % 3 === 2
      // Away before it is said, back after: what rests on it in between may rest on either.
      provider.misbehave.down = down
      timeline.setDown(down, performance.now())
      if (turn % 4 === 0) {
        const member = turn % 8 !== 0
        provider.misbehave.groups = { cy: member ? ['members'] : [] }
        timeline.setMember(member, performance.now())
      }
    }
    provider.misbehave.down = false
    timeline.setDown(false, performance.now())
  }
  const heaps: number[] = []
  const measure = async (): Promise<void> => {
    for (let minute = 1; goesOn(); minute += 1) {
      await pause(Math.max(0, Math.min(endsMs, startedMs + minute * 60_000) - performance.now()))
      const bytes = await heap.usedBytes()
      heaps.push(bytes)
      const statuses = JSON.stringify(ledger.byStatus())
      console.log(
        `minute ${minute}: ${(bytes / 1e6).toFixed(1)} MB after gc, ${ledger.answers()} answers ${statuses}, ${ledger.findings().length} findings`,
      )
    }
  }

  await Promise.all([
    ...Array.from({ length: LOOPS }, (_, loop) => load(loop)),
    reload(),
    revoke(),
    turnProvider(),
    measure(),
  ])
  postern.signal('SIGTERM')
  await postern.ended
  const lost = await ledger.compareWith([`${service.folder}/decisions.ndjson`])
  const proof = await proofOf(`${service.folder}/decisions.ndjson`)
  agent.destroy()
  await provider.close()
  await service.remove()
  expect(ledger.findings()).toEqual([])
  expect(lost).toEqual([])
  expect(proof).toEqual({ kind: 'read', ends: ['closed'], findings: [], notes: [] })
  // The first minutes fill what is kept; a short run has nothing to compare.
  if (MINUTES < 3) return
  const [early, late] = [heaps[1] ?? 0, heaps.at(-1) ?? 0]
  console.log(`heap: ${(late / early).toFixed(3)} of minute 2`)
  expect(late / early).toBeLessThanOrEqual(1.05)
})

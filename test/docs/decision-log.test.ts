// docs/decision-log.md says what the log says: its example is a line of a running service, its tables are the code's.
import { generateKeyPairSync } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { wholeChain } from '../../src/audit/append-chain.ts'
import { makeLogSigner } from '../../src/audit/log-key.ts'
import { decisionFields, EVENT_TYPES } from '../../src/audit/record.ts'
import { readLine } from '../../src/audit/read.ts'
import { REASON_CODES } from '../../src/policy/reason.ts'
import type { Authentication } from '../../src/policy/principal.ts'
import { makeInstallation, PROXY_KEY, type Installation } from '../support/installation.ts'
import { startTestPostern, type TestPostern } from '../support/postern.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'
import { blocksOf, tableBelow } from './markdown.ts'

const PAGE = 'docs/decision-log.md'
const page = readFileSync(PAGE, 'utf8')

/** Every string of the sources but the lists of all codes and types. */
const sources = globSync('src/**/*.ts')
  .filter((file) => !/(?:policy\/reason|audit\/record|pages\/denied|signin\/sign-in-decides)\.ts$/.test(file))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')

const isWritten = (word: string): boolean =>
  sources.includes(`'${word}'`) || sources.includes(`"type":"${word}"`)

describe('reason codes', () => {
  const rows = tableBelow(PAGE, 'Reason codes')

  it('are all in the table, in order', () => {
    expect(rows.map(([code]) => code)).toEqual(REASON_CODES)
  })

  it('are called reserved where nothing gives them, and only there', () => {
    const reserved = rows.filter((row) => row[2]?.includes('*reserved*') === true).map(([code]) => code)
    expect(reserved).toEqual(REASON_CODES.filter((code) => !isWritten(code)))
  })
})

describe('event types', () => {
  const rows = tableBelow(PAGE, 'Events')

  it('are all in the table, in order', () => {
    expect(rows.map(([type]) => type)).toEqual(EVENT_TYPES)
  })

  it('are called reserved where nothing writes them, and only there', () => {
    const reserved = rows.filter((row) => row[1] === '*reserved*').map(([type]) => type)
    expect(reserved).toEqual(EVENT_TYPES.filter((type) => !isWritten(type)))
  })
})

describe('the lines of the chain', () => {
  const rows = tableBelow(PAGE, 'Events')
  const fieldsOf = (type: string): readonly string[] =>
    [
      ...(rows.find(([name]) => name === type)?.[2] ?? '').replaceAll(/\(.*?\)/g, '').matchAll(/`([\w]+)`/g),
    ].map(([, name = '']) => name)

  it('have the fields that the table names, in order', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const signer = makeLogSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    const resume = {
      v: 1,
      type: 'log.resume',
      ts: '1970-01-01T00:00:00.000Z',
      after: 'a',
      bytes: 0,
      sha256: 'b',
    } as const
    const chain = await wholeChain([resume], { writerId: 'w', nowMs: () => 0, signer, checkpointMs: 1_000 })
    const lines = chain
      .trimEnd()
      .split('\n')
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a line of our own
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    for (const type of ['log.block', 'log.checkpoint', 'log.resume']) {
      const line = lines.findLast((one) => one['type'] === type) ?? {}
      const common = new Set(['v', 'type', 'ts', 'seq', 'w'])
      expect(Object.keys(line).filter((key) => !common.has(key))).toEqual(fieldsOf(type))
    }
  })

  it('have the block fields that their own table explains', () => {
    const explained = tableBelow(PAGE, 'The chain').flatMap(([names = '']) =>
      names.replaceAll('`', '').split(', '),
    )
    expect(explained).toEqual(fieldsOf('log.block'))
  })
})

const keysOf = (line: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(line).flatMap(([key, value]) =>
    key === 'sub' || key === 'src'
      ? [key, ...Object.keys(value ?? {}).map((inner) => `${key}.${inner}`)]
      : [key],
  )

describe('fields', () => {
  const documented = new Set(
    [...page.slice(0, page.indexOf('## Less of it')).matchAll(/^\| `([a-z.]+)` \|/gm)].map(
      (match) => match[1],
    ),
  )

  it('are all in the tables, and nothing else is', () => {
    const written = [VERIFIED, { kind: 'anonymous', note: 'expired' } as const].flatMap((authentication) => {
      const { body } = decisionFields({ ...RECORD, authentication })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a line of our own
      return keysOf(JSON.parse(`${body}}`) as Record<string, unknown>)
    })
    expect(documented).toEqual(new Set([...written, 'seq', 'w']))
  })
})

const VERIFIED: Authentication = {
  kind: 'verified',
  principal: {
    kind: 'person',
    credential: 'bearer',
    source: 'corp',
    subject: 'anna',
    client: 'cli',
    claims: new Map([['email', 'anna@example.com']]),
    assertable: new Set(['email']),
    captured: 'every',
    cut: new Set(),
    groupsComplete: true,
    emailVerified: true,
    amr: ['pwd'],
    acr: 'gold',
    authTimeSeconds: 1,
    multiFactor: true,
    multiFactorAcr: [],
    stepUp: { rule: 'r#a', atSeconds: 1 },
    sessionId: undefined,
    expiresAtSeconds: undefined,
  },
}

/** A record of which nothing is unknown. */
const RECORD: Parameters<typeof decisionFields>[0] = {
  nowMs: 2000,
  id: 'id',
  status: 200,
  decision: {
    outcome: 'allow',
    reason: 'ALLOW_RULE',
    identity: 'caller',
    route: 'r',
    section: '/',
    rule: 'r#a',
  },
  dialect: 'nginx',
  requestId: 'req',
  facts: {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a host of the test
    host: 'r.example.com' as never,
    method: 'GET',
    path: { raw: `/${'x'.repeat(600)}`, views: ['/a', '/b'], opaque: false },
    preflight: true,
    origin: 'https://r.example.com',
    clientIp: '10.8.0.7',
  },
  servedHost: 'served.example.com',
  assertedRoute: 'other',
  query: 'a=b',
  userAgent: 'curl',
  authentication: VERIFIED,
  readClaims: ['email'],
  peer: '127.0.0.1',
  policyRevision: 'p:1',
  network: 'vpn',
  cache: 'miss',
  elapsedUs: 1,
  note: 'note',
}

describe('the example', () => {
  let installation: Installation
  let postern: TestPostern

  beforeAll(async () => {
    installation = await makeInstallation({
      policies: { 'grafana.yaml': readFileSync('policies/grafana.yaml', 'utf8') },
    })
    postern = await startTestPostern(installation)
  })
  afterAll(async () => {
    await postern.close()
    await installation.remove()
  })

  const linesNow = (): readonly string[] =>
    readFileSync(join(installation.folder, 'decisions.ndjson'), 'utf8').split('\n').slice(0, -1)

  it('is a line of a running service', async () => {
    const [example] = blocksOf(PAGE).filter(({ language }) => language === 'json')
    const { status } = await sendRaw(
      installation.decisionPort,
      requestText('GET', '/authz/nginx', [
        ['X-Postern-Key', PROXY_KEY],
        ['X-Original-URL', 'https://grafana.example.com/d/abc/latency?from=now-6h'],
        ['X-Original-Method', 'GET'],
        ['X-Postern-Host', 'grafana.example.com'],
        ['X-Real-IP', '10.8.0.7'],
        ['X-Request-ID', 'b1946ac9'],
        ['User-Agent', 'curl/8.5.0'],
        ['Cookie', installation.cookie('anna', ['eng'])],
      ]),
    )
    expect(status).toBe(200)
    const line = await vi.waitFor(() => {
      const found = linesNow().find((one) => one.includes('"type":"decision"'))
      if (found === undefined) throw new Error('not written yet')
      return found
    })
    expect(steady(line)).toEqual(steady(example?.text ?? ''))
    expect(Object.keys(steady(line))).toEqual(Object.keys(steady(example?.text ?? '')))
    expect(readLine(line, 1).kind).toBe('decision')
  })
})

/** Without what differs from run to run; that it is there, and of which kind, stays. */
const steady = (text: string): Readonly<Record<string, unknown>> => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a line of our own
  const line = JSON.parse(text) as Record<string, unknown>
  const changing = ['ts', 'id', 'policy', 'us', 'seq', 'w', 'qh']
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a line of our own
  const sub = { ...(line['sub'] as Record<string, unknown>), age: 'number' }
  return Object.fromEntries(
    Object.entries({ ...line, sub }).map(([key, value]) => [
      key,
      changing.includes(key) ? typeof value : value,
    ]),
  )
}

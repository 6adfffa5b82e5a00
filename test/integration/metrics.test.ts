// What a scraper gets: a format that parses, counts that match what was decided, and nobody's name or host.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { P0_POLICIES } from '../support/contract-policies.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'
import { askForward, askNginx, seriesOf, startService, totalOf, until } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

let service: ServiceFolder
let postern: RunningPostern
let issuer: TokenIssuer
const clock = { aheadMs: 0 }

beforeAll(async () => {
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
  issuer = await startTokenIssuer()
  service = await makeServiceFolder({
    settings: {
      issuers: [{ id: 'ci', issuer: issuer.issuer, audience: 'postern-test' }],
      session: { keys: [{ file: 'session.key' }], domain: 'example.com', freshness: '12h' },
    },
    policies: {
      ...P0_POLICIES,
      'ending.yaml': `apiVersion: postern/v1
route: ending
owner: team
hosts: [ending.example.com]
sections:
- path: /
  allow: [{id: guests, groups: [guests], until: ${soon}}, {id: staff, groups: [staff]}]
`,
    },
  })
  postern = await startService(service, { nowMs: () => Date.now() + clock.aheadMs })
})
afterAll(async () => {
  await postern.close()
  await issuer.close()
  await service.remove()
})

const scrape = async (
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly type: string; readonly text: string }> => {
  const response = await fetch(`${service.adminUrl}/metrics`, { headers })
  expect(response.status).toBe(200)
  return { type: response.headers.get('content-type') ?? '', text: await response.text() }
}

interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

/** Reads the text exposition format; throws at a line that is none. */
const samplesOf = (text: string): readonly Sample[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const parts = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
      if (parts === null) throw new Error(`no sample: ${line}`)
      const [, name = '', labels = '', value = ''] = parts
      const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)]
      expect(pairs.map(([whole]) => whole).join('')).toBe(labels)
      return {
        name,
        labels: new Map(pairs.map(([, key = '', word = '']) => [key, word] as const)),
        value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
      }
    })

describe('the text of a scrape', () => {
  it('parses, with a type and a help for each metric and no series twice', async () => {
    const { type, text } = await scrape()
    expect(type).toMatch(/^text\/plain; ?version=/)
    expect(text.endsWith('\n')).toBe(true)
    const samples = samplesOf(text)
    for (const { value } of samples) expect(Number.isNaN(value)).toBe(false)
    const typed = [...text.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/gm)].map(
      ([, name]) => name,
    )
    const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name)
    expect(new Set(typed).size).toBe(typed.length)
    expect(new Set(helped)).toEqual(new Set(typed))
    for (const { name } of samples)
      expect(typed.some((one) => name === one || name.replace(/_(?:bucket|sum|count)$/, '') === one)).toBe(
        true,
      )
    const series = samples.map(({ name, labels }) => `${name} ${JSON.stringify([...labels])}`)
    expect(new Set(series).size).toBe(series.length)
  })

  it('is OpenMetrics for whoever asks for it, with the same series', async () => {
    const { type, text } = await scrape({
      accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
    })
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(text.endsWith('\n# EOF\n')).toBe(true)
    expect(text.match(/^# EOF$/gm)).toHaveLength(1)
    const blocks = text.split(/^(?=# HELP )/m)
    for (const block of blocks) {
      const [, name = '', kind = ''] =
        /^# HELP \S+ \S.*\n# TYPE (\S+) (counter|gauge|histogram|summary)\n/.exec(block) ?? []
      expect([block.slice(0, 80), kind]).not.toEqual([block.slice(0, 80), ''])
      if (kind === 'counter') expect(name).not.toMatch(/_total$/)
      const suffixes = { counter: ['_total'], gauge: [''], summary: ['', '_sum', '_count'] }[kind] ?? [
        '_bucket',
        '_sum',
        '_count',
      ]
      // Of one family all samples stand together, each with a suffix of its kind.
      for (const sample of samplesOf(block))
        expect(suffixes.map((suffix) => name + suffix)).toContain(sample.name)
      for (const { labels } of samplesOf(block))
        if (labels.has('le')) expect(labels.get('le')).toMatch(/^(?:\+Inf|\d+\.\d+)$/)
    }
    const names = (source: string): readonly string[] =>
      samplesOf(source)
        .map(({ name }) => name)
        .filter((name) => name.startsWith('postern_'))
    expect(names(text)).toEqual(names((await scrape()).text))
  })

  it('tells how the process fares, its event loop included', async () => {
    const names = new Set(samplesOf((await scrape()).text).map(({ name }) => name))
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(names).toContain(name)
  })

  it('has histograms whose buckets rise to their count', async () => {
    const samples = samplesOf((await scrape()).text)
    for (const cache of ['hit', 'miss']) {
      const of = (suffix: string): readonly number[] =>
        samples
          .filter(
            ({ name, labels }) =>
              name === `postern_decision_duration_seconds${suffix}` && labels.get('cache') === cache,
          )
          .map(({ value }) => value)
      const buckets = of('_bucket')
      expect(buckets.length).toBeGreaterThan(5)
      expect(buckets.toSorted((one, other) => one - other)).toEqual(buckets)
      expect(buckets.at(-1)).toBe(of('_count')[0])
    }
  })

  it('warns of a rule that ends soon, and of no other', async () => {
    const rules = await seriesOf(service, 'postern_until_seconds')
    expect([...rules.keys()]).toEqual(['{route="ending",rule="guests"}'])
    for (const seconds of rules.values()) expect(seconds).toBeGreaterThan(4 * 86_400)
  })

  it('names the policy in force', async () => {
    const revision = /revision (\S+)/.exec(
      await (await fetch(`${service.adminUrl}/readyz?verbose`)).text(),
    )?.[1]
    expect([...(await seriesOf(service, 'postern_build_info')).keys()]).toEqual([
      expect.stringContaining(`policy="${revision}"`),
    ])
  })
})

describe('what was decided', () => {
  const counts = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries(
      samplesOf((await scrape()).text)
        .filter(({ name }) => name === 'postern_decisions_total')
        .map(({ labels, value }) => [
          `${labels.get('route')} ${labels.get('result')} ${labels.get('reason')}`,
          value,
        ]),
    )

  it('is counted, by route, result and reason, each once', async () => {
    const before = await counts()
    const [dev, root] = [
      service.cookie('alice-in-metrics', ['dev']),
      service.cookie('root-in-metrics', ['admins']),
    ]
    for (const _ of [1, 2, 3]) await askNginx(service, 'https://app.example.com/x', { cookie: dev })
    await askNginx(service, 'https://app.example.com/admin', { cookie: dev })
    await askForward(service, 'https://secure.example.com/', { cookie: root })
    await askForward(service, 'https://secure.example.com/')
    for (const host of ['one', 'two', 'three'])
      await askNginx(service, `https://${host}-in-metrics.example.org/`)
    await askNginx(service, 'https://pub.example.com/a')
    await askNginx(service, 'https://app.example.com/%zz')
    await sendRaw(service.ports.decision, requestText('GET', '/nowhere-in-metrics', []))
    const after = await counts()
    const added = Object.fromEntries(
      Object.entries(after)
        .map(([series, value]) => [series, value - (before[series] ?? 0)] as const)
        .filter(([, value]) => value !== 0),
    )
    expect(added).toEqual({
      'app allow ALLOW_RULE': 3,
      'app deny DENY_NO_RULE': 1,
      'secure allow ALLOW_RULE': 1,
      'secure challenge CHALLENGE_NO_CREDENTIAL': 1,
      '_other deny DENY_NO_ROUTE': 3,
      'pub allow ALLOW_PUBLIC': 1,
      '_other deny DENY_BAD_REQUEST': 1,
      '_other deny ERROR_INTEGRATION': 1,
    })
  })

  it('matches the durations, the log, and the look-ups of the cache', async () => {
    const decided = await totalOf(service, 'postern_decisions_total')
    expect(await totalOf(service, 'postern_decision_duration_seconds_count')).toBe(decided)
    await until(
      async () => (await service.log()).filter(({ type }) => type === 'decision').length,
      (lines) => lines === decided,
    )
    const lookups = await seriesOf(service, 'postern_cache_requests_total')
    const lines = (await service.log()).filter(({ type }) => type === 'decision')
    expect(lookups.get('{cache="decisions",outcome="hit"}')).toBe(
      lines.filter(({ cache }) => cache === 'hit').length,
    )
    expect(lookups.get('{cache="decisions",outcome="hit"}')).toBe(2)
  })

  it('a request that nobody could read is counted apart, with a line', async () => {
    const decisions = async (): Promise<number> =>
      (await service.log()).filter(({ type }) => type === 'decision').length
    const before = await decisions()
    expect(await totalOf(service, 'postern_unreadable_requests_total')).toBe(0)
    await sendRaw(service.ports.decision, 'nonsense\r\n\r\n')
    expect(await totalOf(service, 'postern_unreadable_requests_total')).toBe(1)
    await until(decisions, (count) => count === before + 1)
  })

  it('a failed sign-in is counted by provider, whatever the browser called it', async () => {
    for (const path of ['/callback/corp?state=x&code=y', '/callback/made-up-in-metrics?state=x'])
      await fetch(`${postern.publicAddress}${path}`)
    const series = [...(await seriesOf(service, 'postern_signin_total')).keys()]
    expect(series).toContain('{provider="corp",outcome="failed"}')
    expect(series.join()).not.toContain('made-up')
  })

  it('is told beside the time that providers and issuers take, by what came of it', async () => {
    const timed = (): Promise<ReadonlyMap<string, number>> =>
      seriesOf(service, 'postern_upstream_request_duration_seconds_count')
    // Discovery and keys of the issuer.
    await until(timed, (series) => series.get('{target="jwks",outcome="ok"}') === 2)
    await sendRaw(
      service.ports.public,
      requestText('GET', '/sign-in?rd=https://app.example.com/', [
        ['Host', 'login.example.com'],
        ['Sec-Fetch-Mode', 'navigate'],
        ['Accept', 'text/html'],
      ]),
    )
    await until(timed, (series) => (series.get('{target="idp",outcome="failed"}') ?? 0) > 0)
    expect([...(await timed()).keys()].join()).not.toContain('127.0.0.1')
  })

  it('tells how many sessions are in use, until they are idle', async () => {
    const active = (): Promise<number> => totalOf(service, 'postern_sessions_active')
    const before = await active()
    const cookies = ['one', 'two'].map((who) => service.cookie(`${who}-in-metrics`, ['dev']))
    for (const cookie of [...cookies, ...cookies])
      await askNginx(service, 'https://app.example.com/x', { cookie })
    await askNginx(service, 'https://pub.example.com/a')
    expect((await active()) - before).toBe(2)
    clock.aheadMs = 3_599_000 - 60_000
    await askNginx(service, 'https://app.example.com/x', { cookie: cookies[0] })
    expect(await active()).toBeGreaterThanOrEqual(2)
    clock.aheadMs = 3_700_000
    expect(await active()).toBe(1)
    clock.aheadMs = 0
  })

  it('names nobody and no host', async () => {
    const { text } = await scrape()
    expect(text).not.toContain('in-metrics')
    expect(text).not.toContain('example')
    for (const { name, labels } of samplesOf(text))
      if (name.startsWith('postern_'))
        for (const key of labels.keys())
          expect([
            'route',
            'stage',
            'result',
            'reason',
            'outcome',
            'target',
            'kind',
            'provider',
            'version',
            'policy',
            'issuer',
            'rule',
            'cache',
            'le',
          ]).toContain(key)
  })

  it('stays small however many hosts and methods are tried', async () => {
    // Of our own: garbage is collected in a new way at any time.
    const sizeOf = async (): Promise<number> =>
      samplesOf((await scrape()).text).filter(({ name }) => name.startsWith('postern_')).length
    const before = await sizeOf()
    for (let index = 0; index < 60; index += 1)
      await askNginx(service, `https://h${index}.example.net/p${index}`, {
        method: `M${'A'.repeat(index % 30)}`,
      })
    expect((await sizeOf()) - before).toBeLessThanOrEqual(1)
  })
})

// What a scraper gets: a format that parses, counts that match what was decided, and nobody's name or host.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { P0_POLICIES } from '../support/contract-policies.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'
import { askForward, askNginx, seriesOf, startService, totalOf, until } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

let service: ServiceFolder
let postern: RunningPostern

beforeAll(async () => {
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
  service = await makeServiceFolder({
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
  postern = await startService(service)
})
afterAll(async () => {
  await postern.close()
  await service.remove()
})

const scrape = async (): Promise<{ readonly type: string; readonly text: string }> => {
  const response = await fetch(`${service.adminUrl}/metrics`)
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
    expect(lookups.get('{outcome="hit"}')).toBe(lines.filter(({ cache }) => cache === 'hit').length)
    expect(lookups.get('{outcome="hit"}')).toBe(2)
  })

  it('a request that nobody could read is counted apart, with a line', async () => {
    const before = (await service.log()).length
    expect(await totalOf(service, 'postern_unreadable_requests_total')).toBe(0)
    await sendRaw(service.ports.decision, 'nonsense\r\n\r\n')
    expect(await totalOf(service, 'postern_unreadable_requests_total')).toBe(1)
    await until(service.log, (lines) => lines.length === before + 1)
  })

  it('a failed sign-in is counted by provider, whatever the browser called it', async () => {
    for (const path of ['/callback/corp?state=x&code=y', '/callback/made-up-in-metrics?state=x'])
      await fetch(`${postern.publicAddress}${path}`)
    const series = [...(await seriesOf(service, 'postern_signin_total')).keys()]
    expect(series).toContain('{provider="corp",outcome="failed"}')
    expect(series.join()).not.toContain('made-up')
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
    const sizeOf = async (): Promise<number> => samplesOf((await scrape()).text).length
    const before = await sizeOf()
    for (let index = 0; index < 60; index += 1)
      await askNginx(service, `https://h${index}.example.net/p${index}`, {
        method: `M${'A'.repeat(index % 30)}`,
      })
    expect((await sizeOf()) - before).toBeLessThanOrEqual(1)
  })
})

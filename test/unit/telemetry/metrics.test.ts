import { describe, expect, it } from 'vitest'
import type { MetricPorts } from '../../../src/telemetry/gauges.ts'
import { makeMetrics } from '../../../src/telemetry/metrics.ts'
import { makeUpstreamTimes } from '../../../src/telemetry/upstream-times.ts'

const PORTS: MetricPorts = {
  version: '1.2.3',
  cacheEntries: () => 7,
  audit: () => ({ written: 11, dropped: 2, failedWrites: 1, pending: 99 }),
  sessionsActive: () => 5,
  lastReloadSucceeded: () => false,
  lastReloadAtSeconds: () => 1_764_000_000,
  policyRevision: () => 'p:1',
  jwksAgesSeconds: () => new Map([['ci', 12]]),
  endingRules: () => [{ route: 'app', rule: 'old', inSeconds: 86_400 }],
  upstream: makeUpstreamTimes(() => 0),
}

const valueOf = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

describe('metrics', () => {
  it('count decisions by route, result and reason, and their duration by cache outcome', async () => {
    const metrics = makeMetrics(PORTS)
    metrics.decision('app', 'allow', 'ALLOW_RULE', 0.0002, 'hit')
    metrics.decision('app', 'allow', 'ALLOW_RULE', 0.3, 'hit')
    metrics.decision(undefined, 'deny', 'DENY_NO_ROUTE', 2, 'miss')
    const { text } = await metrics.expose()
    const decisions = 'postern_decisions_total{route="app",stage="live",result="allow",reason="ALLOW_RULE"}'
    expect(valueOf(text, decisions)).toBe(2)
    expect(
      valueOf(
        text,
        'postern_decisions_total{route="_other",stage="live",result="deny",reason="DENY_NO_ROUTE"}',
      ),
    ).toBe(1)
    expect(valueOf(text, 'postern_decision_duration_seconds_bucket{cache="hit",le="0.00025"}')).toBe(1)
    expect(valueOf(text, 'postern_decision_duration_seconds_bucket{cache="hit",le="1"}')).toBe(2)
    expect(valueOf(text, 'postern_decision_duration_seconds_bucket{cache="miss",le="1"}')).toBe(0)
    expect(valueOf(text, 'postern_decision_duration_seconds_bucket{cache="miss",le="+Inf"}')).toBe(1)
    expect(valueOf(text, 'postern_decision_duration_seconds_count{cache="hit"}')).toBe(2)
  })

  it('are the same at the next scrape: reading does not count', async () => {
    const metrics = makeMetrics(PORTS)
    metrics.cacheLookup('hit')
    await metrics.expose()
    expect(
      valueOf((await metrics.expose()).text, 'postern_cache_requests_total{cache="decisions",outcome="hit"}'),
    ).toBe(1)
  })

  it('say how many counts found no room, and lose none of them', async () => {
    const metrics = makeMetrics(PORTS)
    for (let i = 0; i < 6_000; i += 1) metrics.signIn(`provider-${i}`, 'failed')
    const { text } = await metrics.expose()
    expect(valueOf(text, 'postern_signin_total{provider="provider-0",outcome="failed"}')).toBe(1)
    expect(valueOf(text, 'postern_signin_total{provider="_other",outcome="_other"}')).toBe(1_000)
    expect(valueOf(text, 'postern_metric_label_overflow_total')).toBe(1_000)
  })

  it('keep series apart whose labels only look alike', async () => {
    const metrics = makeMetrics(PORTS)
    metrics.credential('a', 'b')
    metrics.credential('b', 'a')
    metrics.credential('a', 'b')
    metrics.credential('ab', '')
    const { text } = await metrics.expose()
    expect(valueOf(text, 'postern_credential_verifications_total{kind="a",outcome="b"}')).toBe(2)
    expect(valueOf(text, 'postern_credential_verifications_total{kind="b",outcome="a"}')).toBe(1)
    expect(valueOf(text, 'postern_credential_verifications_total{kind="ab",outcome=""}')).toBe(1)
  })

  it('of one service are none of another', async () => {
    const [one, other] = [makeMetrics(PORTS), makeMetrics(PORTS)]
    one.fault()
    expect(valueOf((await one.expose()).text, 'postern_faults_total')).toBe(1)
    expect(valueOf((await other.expose()).text, 'postern_faults_total')).toBe(0)
  })

  it('are text that a scraper reads: a type and a help for each family, each series once', async () => {
    const metrics = makeMetrics(PORTS)
    metrics.decision('app', 'allow', 'ALLOW_RULE', 0.0002, 'hit')
    const { text, contentType } = await metrics.expose()
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    const rows = text.split('\n').filter((line) => line !== '')
    const series = rows
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')))
    expect(new Set(series).size).toBe(series.length)
    const typed = new Map(
      rows
        .filter((line) => line.startsWith('# TYPE '))
        .map((line) => [line.split(' ')[2], line.split(' ')[3]]),
    )
    const family = (name: string): string => name.replace(/\{.*$/, '')
    const untyped = series
      .map(family)
      .filter((name) => !typed.has(name) && !typed.has(name.replace(/_(?:bucket|sum|count)$/, '')))
    expect(untyped).toEqual([])
    expect(
      [...typed].filter(([name, type]) => /^postern_.*_total$/.test(name ?? '') && type !== 'counter'),
    ).toEqual([])
    expect(typed.get('postern_decision_duration_seconds')).toBe('histogram')
    expect(
      [...typed.keys()].filter((name) => /^(?:nodejs_eventloop_lag|process_cpu)/.test(name ?? '')).length,
    ).toBeGreaterThan(1)
  })

  it.each([
    'postern_decisions_total',
    'postern_decision_duration_seconds',
    'postern_cache_requests_total',
    'postern_cache_entries',
    'postern_credential_verifications_total',
    'postern_signin_total',
    'postern_upstream_request_duration_seconds',
    'postern_sessions_active',
    'postern_metric_label_overflow_total',
    'postern_audit_lines_total',
    'postern_audit_failed_writes_total',
    'postern_audit_dropped_total',
    'postern_audit_queue_bytes',
    'postern_config_last_reload_success',
    'postern_config_last_reload_timestamp_seconds',
    'postern_jwks_age_seconds',
    'postern_build_info',
    'postern_until_seconds',
  ])('are there from the first scrape on: %s', async (name) => {
    expect((await makeMetrics(PORTS).expose()).text).toContain(`# TYPE ${name} `)
  })

  it('read their gauges at the scrape', async () => {
    const { text } = await makeMetrics(PORTS).expose()
    expect(valueOf(text, 'postern_cache_entries')).toBe(7)
    expect(valueOf(text, 'postern_sessions_active')).toBe(5)
    expect(valueOf(text, 'postern_audit_lines_total')).toBe(11)
    expect(valueOf(text, 'postern_audit_failed_writes_total')).toBe(1)
    expect(valueOf(text, 'postern_audit_dropped_total')).toBe(2)
    expect(valueOf(text, 'postern_audit_queue_bytes')).toBe(99)
    expect(valueOf(text, 'postern_config_last_reload_success')).toBe(0)
    expect(valueOf(text, 'postern_config_last_reload_timestamp_seconds')).toBe(1_764_000_000)
    expect(valueOf(text, 'postern_jwks_age_seconds{issuer="ci"}')).toBe(12)
    expect(valueOf(text, 'postern_until_seconds{route="app",rule="old"}')).toBe(86_400)
    expect(valueOf(text, 'postern_build_info{version="1.2.3",policy="p:1"}')).toBe(1)
  })

  it('give a route beyond the cap no series of its own', async () => {
    const metrics = makeMetrics(PORTS)
    for (let i = 0; i < 500; i += 1) metrics.decision(`app-${i}`, 'allow', 'ALLOW_RULE', 0, 'hit')
    const { text } = await metrics.expose()
    expect(text.split('\n').filter((line) => line.startsWith('postern_decisions_total{'))).toHaveLength(201)
    expect(
      valueOf(
        text,
        'postern_decisions_total{route="_other",stage="live",result="allow",reason="ALLOW_RULE"}',
      ),
    ).toBe(300)
    expect(valueOf(text, 'postern_metric_label_overflow_total')).toBe(300)
  })

  it('count what no route owns as `_other` without calling it an overflow', async () => {
    const metrics = makeMetrics(PORTS)
    for (let i = 0; i < 500; i += 1) metrics.decision(undefined, 'deny', 'DENY_NO_ROUTE', 0, 'miss')
    expect(valueOf((await metrics.expose()).text, 'postern_metric_label_overflow_total')).toBe(0)
  })

  it('let others run in the middle of a long scrape', async () => {
    const metrics = makeMetrics(PORTS)
    for (let i = 0; i < 5_000; i += 1) metrics.signIn(`provider-${i}`, 'failed')
    let turns = 0
    const scrape = metrics.expose().then(() => 'done')
    const turn = (): Promise<string> => new Promise((resolve) => setImmediate(resolve, 'turn'))
    while ((await Promise.race([scrape, turn()])) === 'turn') turns += 1
    expect(turns).toBeGreaterThan(10)
  })
})

import { describe, expect, it } from 'vitest'
import { makeLogger } from '../../../src/telemetry/logger.ts'
import { makeMetrics, type MetricPorts } from '../../../src/telemetry/metrics.ts'

const PORTS: MetricPorts = {
  version: '1.2.3',
  cacheEntries: () => 7,
  auditDropped: () => 2,
  auditPendingBytes: () => 99,
  lastReloadSucceeded: () => false,
  lastReloadAtSeconds: () => 1_764_000_000,
  policyRevision: () => 'p:1',
  jwksAgesSeconds: () => new Map([['ci', 12]]),
  endingRules: () => [{ route: 'app', rule: 'old', inSeconds: 86_400 }],
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
        'postern_decisions_total{route="_none",stage="live",result="deny",reason="DENY_NO_ROUTE"}',
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
    expect(valueOf((await metrics.expose()).text, 'postern_cache_requests_total{outcome="hit"}')).toBe(1)
  })

  it('read their gauges at the scrape', async () => {
    const { text } = await makeMetrics(PORTS).expose()
    expect(valueOf(text, 'postern_cache_entries')).toBe(7)
    expect(valueOf(text, 'postern_config_last_reload_success')).toBe(0)
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
  })
})

describe('the service log', () => {
  it('writes an error by name, code and message, without what it carries', () => {
    const lines: string[] = []
    const log = makeLogger('info', { write: (line) => lines.push(line) })
    const error = Object.assign(
      new Error('connect failed', { cause: { headers: { cookie: 'PLANTED-SECRET' } } }),
      { code: 'ECONNREFUSED', request: 'PLANTED-SECRET' },
    )
    log.error(error, 'discovery failed', { provider: 'corp' })
    const line = JSON.parse(lines.join('')) as Record<string, unknown>
    expect(line).toMatchObject({
      level: 'error',
      msg: 'discovery failed',
      provider: 'corp',
      error: 'Error',
      code: 'ECONNREFUSED',
      detail: 'connect failed',
    })
    expect(lines.join('')).not.toContain('PLANTED-SECRET')
  })
})

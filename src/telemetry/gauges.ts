// What others keep and a scrape reads: gauges, and counters that somebody else counts.
import type { Family, Sample } from './exposition.ts'
import type { UpstreamTimes } from './upstream-times.ts'

/** Read at a scrape. */
export interface MetricPorts {
  readonly version: string
  readonly cacheEntries: () => number
  readonly audit: () => {
    readonly written: number
    readonly dropped: number
    readonly failedWrites: number
    /** Bytes that wait. */
    readonly pending: number
  }
  /** Sessions whose last use lies within the idle limit. */
  readonly sessionsActive: () => number
  readonly lastReloadSucceeded: () => boolean
  /** Epoch seconds of the policy set in force. */
  readonly lastReloadAtSeconds: () => number
  readonly policyRevision: () => string
  /** Issuer id → age of its keys in seconds; issuers without keys are left out. */
  readonly jwksAgesSeconds: () => ReadonlyMap<string, number>
  /** `until` dates of rules that end within a fortnight. */
  readonly endingRules: () => readonly {
    readonly route: string
    readonly rule: string
    readonly inSeconds: number
  }[]
  readonly upstream: Pick<UpstreamTimes, 'series'>
}

type Read = () => readonly Sample[]

const family = (
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  labelNames: readonly string[],
  read: Read,
): Family => ({ name, help, type, series: () => [{ labelNames, samples: read() }] })

/** One number without labels. */
export const plainFamily = (
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: () => number,
): Family => family(type, name, help, [], () => [{ labels: [], value: read() }])

/** Everything that is read at a scrape. */
export const readFamilies = (ports: MetricPorts): readonly Family[] => [
  plainFamily('gauge', 'postern_cache_entries', 'Entries of the decision cache', ports.cacheEntries),
  plainFamily(
    'gauge',
    'postern_sessions_active',
    'Sessions that were used within their idle limit',
    ports.sessionsActive,
  ),
  ...auditFamilies(ports.audit),
  plainFamily(
    'gauge',
    'postern_config_last_reload_success',
    '1 while the newest policy files are in force',
    () => (ports.lastReloadSucceeded() ? 1 : 0),
  ),
  plainFamily(
    'gauge',
    'postern_config_last_reload_timestamp_seconds',
    'When the policy set in force was loaded',
    ports.lastReloadAtSeconds,
  ),
  ...labelledFamilies(ports),
]

const auditFamilies = (audit: MetricPorts['audit']): readonly Family[] => [
  plainFamily('counter', 'postern_audit_lines_total', 'Lines of the decision log', () => audit().written),
  plainFamily(
    'counter',
    'postern_audit_dropped_total',
    'Lines of the decision log that were dropped',
    () => audit().dropped,
  ),
  plainFamily(
    'counter',
    'postern_audit_failed_writes_total',
    'Writes of the decision log that failed',
    () => audit().failedWrites,
  ),
  plainFamily(
    'gauge',
    'postern_audit_queue_bytes',
    'Bytes that wait for the decision log',
    () => audit().pending,
  ),
]

const labelledFamilies = (ports: MetricPorts): readonly Family[] => [
  family('gauge', 'postern_build_info', 'Version and policy revision', ['version', 'policy'], () => [
    { labels: [ports.version, ports.policyRevision()], value: 1 },
  ]),
  family('gauge', 'postern_jwks_age_seconds', 'Age of the keys of each issuer', ['issuer'], () =>
    [...ports.jwksAgesSeconds()].map(([issuer, value]) => ({ labels: [issuer], value })),
  ),
  family(
    'gauge',
    'postern_until_seconds',
    'Seconds until a rule ends, from a fortnight before',
    ['route', 'rule'],
    () =>
      ports.endingRules().map(({ route, rule, inSeconds }) => ({ labels: [route, rule], value: inSeconds })),
  ),
  {
    name: 'postern_upstream_request_duration_seconds',
    help: 'Time until providers and issuers answer, by outcome',
    type: 'histogram',
    series: ports.upstream.series,
  },
]

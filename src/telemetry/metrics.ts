// What the service counts. Labels are bounded: configured route ids, stable reason codes, never a person or a host.
import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client'
import { CounterCells, HistogramCells } from './cells.ts'
import { histogramText } from './histogram-text.ts'

/** Gauges are read at a scrape, through these. */
export interface MetricPorts {
  readonly version: string
  readonly cacheEntries: () => number
  readonly auditDropped: () => number
  readonly auditPendingBytes: () => number
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
}

export interface Metrics {
  decision(
    route: string | undefined,
    result: string,
    reason: string,
    seconds: number,
    cache: 'hit' | 'miss',
  ): void
  cacheLookup(outcome: 'hit' | 'miss'): void
  credential(kind: string, outcome: string): void
  signIn(provider: string, outcome: string): void
  unreadableRequest(): void
  fault(): void
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

const OTHER = '_other'
const MAX_ROUTES = 200
const MAX_SERIES = 5_000
const BOUNDS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

const DECISION_LABELS = ['route', 'stage', 'result', 'reason']

/** Makes the metrics of one service; each service has a registry of its own. */
export const makeMetrics = (ports: MetricPorts): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = counterMaker(registry)
  const decisions = counter(
    'postern_decisions_total',
    'Decisions by route, stage, result and reason',
    DECISION_LABELS,
  )
  const lookups = counter('postern_cache_requests_total', 'Look-ups in the decision cache', ['outcome'])
  const credentials = counter('postern_credential_verifications_total', 'Credentials verified, by kind', [
    'kind',
    'outcome',
  ])
  const signIns = counter('postern_signin_total', 'Sign-ins by provider and outcome', ['provider', 'outcome'])
  const unreadable = counter(
    'postern_unreadable_requests_total',
    'Requests that no handler could be given',
    [],
  )
  const faults = counter(
    'postern_faults_total',
    'Faults inside the service; each was answered with no access',
    [],
  )
  const durations = { hit: new HistogramCells(BOUNDS_SECONDS), miss: new HistogramCells(BOUNDS_SECONDS) }
  registerGauges(registry, ports)
  const routeLabel = makeRouteLabel()
  return {
    decision: (route, result, reason, seconds, cache) => {
      decisions.increment(routeLabel(route), 'live', result, reason)
      durations[cache].observe(seconds)
    },
    cacheLookup: (outcome) => lookups.increment(outcome),
    credential: (kind, outcome) => credentials.increment(kind, outcome),
    signIn: (provider, outcome) => signIns.increment(provider, outcome),
    unreadableRequest: () => unreadable.increment(),
    fault: () => faults.increment(),
    expose: async () => {
      const text = await registry.metrics()
      const histogram = histogramText(
        'postern_decision_duration_seconds',
        'Time to decide, by cache outcome',
        'cache',
        durations,
      )
      return {
        contentType: registry.contentType,
        text: `${text}${text.endsWith('\n') ? '' : '\n'}${histogram}`,
      }
    },
  }
}

/** Ids of configured routes; `_other` for what no route owns, and beyond a cap that keeps a scrape short. */
const makeRouteLabel = (): ((route: string | undefined) => string) => {
  const known = new Set<string>()
  return (route) => {
    if (route === undefined) return OTHER
    if (known.has(route)) return route
    if (known.size >= MAX_ROUTES) return OTHER
    known.add(route)
    return route
  }
}

type MakeCounter = (name: string, help: string, labelNames: readonly string[]) => CounterCells

const counterMaker = (registry: Registry): MakeCounter => {
  const all: CounterCells[] = []
  registerTotal(
    registry,
    'postern_metric_label_overflow_total',
    'Counts that went to `_other` for want of room',
    () => all.reduce((sum, cells) => sum + cells.overflow(), 0),
  )
  return (name, help, labelNames) => {
    const cells = new CounterCells(labelNames.length, MAX_SERIES)
    all.push(cells)
    const metric = new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        metric.reset()
        for (const { labels, value } of cells.series())
          metric.inc(
            Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ''])),
            value,
          )
      },
    })
    return cells
  }
}

/** A counter that somebody else keeps. */
const registerTotal = (registry: Registry, name: string, help: string, read: () => number): void => {
  const metric: Counter = new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      metric.reset()
      metric.inc(read())
    },
  })
}

const registerGauges = (registry: Registry, ports: MetricPorts): void => {
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => metric.set(read()),
    })
  }
  gauge('postern_cache_entries', 'Entries of the decision cache', ports.cacheEntries)
  registerTotal(
    registry,
    'postern_audit_dropped_total',
    'Lines of the decision log that were dropped',
    ports.auditDropped,
  )
  gauge('postern_audit_queue_bytes', 'Bytes that wait for the decision log', ports.auditPendingBytes)
  gauge('postern_config_last_reload_success', '1 while the newest policy files are in force', () =>
    ports.lastReloadSucceeded() ? 1 : 0,
  )
  gauge(
    'postern_config_last_reload_timestamp_seconds',
    'When the policy set in force was loaded',
    ports.lastReloadAtSeconds,
  )
  registerLabelledGauges(registry, ports)
}

const registerLabelledGauges = (registry: Registry, ports: MetricPorts): void => {
  const registers = [registry]
  const build = new Gauge({
    name: 'postern_build_info',
    help: 'Version and policy revision',
    labelNames: ['version', 'policy'],
    registers,
    collect() {
      build.reset()
      build.set({ version: ports.version, policy: ports.policyRevision() }, 1)
    },
  })
  const ages = new Gauge({
    name: 'postern_jwks_age_seconds',
    help: 'Age of the keys of each issuer',
    labelNames: ['issuer'],
    registers,
    collect() {
      ages.reset()
      for (const [issuer, age] of ports.jwksAgesSeconds()) ages.set({ issuer }, age)
    },
  })
  const ending = new Gauge({
    name: 'postern_until_seconds',
    help: 'Seconds until a rule ends, from a fortnight before',
    labelNames: ['route', 'rule'],
    registers,
    collect() {
      ending.reset()
      for (const { route, rule, inSeconds } of ports.endingRules()) ending.set({ route, rule }, inSeconds)
    },
  })
}

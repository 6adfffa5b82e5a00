// What the service counts. Labels are bounded: configured route ids, stable reason codes, never a person or a host.
import { setImmediate } from 'node:timers/promises'
import { CounterCells, HistogramCells } from './cells.ts'
import { CONTENT_TYPE, END, familyPieces, formatFor, type Family } from './exposition.ts'
import { plainFamily, readFamilies, type MetricPorts } from './gauges.ts'
import { measureProcess } from './process-families.ts'
import { histogramSeries } from './upstream-times.ts'

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
  /**
   * The text of a scrape.
   * @param accept header of the scraper; untrusted. Never rejects.
   */
  expose(accept?: string): Promise<{ readonly contentType: string; readonly text: string }>
}

const OTHER = '_other'
const MAX_ROUTES = 200
const MAX_SERIES = 5_000
const BOUNDS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Makes the metrics of one service; each service has its own. */
export const makeMetrics = (ports: MetricPorts): Metrics => {
  const counters = makeCounters()
  const durations = { hit: new HistogramCells(BOUNDS_SECONDS), miss: new HistogramCells(BOUNDS_SECONDS) }
  const routes = makeRouteLabel()
  const processFamilies = measureProcess()
  const own: readonly Family[] = [
    ...counters.families,
    {
      name: 'postern_decision_duration_seconds',
      help: 'Time to decide, by cache outcome',
      type: 'histogram',
      series: () =>
        histogramSeries(
          ['cache'],
          Object.entries(durations).map(([cache, times]) => ({ labels: [cache], times })),
        ),
    },
    plainFamily(
      'counter',
      'postern_metric_label_overflow_total',
      'Counts that went to `_other` for want of room',
      () => counters.overflow() + routes.overflow(),
    ),
    ...readFamilies(ports),
  ]
  return {
    decision: (route, result, reason, seconds, cache) => {
      counters.decisions.increment(routes.label(route), 'live', result, reason)
      durations[cache].observe(seconds)
    },
    cacheLookup: (outcome) => counters.lookups.increment('decisions', outcome),
    credential: (kind, outcome) => counters.credentials.increment(kind, outcome),
    signIn: (provider, outcome) => counters.signIns.increment(provider, outcome),
    unreadableRequest: () => counters.unreadable.increment(),
    fault: () => counters.faults.increment(),
    expose: async (accept) => {
      const format = formatFor(accept)
      let text = ''
      for (const family of [...(await processFamilies()), ...own]) {
        for (const piece of familyPieces(family, format)) {
          text += piece
          // Decisions wait for one piece, never for the whole of a long scrape.
          await setImmediate()
        }
      }
      return { contentType: CONTENT_TYPE[format], text: text + END[format] }
    },
  }
}

interface RouteLabels {
  readonly label: (route: string | undefined) => string
  /** Counts of routes that found no room. */
  readonly overflow: () => number
}

/** Ids of configured routes; `_other` for what no route owns, and beyond a cap that keeps a scrape short. */
const makeRouteLabel = (): RouteLabels => {
  const known = new Set<string>()
  let overflow = 0
  return {
    label: (route) => {
      if (route === undefined) return OTHER
      if (known.has(route)) return route
      if (known.size >= MAX_ROUTES) {
        overflow += 1
        return OTHER
      }
      known.add(route)
      return route
    },
    overflow: () => overflow,
  }
}

/** Every counter that is incremented on the way of a request. */
const COUNTERS = {
  decisions: {
    name: 'postern_decisions_total',
    help: 'Decisions by route, stage, result and reason',
    labelNames: ['route', 'stage', 'result', 'reason'],
  },
  lookups: {
    name: 'postern_cache_requests_total',
    help: 'Look-ups in a cache',
    labelNames: ['cache', 'outcome'],
  },
  credentials: {
    name: 'postern_credential_verifications_total',
    help: 'Credentials verified, by kind',
    labelNames: ['kind', 'outcome'],
  },
  signIns: {
    name: 'postern_signin_total',
    help: 'Sign-ins by provider and outcome',
    labelNames: ['provider', 'outcome'],
  },
  unreadable: {
    name: 'postern_unreadable_requests_total',
    help: 'Requests that no handler could be given',
    labelNames: [],
  },
  faults: {
    name: 'postern_faults_total',
    help: 'Faults inside the service; each was answered with no access',
    labelNames: [],
  },
} as const

type CounterName = keyof typeof COUNTERS

interface Counters extends Readonly<Record<CounterName, CounterCells>> {
  readonly families: readonly Family[]
  /** Counts that found no room for a series of their own. */
  readonly overflow: () => number
}

const makeCounters = (): Counters => {
  const cellsOf = (name: CounterName): CounterCells =>
    new CounterCells(COUNTERS[name].labelNames.length, MAX_SERIES)
  const cells = {
    decisions: cellsOf('decisions'),
    lookups: cellsOf('lookups'),
    credentials: cellsOf('credentials'),
    signIns: cellsOf('signIns'),
    unreadable: cellsOf('unreadable'),
    faults: cellsOf('faults'),
  } satisfies Record<CounterName, CounterCells>
  const familyOf = (
    kept: CounterCells,
    { name, help, labelNames }: (typeof COUNTERS)[CounterName],
  ): Family => ({
    name,
    help,
    type: 'counter',
    series: () => [{ labelNames, samples: kept.series() }],
  })
  return {
    ...cells,
    families: [
      familyOf(cells.decisions, COUNTERS.decisions),
      familyOf(cells.lookups, COUNTERS.lookups),
      familyOf(cells.credentials, COUNTERS.credentials),
      familyOf(cells.signIns, COUNTERS.signIns),
      familyOf(cells.unreadable, COUNTERS.unreadable),
      familyOf(cells.faults, COUNTERS.faults),
    ],
    overflow: () => Object.values(cells).reduce((sum, kept) => sum + kept.overflow(), 0),
  }
}

// What the library measures of the process itself: CPU, memory, garbage collection, and how far the event loop lags.
import { collectDefaultMetrics, Registry } from '@prometheus-io/client'
import type { Family, Series } from './exposition.ts'

/** Begins to measure; read at each scrape. Never rejects. */
export const measureProcess = (): (() => Promise<readonly Family[]>) => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return async () =>
    (await registry.getMetricsAsJSON()).map(({ name, help, type, values }): Family => {
      const measured: readonly Measured[] = values
      const series = measured.map(seriesOf(name))
      return { name, help, type, series: () => series }
    })
}

interface Measured {
  readonly value: number
  /** Undefined where a metric has none. */
  readonly labels?: Readonly<Record<string, string | number | undefined>>
  readonly metricName?: string
}

const seriesOf =
  (name: string) =>
  ({ value, labels, metricName }: Measured): Series => {
    const given = Object.entries(labels ?? {}).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    )
    const suffix = metricName?.startsWith(name) === true ? metricName.slice(name.length) : ''
    return {
      labelNames: given.map(([label]) => label),
      samples: [{ suffix, labels: given.map(([label, one]) => boundOf(label, one)), value }],
    }
  }

/** Numbers are bounds; the library writes the last one as a text, and other labels as numbers now and then. */
const boundOf = (label: string, value: string | number): string | number => {
  if (label !== 'le' && label !== 'quantile') return String(value)
  return value === '+Inf' ? Number.POSITIVE_INFINITY : value
}

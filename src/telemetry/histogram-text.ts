// The exposition of our own histogram cells (Prometheus text format 0.0.4).
import type { HistogramCells } from './cells.ts'

/**
 * Renders one histogram family with one label.
 * @param byLabel label value → cells; the values are ours and need no escaping
 */
export const histogramText = (
  name: string,
  help: string,
  label: string,
  byLabel: Readonly<Record<string, HistogramCells>>,
): string => {
  const families = Object.entries(byLabel).flatMap(([value, cells]) => {
    const { cumulative, sum, count } = cells.snapshot()
    const buckets = cells.bounds.map(
      (bound, index) => `${name}_bucket{${label}="${value}",le="${bound}"} ${cumulative[index] ?? 0}`,
    )
    return [
      ...buckets,
      `${name}_bucket{${label}="${value}",le="+Inf"} ${count}`,
      `${name}_sum{${label}="${value}"} ${sum}`,
      `${name}_count{${label}="${value}"} ${count}`,
    ]
  })
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...families, ''].join('\n')
}

// How long others take to answer us: providers, and issuers that publish their keys.
import { HistogramCells } from './cells.ts'
import type { Series } from './exposition.ts'

export type UpstreamTarget = 'idp' | 'jwks'

/**
 * `ok`: 2xx. `refused`: any other status below 500, a redirect among them, which is not followed. `error`: 5xx.
 * `timeout`: we gave up. `failed`: no connection, or it broke.
 */
type Outcome = 'ok' | 'refused' | 'error' | 'timeout' | 'failed'

const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface UpstreamTimes {
  /** A fetch that is timed, to the head of the answer. */
  readonly timed: (fetch: typeof globalThis.fetch, target: UpstreamTarget) => typeof globalThis.fetch
  readonly series: () => readonly Series[]
}

/** @param nowMs monotonic */
export const makeUpstreamTimes = (nowMs: () => number): UpstreamTimes => {
  const cells = new Map<string, { readonly labels: readonly string[]; readonly times: HistogramCells }>()
  const observe = (target: UpstreamTarget, outcome: Outcome, sinceMs: number): void => {
    const key = `${target} ${outcome}`
    const known = cells.get(key) ?? { labels: [target, outcome], times: new HistogramCells(BOUNDS_SECONDS) }
    cells.set(key, known)
    known.times.observe((nowMs() - sinceMs) / 1000)
  }
  return {
    timed: (fetch, target) => async (input, init) => {
      const sinceMs = nowMs()
      try {
        const response = await fetch(input, init)
        observe(target, outcomeOf(response), sinceMs)
        return response
      } catch (error) {
        observe(target, init?.signal?.aborted === true ? 'timeout' : 'failed', sinceMs)
        throw error
      }
    },
    series: () => histogramSeries(['target', 'outcome'], [...cells.values()]),
  }
}

const outcomeOf = ({ ok, status }: Response): Outcome => (ok ? 'ok' : status >= 500 ? 'error' : 'refused')

/** The series of histograms that differ in their labels. */
export const histogramSeries = (
  labelNames: readonly string[],
  histograms: readonly { readonly labels: readonly string[]; readonly times: HistogramCells }[],
): readonly Series[] =>
  histograms.flatMap(({ labels, times }): readonly Series[] => {
    const { cumulative, sum, count } = times.snapshot()
    const buckets = [...times.bounds, Number.POSITIVE_INFINITY].map((bound, index) => ({
      suffix: '_bucket',
      labels: [...labels, bound],
      value: cumulative[index] ?? count,
    }))
    return [
      { labelNames: [...labelNames, 'le'], samples: buckets },
      {
        labelNames,
        samples: [
          { suffix: '_sum', labels, value: sum },
          { suffix: '_count', labels, value: count },
        ],
      },
    ]
  })

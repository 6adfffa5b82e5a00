// Paired measurement: A B, B A, A B … so that a machine that drifts drifts for both. Quotes the median and the interval
// of order statistics that holds the true median with at least 95 %.

/** A median of several measurements, with its interval. */
export interface Spread {
  readonly count: number
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Runs `a` and `b` in turn, swapping the order each pair. */
export const measurePairs = async <T>(
  pairs: number,
  a: () => Promise<T>,
  b: () => Promise<T>,
): Promise<readonly (readonly [T, T])[]> => {
  const measured: (readonly [T, T])[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = await (pair % 2 === 0 ? a : b)()
    const second = await (pair % 2 === 0 ? b : a)()
    measured.push(pair % 2 === 0 ? [first, second] : [second, first])
  }
  return measured
}

export const summarize = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((x, y) => x - y)
  const rank = lowerRank(sorted.length)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = sorted.length / 2
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
  return { count: sorted.length, median, low: at(rank), high: at(sorted.length - 1 - rank) }
}

/** The largest rank (from zero) whose symmetric interval covers the median with 95 %, by the binomial of one half. */
const lowerRank = (count: number): number => {
  let rank = 0
  let tail = 0.5 ** count
  for (let k = 1; k < count / 2; k += 1) {
    const next = tail + binomial(count, k) * 0.5 ** count
    if (next > 0.025) break
    tail = next
    rank = k
  }
  return rank
}

const binomial = (n: number, k: number): number => {
  let value = 1
  for (let i = 1; i <= k; i += 1) value = (value * (n - k + i)) / i
  return value
}

export interface Budget {
  readonly value: number
  readonly direction: 'at least' | 'at most'
  /** What is measured once by its nature, and says so, needs one value; {@link COUNT_NEEDED} without it. */
  readonly countNeeded?: number
}

/** With fewer values not even the smallest and the largest enclose the median with 95 %: 2 · 0.5ⁿ is over 0.05. */
export const COUNT_NEEDED = 6

/** A budget is missed only if the whole interval is on the wrong side, kept only if it is on the right one; without an interval neither. */
export const verdict = (
  spread: Spread,
  { value, direction, countNeeded = COUNT_NEEDED }: Budget,
): 'kept' | 'undecided' | 'MISSED' => {
  if (spread.count < countNeeded) return 'undecided'
  const kept = direction === 'at least' ? spread.low >= value : spread.high <= value
  const missed = direction === 'at least' ? spread.high < value : spread.low > value
  return kept ? 'kept' : missed ? 'MISSED' : 'undecided'
}

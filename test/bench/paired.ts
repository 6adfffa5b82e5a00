// Paired measurement: A B, B A, A B … so that a machine that drifts drifts for both. Quotes the median ratio and the
// interval of order statistics that holds the true median with at least 95 %.

export interface Ratio {
  readonly pairs: number
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Runs `a` and `b` in turn, swapping the order each pair, and gives the ratio a/b pair by pair. */
export const measurePairs = async (
  pairs: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<Ratio> => {
  const ratios: number[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = await (pair % 2 === 0 ? a : b)()
    const second = await (pair % 2 === 0 ? b : a)()
    ratios.push(pair % 2 === 0 ? first / second : second / first)
  }
  return summarize(ratios)
}

export const summarize = (ratios: readonly number[]): Ratio => {
  const sorted = ratios.toSorted((x, y) => x - y)
  const rank = lowerRank(sorted.length)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = sorted.length / 2
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
  return { pairs: sorted.length, median, low: at(rank), high: at(sorted.length - 1 - rank) }
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

/** A budget is missed only if the whole interval is on the wrong side, kept only if it is on the right one. */
export const verdict = (ratio: Ratio, budget: number, direction: 'at least' | 'at most'): string => {
  const kept = direction === 'at least' ? ratio.low >= budget : ratio.high <= budget
  const missed = direction === 'at least' ? ratio.high < budget : ratio.low > budget
  return kept ? 'kept' : missed ? 'MISSED' : 'undecided'
}

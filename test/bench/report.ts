// What a benchmark has to say: one line for each figure, beside its budget where it has one.
import { COUNT_NEEDED, verdict, type Budget, type Spread } from './paired.ts'

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly spread: Spread
  /** Undefined where the figure only stands beside another one. */
  readonly budget?: Budget
}

/** One benchmark: a word for `--only`, and what it finds. */
export interface Benchmark {
  readonly name: string
  readonly about: string
  readonly run: () => Promise<readonly Figure[]>
}

/** One line of the report. */
export const figureText = ({ name, unit, spread, budget }: Figure): string => {
  const digits = Math.abs(spread.median) >= 100 ? 0 : Math.abs(spread.median) >= 10 ? 1 : 3
  const [median, low, high] = [spread.median, spread.low, spread.high].map((one) => one.toFixed(digits))
  const interval = spread.count > 1 ? ` [${low}, ${high}]` : ''
  const against =
    budget === undefined
      ? ''
      : `  budget ${budget.direction} ${budget.value}: ${verdict(spread, budget)}${basis(spread, budget)}`
  return `  ${name.padEnd(52)} ${median}${interval}${unit === '' ? '' : ` ${unit}`}${against}`
}

const basis = ({ count }: Spread, { countNeeded }: Budget): string => {
  if (countNeeded === 1) return ' (measured once)'
  return count < COUNT_NEEDED ? ` (${count} of the ${COUNT_NEEDED} values that an interval needs)` : ''
}

// Hot counters as plain cells: an increment is one map look-up for each label and an addition. The registry reads them
// at a scrape.

export interface Cell {
  readonly labels: readonly string[]
  value: number
}

type Level = Map<string, Level | Cell>

const OTHER = '_other'

/** Counters by label values; at most `maxSeries` of them, then `_other` takes what comes. */
export class CounterCells {
  readonly #root: Level = new Map()
  readonly #cells: Cell[] = []
  readonly #maxSeries: number
  readonly #other: Cell
  #overflow = 0

  constructor(labelCount: number, maxSeries: number) {
    this.#maxSeries = maxSeries
    this.#other = { labels: Array.from({ length: labelCount }, () => OTHER), value: 0 }
    // A counter without labels is one series from the start.
    if (labelCount === 0) this.#cells.push(this.#other)
  }

  /** Adds one to the series of these label values, in the order of the metric's label names. */
  increment(...labels: readonly string[]): void {
    if (labels.length === 0) this.#other.value += 1
    else this.#cellOf(labels).value += 1
  }

  /** Every series, `_other` among them where it took something. */
  series(): readonly Cell[] {
    return this.#overflow === 0 ? this.#cells : [...this.#cells, this.#other]
  }

  /** Increments that found no room for a series of their own. */
  overflow(): number {
    return this.#overflow
  }

  #cellOf(labels: readonly string[]): Cell {
    let found: Level | Cell | undefined = this.#root
    for (const label of labels) {
      if (!(found instanceof Map)) break
      found = found.get(label)
    }
    return found === undefined || found instanceof Map ? this.#newCell(labels) : found
  }

  #newCell(labels: readonly string[]): Cell {
    if (this.#cells.length >= this.#maxSeries) {
      this.#overflow += 1
      return this.#other
    }
    const cell: Cell = { labels: [...labels], value: 0 }
    this.#cells.push(cell)
    let level = this.#root
    for (const label of labels.slice(0, -1)) {
      const known = level.get(label)
      const next: Level = known instanceof Map ? known : new Map()
      level.set(label, next)
      level = next
    }
    level.set(labels.at(-1) ?? '', cell)
    return cell
  }
}

/** One histogram with fixed upper bounds in seconds. */
export class HistogramCells {
  readonly bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(seconds: number): void {
    this.#sum += seconds
    this.#count += 1
    let index = 0
    while (index < this.bounds.length && seconds > (this.bounds[index] ?? 0)) index += 1
    if (index < this.#counts.length) this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  /** Cumulative counts per bound, sum and count, as the exposition format wants them. */
  snapshot(): { readonly cumulative: readonly number[]; readonly sum: number; readonly count: number } {
    let running = 0
    const cumulative = this.#counts.map((count) => (running += count))
    return { cumulative, sum: this.#sum, count: this.#count }
  }
}

// Hot counters as plain cells: an increment is a map look-up and an addition. The registry reads them at a scrape.

/** Counters by label values; at most `maxSeries` of them, then one that takes the overflow. */
export class CounterCells {
  readonly #cells = new Map<string, { readonly labels: readonly string[]; value: number }>()
  readonly #maxSeries: number
  #overflow = 0

  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries
  }

  /** Adds one to the series of these label values, in the order of the metric's label names. */
  increment(labels: readonly string[]): void {
    const key = labels.join('\u0000')
    const cell = this.#cells.get(key)
    if (cell !== undefined) cell.value += 1
    else if (this.#cells.size < this.#maxSeries) this.#cells.set(key, { labels: [...labels], value: 1 })
    else this.#overflow += 1
  }

  /** Every series; the overflow is not among them. */
  series(): readonly { readonly labels: readonly string[]; readonly value: number }[] {
    return [...this.#cells.values()]
  }

  /** Increments that found no room. */
  overflow(): number {
    return this.#overflow
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

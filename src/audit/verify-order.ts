// The sequence numbers of one writer, as they come: which are missing, which come twice, which come too late.

type Range = readonly [number, number]

/** What is wrong with the order of the lines since the last block line. */
export interface OrderFaults {
  readonly missing: readonly Range[]
  readonly repeated: readonly number[]
  readonly displaced: readonly number[]
}

/** More are not told apart; they are faults all the same. */
const KEPT_MAX = 1_000

export class SequenceOrder {
  #next: number | undefined
  /** The least number so far. */
  #first = Number.POSITIVE_INFINITY
  /** Numbers that were passed over and did not come so far, whatever block they belong to. */
  #absent: Range[] = []
  #missing: Range[] = []
  #repeated: number[] = []
  #displaced: number[] = []

  /** The number that is expected; undefined before the first. */
  next(): number | undefined {
    return this.#next
  }

  take(seq: number): void {
    const expected = this.#next ?? seq
    if (seq > expected) this.#skip([expected, seq - 1])
    if (seq < expected) this.#late(seq)
    this.#first = Math.min(this.#first, seq)
    this.#next = Math.max(expected, seq + 1)
  }

  hasFaults(): boolean {
    return this.#missing.length + this.#repeated.length + this.#displaced.length > 0
  }

  /** The faults since the last call. */
  takeFaults(): OrderFaults {
    const faults = { missing: this.#missing, repeated: this.#repeated, displaced: this.#displaced }
    this.#missing = []
    this.#repeated = []
    this.#displaced = []
    return faults
  }

  #skip(range: Range): void {
    if (this.#missing.length < KEPT_MAX) this.#missing.push(range)
    if (this.#absent.length < KEPT_MAX) this.#absent.push(range)
  }

  #late(seq: number): void {
    const at = this.#absent.findIndex(([from, to]) => from <= seq && seq <= to)
    const [from, to] = this.#absent[at] ?? [0, -1]
    const kept = at < 0 && seq >= this.#first ? this.#repeated : this.#displaced
    if (kept.length < KEPT_MAX) kept.push(seq)
    if (at < 0) return
    const left: readonly Range[] = [
      [from, seq - 1],
      [seq + 1, to],
    ]
    this.#absent.splice(at, 1, ...left.filter(([first, last]) => first <= last))
  }
}

/** How many numbers these are. */
export const countOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)

/** `4, 7-9`, cut where there are many. */
export const rangesText = (ranges: readonly Range[]): string => {
  const texts = ranges.slice(0, 5).map(([from, to]) => (from === to ? String(from) : `${from}-${to}`))
  return texts.join(', ') + (ranges.length > 5 ? ' and more' : '')
}

// Lines that are none: the begin of one whose writer was killed, or something that does not belong there. Which of the
// two is known only later, by who goes on to write.
import { isJsonPrefix } from './json-prefix.ts'
import type { Listener, Spot } from './verify-finding.ts'

/** Where a line that is none stands. */
export interface Fragment {
  readonly spot: Spot
  /** Number of the line in the stream. */
  readonly order: number
  /** Whose line stands before it, and in which of his blocks it would lie. */
  readonly writer: string | undefined
  readonly block: number
  readonly isTear: boolean
}

/** Who may have been killed in the middle of a line. */
export interface Suspect {
  readonly order: number
  readonly isEnded: boolean
}

/** More of them are no accident. */
const KEPT_MAX = 1_000
const HEAD = '{"v":1,"type":"'

/** True where the text may be a line that broke off. @param isLast nothing follows, not even a line break */
export const isTear = (text: string, isLast: boolean): boolean =>
  (text.startsWith(HEAD) || (isLast && HEAD.startsWith(text))) && isJsonPrefix(text)

export class Fragments {
  readonly #listener: Listener
  #held: readonly Fragment[] = []

  constructor(listener: Listener) {
    this.#listener = listener
  }

  add(fragment: Fragment): void {
    if (this.#held.length < KEPT_MAX) this.#held = [...this.#held, fragment]
    else this.#tellForeign(fragment)
  }

  /** A block ended behind them: whatever cannot be a tear is told. */
  settle(): void {
    if (this.#held.length === 0) return
    for (const fragment of this.#held) if (!fragment.isTear) this.#tellForeign(fragment)
    this.#held = this.#held.filter((fragment) => fragment.isTear)
  }

  /** A new writer found them there. @param after number of the last block line: what stands before it is not meant */
  vouchedFor(after: number): void {
    const isMeant = ({ order }: Fragment): boolean => order > after
    const why = 'the writer was killed; the next one vouches for it as it found it'
    for (const fragment of this.#held) if (isMeant(fragment)) this.#tellTorn(fragment, why)
    this.#held = this.#held.filter((fragment) => !isMeant(fragment))
  }

  /**
   * Nothing follows any more: each tear needs a writer who wrote nothing after it.
   * @param lastOrder number of the last line of the stream
   */
  finish(suspects: readonly Suspect[], lastOrder: number): void {
    const open = suspects.filter(({ isEnded }) => !isEnded).map(({ order }) => order)
    for (const fragment of this.#held) {
      const at = open.findIndex((order) => order < fragment.order)
      const isTorn = fragment.isTear && (at >= 0 || fragment.order === lastOrder)
      if (at >= 0) open.splice(at, 1)
      if (isTorn) this.#tellTorn(fragment, 'the writer was killed, or still writes')
      else this.#tellForeign(fragment)
    }
  }

  #tellForeign({ spot, writer, block }: Fragment): void {
    const about = { writer, blocks: [block, block] as const, from: spot, to: spot }
    this.#listener.finding({ ...about, kind: 'foreign', what: 'it is no line of this log' })
  }

  #tellTorn({ spot, writer, block }: Fragment, why: string): void {
    const about = { writer, blocks: [block, block] as const, from: spot, to: spot }
    this.#listener.note({ ...about, kind: 'torn', what: `a line broke off: ${why}` })
  }
}

// What one turn of the event loop decided, done together at its end. A socket that is written to wakes whoever reads it;
// one wake for thirty answers instead of thirty costs both sides less, and a lone answer waits for nothing.

/** Calls a function once, when the input of this turn has been read. */
export type Defer = (run: () => void) => void

const afterThisTurn: Defer = (run) => void setImmediate(run)

/**
 * Makes a batch.
 * @param run takes all that one turn put in, in that order; must not throw
 * @returns what puts one item in
 */
export const makeTurnBatch = <T>(
  run: (items: readonly T[]) => void,
  defer: Defer = afterThisTurn,
): ((item: T) => void) => {
  let items: T[] = []
  const runAll = (): void => {
    const taken = items
    items = []
    run(taken)
  }
  return (item) => {
    if (items.push(item) === 1) defer(runAll)
  }
}

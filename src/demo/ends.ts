// What has to be undone at the end, last first, each of it once and whatever fails on the way.

export interface Ends {
  readonly add: (end: () => Promise<void>) => void
  /** Runs all; a second call waits for the same end. Rejects with the first failure after everything was tried. */
  readonly run: () => Promise<void>
}

/** Makes an empty list. */
export const makeEnds = (): Ends => {
  const ends: (() => Promise<void>)[] = []
  let running: Promise<void> | undefined
  return {
    add: (end) => void ends.push(end),
    run: () => (running ??= runAll(ends)),
  }
}

const runAll = async (ends: (() => Promise<void>)[]): Promise<void> => {
  const failures: unknown[] = []
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    try {
      await end()
    } catch (error) {
      // One that does not end must not keep the next from ending.
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

// Work that can stop between two steps: run at once where nobody waits, in slices where decisions go on meanwhile. One
// text for both, so that both end with the same.

/** Work that may rest wherever it yields. */
export type Steps<Result> = Generator<undefined, Result>

/** Takes all steps at once. Throws what a step throws. */
export const allSteps = <Result>(steps: Steps<Result>): Result => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

// A wall clock that does not leap ahead: what is forgotten by it is not forgotten a day too early because somebody set
// the clock wrong for a minute.

/** The wall clock may gain this much on the monotonic one before it counts as having leapt. */
const DRIFT_SECONDS = 60

/**
 * Makes the clock.
 * @param nowSeconds the wall clock
 * @param monotonicSeconds seconds of a clock that never jumps
 * @returns the wall clock, or what has passed since the start where the wall clock is ahead of that
 */
export const makeSteadySeconds = (
  nowSeconds: () => number,
  monotonicSeconds: () => number,
): (() => number) => {
  const [startSeconds, startMonotonic] = [nowSeconds(), monotonicSeconds()]
  return () => Math.min(nowSeconds(), startSeconds + (monotonicSeconds() - startMonotonic) + DRIFT_SECONDS)
}

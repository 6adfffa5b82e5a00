/** A wall clock that moves only when it is told to. */
export const makeClock = (
  startSeconds = 1_795_000_000,
): { now: () => number; advance: (by: number) => void } => {
  let seconds = startSeconds
  return {
    now: () => seconds,
    advance: (by) => {
      seconds += by
    },
  }
}

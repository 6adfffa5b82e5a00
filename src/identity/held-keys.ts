// The keys of one issuer that are in hand, and for how long they may be. Replaced whole or not at all.
import type { KeyDocument } from './key-document.ts'
import type { KeySet } from './key-set.ts'

export interface HeldKeys {
  /** Takes what a fetch brought: keys replace all earlier ones, a fault leaves them as they are. */
  readonly take: (document: KeyDocument) => void
  /** The keys; undefined where there never were any, or none that was confirmed lately. */
  readonly usable: () => KeySet | undefined
  /** Failed fetches since the last good one. */
  readonly failures: () => number
  readonly fault: () => string | undefined
  /** Rises with each change of the set. */
  readonly revision: () => number
  /** Milliseconds since the keys were confirmed; undefined where they never were. */
  readonly ageMs: () => number | undefined
}

/**
 * Holds no keys yet.
 * @param nowMs monotonic
 */
export const makeHeldKeys = (staleMaxMs: number, nowMs: () => number): HeldKeys => {
  let held: { readonly set: KeySet; readonly text: string; readonly confirmedAtMs: number } | undefined
  let revision = 0
  let failures = 0
  let fault: string | undefined
  const ageMs = (): number | undefined => (held === undefined ? undefined : nowMs() - held.confirmedAtMs)
  return {
    take: (document) => {
      if (document.kind === 'failed') {
        fault = document.why
        failures += 1
        return
      }
      fault = undefined
      failures = 0
      if (held?.text === document.text) {
        // The same text keeps the same key objects: what was verified with them stays verified.
        held = { ...held, confirmedAtMs: nowMs() }
        return
      }
      held = { set: document.set, text: document.text, confirmedAtMs: nowMs() }
      revision += 1
    },
    usable: () => ((ageMs() ?? Number.POSITIVE_INFINITY) <= staleMaxMs ? held?.set : undefined),
    failures: () => failures,
    fault: () => fault,
    revision: () => revision,
    ageMs,
  }
}

// Requests that Node's parser refused: none of them was decided, and each has its line in the decision log all the same.
// Whatever breaks here must not break the listener that tells of one.
import type { AuditWriter } from '../audit/writer.ts'
import type { OnUnreadable } from './decision-listener.ts'

export interface UnreadableDeps {
  readonly nextId: () => string
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly policyRevision: () => string
  readonly audit: Pick<AuditWriter, 'write'>
  readonly count: () => void
  readonly onFault: (error: unknown) => void
}

/** Where no id could be made, or no line written under it. */
const NO_ID = 'none'

/** Makes the listener's port: it counts, writes one line, and returns the id of that line. It never throws. */
export const makeOnUnreadable = (deps: UnreadableDeps): OnUnreadable => {
  return (status, why, peer) => {
    try {
      deps.count()
      const id = deps.nextId()
      deps.audit.write({
        v: 1,
        type: 'decision',
        ts: new Date(deps.nowMs()).toISOString(),
        id,
        decision: 'deny',
        status,
        reason: 'DENY_BAD_REQUEST',
        policy: deps.policyRevision(),
        sub: { kind: 'anonymous' },
        src: { peer },
        note: why,
      })
      return id
    } catch (error) {
      deps.onFault(error)
      return NO_ID
    }
  }
}

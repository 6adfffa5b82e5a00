// What deciding one request leaves behind: the decision, whose it is, and the headers prepared for an allow.
import type { Verified } from '../identity/verified.ts'
import type { Decision } from '../policy/decision.ts'
import type { Route, Section } from '../policy/route.ts'

export interface Ruling {
  readonly decision: Decision
  readonly route: Route | undefined
  /** The section whose walk answered; undefined where no route owns the request. */
  readonly section: Section | undefined
  /** What verification found under that section; undefined where nothing had to be verified. */
  readonly verified: Verified | undefined
  /** The whole identity header set of an allow, flat; empty for every other outcome. */
  readonly identityHeaders: readonly string[]
  /** Until when the prepared headers hold (a signed assertion ages); Infinity where they do not age. */
  readonly preparedUntilMs: number
  readonly cache: 'hit' | 'miss'
}

/** Identity headers of an allow, and until when they hold. */
export interface Prepared {
  readonly headers: readonly string[]
  readonly untilMs: number
}

/** Prepares the identity headers of an allowed caller; may sign an assertion. Never rejects. */
export type PrepareIdentity = (
  route: Route,
  section: Section,
  verified: Verified,
  identity: 'caller' | 'none',
) => Prepared | Promise<Prepared>

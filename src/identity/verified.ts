// Step 3's value: who is calling, and which header said so, since a consumed credential never reaches the application.
import type { HostName } from '../policy/host-pattern.ts'
import type { Authentication } from '../policy/principal.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Carried } from './carried.ts'

export interface Verified {
  readonly authentication: Authentication
  /** The header whose credential was ours, valid or not: it is emptied on the way to the application. */
  readonly consumed: 'authorization' | 'proxy-authorization' | 'api-key' | 'cookie' | 'none'
  /** `Authorization` was received and is not ours: it is echoed. */
  readonly foreignAuthorization: boolean
  /** Something an operator should see in the log, e.g. two different sessions in one request. */
  readonly note: string | undefined
}

/** What the route says about the credentials that count. */
export interface Acceptance {
  readonly route: Route
  readonly section: Section
  readonly host: HostName
  readonly nowMs: number
}

/** Verifies what a request carries. Synchronous wherever no key has to be fetched; never throws, never rejects. */
export type Authenticate = (carried: Carried, acceptance: Acceptance) => Verified | Promise<Verified>

// Step 3's value: who is calling, and which header said so, since a consumed credential never reaches the application.
import type { HostName } from '../policy/host-pattern.ts'
import type { Authentication } from '../policy/principal.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Carried } from './carried.ts'
import type { Session } from './session.ts'

/** What a revocation may name; looked up at every use of a credential, cached decisions included. */
export interface Revocable {
  /** Session id; of a bearer token `source|jti`, where it has one. */
  readonly id: string | undefined
  readonly source: string
  readonly subject: string
  /** `sid` at the provider. */
  readonly providerSession: string | undefined
  /** The state's number when the session was minted; undefined for a bearer token. */
  readonly number: number | undefined
  /** When a bearer token was issued, if it says so; undefined for a session. */
  readonly issuedAtSeconds: number | undefined
  /** When a session was last learned from its provider; undefined for a bearer token. */
  readonly learnedAtSeconds: number | undefined
}

export interface Verified {
  readonly authentication: Authentication
  /** The header whose credential was ours, valid or not: it is emptied on the way to the application. */
  readonly consumed: 'authorization' | 'proxy-authorization' | 'api-key' | 'cookie' | 'none'
  /** `Authorization` was received and is not ours: it is echoed. */
  readonly foreignAuthorization: boolean
  /** Something an operator should see in the log, e.g. two different sessions in one request. */
  readonly note: string | undefined
  /** Set where `authentication` is `verified`: a cached decision asks for it at each hit. */
  readonly revocable: Revocable | undefined
  /** The session that counts, where it is one; never written anywhere but into a renewed cookie. */
  readonly session?: Session
}

/** What the route says about the credentials that count. */
export interface Acceptance {
  readonly route: Pick<Route, 'id' | 'issuers'>
  readonly section: Pick<Section, 'accepts'>
  readonly host: HostName
  readonly nowMs: number
}

/** Verifies what a request carries. Synchronous wherever no key has to be fetched; never throws, never rejects. */
export type Authenticate = (carried: Carried, acceptance: Acceptance) => Verified | Promise<Verified>

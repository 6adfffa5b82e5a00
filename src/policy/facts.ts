// What one request is, as far as policy is concerned. No secret is ever in here: facts may be logged.
import type { HostName } from './host-pattern.ts'
import type { PathViews } from './path-views.ts'

export interface RequestFacts {
  readonly host: HostName
  /** Upper case; `WEBSOCKET` for a WebSocket handshake. */
  readonly method: string
  readonly path: PathViews
  /** OPTIONS with `Origin` and `Access-Control-Request-Method` (Fetch standard). */
  readonly preflight: boolean
  /** The `Origin` header of a WebSocket handshake; undefined otherwise. */
  readonly origin: string | undefined
  /** From the one header that the configuration names for the dialect; undefined = unknown. */
  readonly clientIp: string | undefined
  /**
   * Sign-in asks what a credential could change, not where a browser stands: network predicates do not decide there.
   * Never set for a request that is answered.
   */
  readonly networksUndecided?: true
}

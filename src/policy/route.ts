// One application: the hosts and sections it owns, what it accepts, and how its answers look. Frozen data.
import type { CredentialKind } from './credential-kind.ts'
import type { HostPattern } from './host-pattern.ts'
import type { PathPattern } from './path-pattern.ts'
import type { ReadSet } from './read-set.ts'
import type { Rule } from './rule.ts'

/** What the proxy does with a 401, which decides whether a challenge carries a `Location`. */
export type SignInMode = 'location' | 'all-401' | 'none'

/** The names under which the application wants its identity headers; an undefined one is not sent. */
export interface IdentityHeaderNames {
  readonly user: string
  readonly email: string
  readonly groups: string
  readonly preferredUsername: string
  readonly assertion: string
  /** Between groups; a separator inside a group name is percent-encoded. */
  readonly groupSeparator: string
  /** Header name → mapped claim. */
  readonly claims: Readonly<Record<string, string>>
  /** Stands in `user` for an anonymous caller, where the proxy keeps the client's copy of an empty header. */
  readonly anonymousUser: string | undefined
}

export type EchoHeader = 'authorization' | 'cookie'

/** A path prefix (or, with `exact`, one path) of a route. */
export interface Section {
  readonly route: string
  readonly path: PathPattern
  readonly accepts: readonly CredentialKind[]
  readonly echo: readonly EchoHeader[]
  /** Foreign Basic credentials are handed on to the application. */
  readonly passthroughBasic: boolean
  /** Own and inherited denies. */
  readonly deny: readonly Rule[]
  readonly allow: readonly Rule[]
  readonly reads: ReadSet
}

export interface Route {
  readonly id: string
  readonly owner: string | undefined
  readonly hosts: readonly HostPattern[]
  /** Ids of providers and issuers that it believes; undefined = the default ones. */
  readonly issuers: readonly string[] | undefined
  readonly identity: IdentityHeaderNames
  readonly signin: SignInMode
  readonly log: 'all' | 'changes'
  readonly audit: 'best-effort' | 'strict'
  /** Allowed `Origin` of a WebSocket handshake; undefined = its own hosts. */
  readonly origins: readonly string[] | undefined
  readonly sections: readonly Section[]
  /** Claims that some rule or header of this route reads. */
  readonly claims: readonly string[]
}

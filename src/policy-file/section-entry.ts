// What a section as written says together with its route: its path as a pattern, and what it accepts.
import type { CredentialKind } from '../policy/credential-kind.ts'
import { compilePath, type PathPattern } from '../policy/path-pattern.ts'
import type { PolicyEntry, SectionEntry } from './schema.ts'

/** What a route accepts that says nothing about it. */
const DEFAULT_ACCEPTS: readonly CredentialKind[] = ['session']

/** The path of a section as a pattern. */
export const sectionPath = (entry: SectionEntry): PathPattern => compilePath(entry.path, entry.exact !== true)

/** What a section accepts: its own list, else the route's, else a session. */
export const sectionAccepts = (entry: SectionEntry, policy: PolicyEntry): readonly CredentialKind[] =>
  entry.accepts ?? policy.accepts ?? DEFAULT_ACCEPTS

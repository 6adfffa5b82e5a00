// `postern check` beyond loading: what depends on the date, on tests, on the directory and on who may vouch for whom.
// Findings never keep a set from loading: a passed date must not close a door at midnight by itself.
import { byPlace, issueAt, type PolicyIssue } from './issue.ts'
import { ruleFindings } from './check-rule.ts'
import { sectionFindings } from './check-section.ts'
import { sessionFindings } from './check-session.ts'
import { sourceFindings, type KnownSource } from './check-source.ts'
import { testFindings, type TestVerdict } from './check-test.ts'
import type { LoadedPolicies } from './load.ts'
import { indexNeighbours } from './neighbour.ts'
import type { Finding } from './placed.ts'
import { writtenSections } from './written-rule.ts'

export interface CheckContext {
  readonly nowMs: number
  /** The providers and issuers of the configuration; undefined = not known here, so claims are not judged. */
  readonly sources: readonly KnownSource[] | undefined
  /** For which browsers take the session cookie; undefined = not known here, so hosts are not judged. */
  readonly sessionDomain?: string | undefined
  /** What became of every in-file test. */
  readonly tests: readonly TestVerdict[]
}

/**
 * Checks a loaded set.
 * @returns errors and warnings, file by file, line by line; never throws
 */
export const checkPolicies = (loaded: LoadedPolicies, context: CheckContext): readonly PolicyIssue[] => {
  const sections = writtenSections(loaded)
  const near = indexNeighbours(sections)
  const findings: readonly Finding[] = [
    ...ruleFindings(sections, near, loaded.directory, context.nowMs),
    ...sectionFindings(sections, near),
    ...(context.sources === undefined ? [] : sourceFindings(loaded, sections, context.sources)),
    ...(context.sessionDomain === undefined ? [] : sessionFindings(loaded, context.sessionDomain)),
    ...testFindings(sections, context.tests),
  ]
  const issues = findings.map(({ document, path, part, fault }) =>
    issueAt(document.file, document.rangeOf(path, part), fault),
  )
  return [...loaded.warnings, ...issues].toSorted(byPlace)
}

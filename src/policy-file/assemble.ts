// Judged files → a policy set, all or nothing: the laws across files, and the index. Whether the files were judged now or
// kept from an earlier load makes no difference.
import { indexSteps, type PolicySet } from '../policy/policy-set.ts'
import type { Steps } from '../policy/steps.ts'
import { byPlace, issueOfFile, type PolicyIssue } from './issue.ts'
import type { JudgedFile } from './judge-file.ts'
import { ownershipIssues } from './ownership.ts'

/** Everything that counts in a folder. */
export interface FolderContent {
  /** What a complaint about the folder as a whole names. */
  readonly folder: string
  readonly revision: string
  /** In the order of their names. */
  readonly files: readonly JudgedFile[]
}

export type Assembled =
  | { readonly kind: 'assembled'; readonly set: PolicySet }
  /** In the order of files and lines. */
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

/**
 * Assembles a policy set.
 * @param earlier a set that shares routes with this one; the result does not depend on it
 * @returns the set, or every issue that keeps it from loading; never throws
 */
export function* assembleSteps(content: FolderContent, earlier: PolicySet | undefined): Steps<Assembled> {
  const { folder, revision, files } = content
  const clashes = yield* ownershipIssues(files)
  const issues = [...files.flatMap((file) => file.issues), ...clashes]
  if (issues.length > 0) return { kind: 'refused', issues: issues.toSorted(byPlace) }
  const routes = files.flatMap(({ route }) => route ?? [])
  if (routes.length === 0) return { kind: 'refused', issues: [emptyFolder(folder)] }
  return { kind: 'assembled', set: yield* indexSteps(routes, revision, earlier) }
}

const emptyFolder = (folder: string): PolicyIssue =>
  issueOfFile(folder, {
    code: 'E00',
    what: 'no policy file',
    why: 'without a route every request is denied',
    mend: 'write one file per application, like `grafana.yaml`',
  })

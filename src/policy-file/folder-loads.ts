// One load of a policy folder after another. What was judged is kept by the digest of everything it depends on, so that a
// load judges what changed and a route that did not change stays the very same object. A load from nothing ends the same.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Steps } from '../policy/steps.ts'
import { assembleSteps } from './assemble.ts'
import { issueOfFile, type PolicyFile, type PolicyIssue } from './issue.ts'
import type { JudgedFile } from './judge-file.ts'
import type { FolderNews, LoadThread } from './load-thread.ts'

/** A set that can be in force. */
export interface LoadedSet {
  readonly kind: 'loaded'
  readonly set: PolicySet
  readonly files: readonly PolicyFile[]
  readonly judged: readonly JudgedFile[]
  readonly warnings: readonly PolicyIssue[]
}

export type NextLoad =
  | LoadedSet
  | Extract<FolderNews, { readonly kind: 'unchanged' }>
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

/**
 * Makes the loads of a folder.
 * @param load judges in a thread of its own
 * @param first what is in force already
 * @returns a load: the whole set, `unchanged`, or every issue. Decisions go on meanwhile. Never rejects. A load must have
 * ended before the next one.
 */
export const makeFolderLoads = (
  folder: string,
  load: LoadThread,
  first: Pick<LoadedSet, 'set' | 'judged'>,
): (() => Promise<NextLoad>) => {
  // Nothing else of a first load is kept: its documents are large.
  let inForce = { set: first.set, judged: first.judged }
  // Files of a folder that was refused are not judged again either.
  let refused: readonly JudgedFile[] = []
  return async () => {
    const kept = new Map([...refused, ...inForce.judged].map((file) => [file.key, file]))
    const news = await load({ folder, revision: inForce.set.revision, known: new Set(kept.keys()) })
    if (news.kind === 'refused') return news
    refused = []
    if (news.kind === 'unchanged') return news
    for (const file of news.judged) kept.set(file.key, file)
    const { revision, warnings } = news
    const judged = news.keys.flatMap((key) => kept.get(key) ?? [])
    if (judged.length < news.keys.length) return { kind: 'refused', issues: [incomplete(folder)] }
    const assembled = await inSlices(assembleSteps({ folder, revision, files: judged }, inForce.set))
    if (assembled.kind === 'refused') {
      refused = judged
      return assembled
    }
    inForce = { set: assembled.set, judged }
    return { kind: 'loaded', ...inForce, files: judged.map(({ file }) => file), warnings }
  }
}

/** Never seen; a set without one of its files would be another set. */
const incomplete = (folder: string): PolicyIssue =>
  issueOfFile(folder, {
    code: 'E00',
    what: 'the policy folder was not loaded',
    why: 'the thread that reads it left a file out',
    mend: 'reload',
  })

/** Longest time that decisions wait for. */
const SLICE_MS = 2

/** Takes step after step, and lets decisions through in between. */
const inSlices = async <Result>(steps: Steps<Result>): Promise<Result> => {
  let endsAtMs = performance.now() + SLICE_MS
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() < endsAtMs) continue
    await nextTurn()
    endsAtMs = performance.now() + SLICE_MS
  }
}

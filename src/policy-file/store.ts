// The policy set in force. A reload is all or nothing: what cannot be loaded leaves the last good set in place, and says
// so in the status. Closed over its state; nobody else can change it.
import type { PolicySet } from '../policy/policy-set.ts'
import type { PolicyFile, PolicyIssue } from './issue.ts'
import { loadPolicies, type LoadedPolicies, type RefusedPolicies } from './load.ts'
import { folderPrint, type FolderPrint } from './folder-print.ts'
import { makeFolderLoads, type NextLoad } from './folder-loads.ts'
import { makeLoadThread } from './load-thread.ts'
import { watchFolder, type WatchTimes } from './folder-watch.ts'

/** What happened to the policy folder. */
export type PolicyEvent =
  | {
      readonly kind: 'loaded'
      readonly revision: string
      readonly generation: number
      readonly routes: number
      readonly warnings: readonly PolicyIssue[]
    }
  | { readonly kind: 'unchanged'; readonly revision: string }
  /** The set of `keeps` stays in force. */
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[]; readonly keeps: string }

/** What `/readyz?verbose` says about policy. */
export interface PolicyStatus {
  readonly revision: string
  /** Counts the sets that were in force since the start, from 1. */
  readonly generation: number
  readonly loadedAtMs: number
  readonly routes: number
  readonly warnings: readonly PolicyIssue[]
  /** Why the folder as it is now was refused; undefined where it is in force. */
  readonly refusal: { readonly atMs: number; readonly issues: readonly PolicyIssue[] } | undefined
}

export interface PolicyStore {
  readonly current: () => PolicySet
  /** The files of the set in force. */
  readonly files: () => readonly PolicyFile[]
  readonly status: () => PolicyStatus
  /** Loads the folder again, off the event loop; calls that overlap share what follows. Never rejects. */
  readonly reload: () => Promise<PolicyEvent>
  /** Reloads when the folder's content changes and has come to rest, until the returned function is called. */
  readonly watch: (times?: Partial<WatchTimes>) => () => void
}

export interface PolicyStoreDeps {
  readonly folder: string
  readonly nowMs: () => number
  /** Told about every reload, whoever asked for it. */
  readonly onEvent: (event: PolicyEvent) => void
}

export type OpenedStore = { readonly kind: 'opened'; readonly store: PolicyStore } | RefusedPolicies

/**
 * Loads a policy folder and keeps it loaded.
 * @returns the store; or `refused`, because a cold start has no last good set to fall back to. Never rejects.
 */
export const openPolicyStore = async (deps: PolicyStoreDeps): Promise<OpenedStore> => {
  // Before the load: whatever changes from here on is noticed by a watch.
  const print = await folderPrint(deps.folder).catch(() => undefined)
  const load = await loadPolicies(deps.folder)
  return load.kind === 'refused' ? load : { kind: 'opened', store: makeStore(load, print, deps) }
}

interface InForce {
  readonly set: PolicySet
  readonly files: readonly PolicyFile[]
  readonly warnings: readonly PolicyIssue[]
  readonly generation: number
  readonly loadedAtMs: number
}

const makeStore = (
  first: LoadedPolicies,
  firstPrint: FolderPrint | undefined,
  deps: PolicyStoreDeps,
): PolicyStore => {
  const { set, files, warnings } = first
  let inForce: InForce = { set, files, warnings, generation: 1, loadedAtMs: deps.nowMs() }
  let refusal: PolicyStatus['refusal']

  const loadNext = makeFolderLoads(deps.folder, makeLoadThread(), first)

  const take = (load: NextLoad): PolicyEvent => {
    if (load.kind === 'refused') {
      refusal = { atMs: deps.nowMs(), issues: load.issues }
      return { kind: 'refused', issues: load.issues, keeps: inForce.set.revision }
    }
    refusal = undefined
    if (load.kind === 'unchanged') return load
    const { generation } = inForce
    const { set, files, warnings } = load
    inForce = { set, files, warnings, generation: generation + 1, loadedAtMs: deps.nowMs() }
    return {
      kind: 'loaded',
      revision: set.revision,
      generation: generation + 1,
      routes: set.routes.size,
      warnings,
    }
  }

  const reload = shared(async () => {
    const event = take(await loadNext())
    deps.onEvent(event)
    return event
  })

  return {
    current: () => inForce.set,
    files: () => inForce.files,
    reload,
    status: () => ({
      revision: inForce.set.revision,
      generation: inForce.generation,
      loadedAtMs: inForce.loadedAtMs,
      routes: inForce.set.routes.size,
      warnings: inForce.warnings,
      refusal,
    }),
    watch: (times = {}) => watchFolder(deps.folder, times, firstPrint, reload),
  }
}

/** One run at a time; all who ask during a run share the next one, which sees whatever made them ask. */
const shared = <Result>(run: () => Promise<Result>): (() => Promise<Result>) => {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Result> | undefined
  return () => {
    next ??= running.then(() => {
      next = undefined
      const started = run()
      running = started
      return started
    })
    return next
  }
}

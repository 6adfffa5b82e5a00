// Loads a policy folder in a worker thread, so that parsing a thousand files delays no decision. The worker ends with
// the load; nothing of it stays in memory.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { HostName } from '../policy/host-pattern.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Route, Section } from '../policy/route.ts'
import { buildSectionTree, type SectionTree } from '../policy/section-tree.ts'
import { issueOfFile, type PolicyFile, type PolicyIssue } from './issue.ts'
import type { RefusedPolicies } from './load.ts'

/** What the worker is started with. */
export interface LoadOrder {
  readonly folder: string
  /** A revision that need not be compiled again. */
  readonly known: string | undefined
}

interface Unchanged {
  readonly kind: 'unchanged'
  readonly revision: string
}

interface LoadEnd {
  readonly kind: 'end'
  readonly revision: string
  readonly claims: readonly string[]
  readonly groups: readonly string[]
  readonly files: readonly PolicyFile[]
  readonly warnings: readonly PolicyIssue[]
}

/** What the worker answers, one for each time it is asked. */
export type LoadMessage =
  | RefusedPolicies
  | Unchanged
  | { readonly kind: 'routes'; readonly routes: readonly Route[] }
  | LoadEnd

export interface LoadedSet {
  readonly kind: 'loaded'
  readonly set: PolicySet
  readonly files: readonly PolicyFile[]
  readonly warnings: readonly PolicyIssue[]
}

export type OffThreadLoad = LoadedSet | RefusedPolicies | Unchanged

/**
 * Loads a folder in a worker.
 * @param order the folder, and the revision that is in force
 * @returns the whole set, `unchanged`, or every issue; a worker that dies is an issue too. Never rejects.
 */
export const loadOffThread = (order: LoadOrder): Promise<OffThreadLoad> =>
  new Promise((resolve) => {
    const worker = new Worker(workerUrl(), { workerData: order })
    const routes: Route[] = []
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    const ask = (): void => worker.postMessage('next')
    const settle = (load: OffThreadLoad): void => {
      resolve(load)
      void worker.terminate()
    }
    worker.on('message', (message: LoadMessage) => {
      switch (message.kind) {
        case 'routes':
          routes.push(...message.routes)
          setImmediate(ask)
          return
        case 'end':
          void assemble(routes, message).then(settle)
          return
        case 'refused':
        case 'unchanged':
          settle(message)
      }
    })
    worker.on('error', () => settle(workerDied(order.folder)))
    worker.on('exit', () => settle(workerDied(order.folder)))
    ask()
  })

/** Runs from the sources and from the compiled tree alike. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './load-worker.ts' : './load-worker.js', import.meta.url)

const workerDied = (folder: string): RefusedPolicies => ({
  kind: 'refused',
  revision: undefined,
  files: [],
  issues: [
    issueOfFile(folder, {
      code: 'E00',
      what: 'the policy folder was not loaded',
      why: 'the thread that reads it ended early',
      mend: 'look at the memory of the process, and reload',
    }),
  ],
})

const SLICE_MS = 5

/** Builds the index host by host, and lets decisions through in between. */
const assemble = async (routes: readonly Route[], end: LoadEnd): Promise<LoadedSet> => {
  const exactHosts = new Map<HostName, SectionTree>()
  const wildcardHosts = new Map<HostName, SectionTree>()
  let sliceEndsAtMs = performance.now() + SLICE_MS
  for (const { kind, host, sections } of hostsOf(routes)) {
    const trees = kind === 'exact' ? exactHosts : wildcardHosts
    trees.set(host, buildSectionTree(sections))
    if (performance.now() < sliceEndsAtMs) continue
    await nextTurn()
    sliceEndsAtMs = performance.now() + SLICE_MS
  }
  const byId = new Map(routes.map((route) => [route.id, route]))
  const { revision, claims, groups, files, warnings } = end
  const set: PolicySet = { revision, routes: byId, exactHosts, wildcardHosts, claims, groups }
  return { kind: 'loaded', set, files, warnings }
}

interface OwnedHost {
  readonly kind: 'exact' | 'wildcard'
  readonly host: HostName
  readonly sections: readonly Section[]
}

const hostsOf = (routes: readonly Route[]): Iterable<OwnedHost> => {
  const owned = new Map<string, { kind: OwnedHost['kind']; host: HostName; sections: Section[] }>()
  for (const route of routes) {
    for (const pattern of route.hosts) {
      const host = pattern.kind === 'exact' ? pattern.host : pattern.suffix
      const key = `${pattern.kind} ${host}`
      const one = owned.get(key) ?? { kind: pattern.kind, host, sections: [] }
      one.sections.push(...route.sections)
      owned.set(key, one)
    }
  }
  return owned.values()
}

// A thread that reads a policy folder and judges its files, so that no decision waits for a parser. Everything that lasts
// is kept on this side; the thread may end at any time, and the next load starts another.
import { Worker } from 'node:worker_threads'
import { issueOfFile, type PolicyIssue } from './issue.ts'
import type { JudgedFile } from './judge-file.ts'

/** What the thread is asked for. */
export interface LoadOrder {
  readonly folder: string
  /** A revision that need not be looked at again. */
  readonly revision: string
  /** Keys of files that need not be judged again. */
  readonly known: ReadonlySet<string>
}

interface LoadEnd {
  readonly kind: 'end'
  readonly revision: string
  /** One for each file that counts, in the order of their names. */
  readonly keys: readonly string[]
  readonly warnings: readonly PolicyIssue[]
}

interface NoLoad {
  readonly kind: 'refused'
  readonly issues: readonly PolicyIssue[]
}

interface Unchanged {
  readonly kind: 'unchanged'
  readonly revision: string
}

/** What the thread answers, one for each time it is asked. */
export type LoadMessage =
  | NoLoad
  | Unchanged
  | { readonly kind: 'judged'; readonly files: readonly JudgedFile[] }
  | LoadEnd

/** What the folder holds now: every key, and the files behind those that were not known. */
export type FolderNews = NoLoad | Unchanged | (LoadEnd & { readonly judged: readonly JudgedFile[] })

/** Loads one at a time. */
export type LoadThread = (order: LoadOrder) => Promise<FolderNews>

/** A thread that nobody needed for so long ends; the load after it takes longer by the start of another. */
const IDLE_MS = 600_000

/**
 * Makes a thread that is started by the first load, and keeps no process alive.
 * @returns a load: what is new in the folder, `unchanged`, or every issue; a thread that dies is an issue too. Never
 * rejects. A load must have ended before the next one.
 */
export const makeLoadThread = (idleMs = IDLE_MS): LoadThread => {
  let living: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  const end = (): void => {
    void living?.terminate()
    living = undefined
  }
  return async (order) => {
    clearTimeout(idle)
    living ??= new Worker(workerUrl())
    const news = await newsFrom(living, order)
    if (news === 'died') living = undefined
    else idle = setTimeout(end, idleMs).unref()
    return news === 'died' ? threadDied(order.folder) : news
  }
}

/** Runs from the sources and from the compiled tree alike. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './load-worker.ts' : './load-worker.js', import.meta.url)

/** Asks for one message after another, and takes a turn of the event loop between two of them. */
const newsFrom = (worker: Worker, order: LoadOrder): Promise<FolderNews | 'died'> =>
  new Promise((resolve) => {
    const judged: JudgedFile[] = []
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    const ask = (asked: LoadOrder | 'next'): void => worker.postMessage(asked)
    const settle = (news: FolderNews | 'died'): void => {
      worker.off('message', take).off('error', died).off('exit', died)
      worker.unref()
      resolve(news)
    }
    const died = (): void => settle('died')
    const take = (message: LoadMessage): void => {
      switch (message.kind) {
        case 'judged':
          judged.push(...message.files)
          setImmediate(ask, 'next')
          return
        case 'end':
          settle({ ...message, judged })
          return
        case 'refused':
        case 'unchanged':
          settle(message)
      }
    }
    worker.on('message', take).on('error', died).on('exit', died)
    worker.ref()
    ask(order)
  })

const threadDied = (folder: string): NoLoad => ({
  kind: 'refused',
  issues: [
    issueOfFile(folder, {
      code: 'E00',
      what: 'the policy folder was not loaded',
      why: 'the thread that reads it ended early',
      mend: 'look at the memory of the process, and reload',
    }),
  ],
})

// Notices that a policy folder changed: file events (a ConfigMap swaps the `..data` symlink, an editor renames), and a
// slow poll for file systems that have none. Acts on content that has come to rest, never on an event alone: half a file
// may be a whole policy, and a wider one.
import { watch, type FSWatcher } from 'node:fs'
import { folderPrint, isWrittenInPlace, type FolderPrint } from './folder-print.ts'

export interface WatchTimes {
  /** How long the folder must look the same before it is loaded, where every change was one step. */
  readonly restMs: number
  /** The same where a file was written in place: whoever writes it may only be pausing. */
  readonly inPlaceRestMs: number
  readonly pollMs: number
  /** Must not keep the process alive by itself. */
  readonly pause: (durationMs: number) => Promise<void>
}

const DEFAULT_TIMES: WatchTimes = {
  restMs: 100,
  inPlaceRestMs: 2_000,
  pollMs: 10_000,
  pause: (durationMs) =>
    new Promise((resolve) => {
      setTimeout(resolve, durationMs).unref()
    }),
}

/**
 * Calls `onChange` each time the folder has changed and come to rest.
 * @param inForce the look at what is loaded already; undefined = nothing is
 * @param onChange called one at a time; must not reject
 * @returns a function that ends the watch. Never throws.
 */
export const watchFolder = (
  folder: string,
  times: Partial<WatchTimes>,
  inForce: FolderPrint | undefined,
  onChange: () => Promise<unknown>,
): (() => void) => {
  const { restMs, inPlaceRestMs, pollMs, pause } = { ...DEFAULT_TIMES, ...times }
  const end = new AbortController()
  const { signal } = end
  let busy = false
  let again = false
  let loaded = inForce

  /** Looks until two looks agree; then the folder is at rest. */
  const settle = async (): Promise<void> => {
    let seen = await lookAt(folder)
    while (!signal.aborted && seen?.text !== loaded?.text) {
      const isUnderWay = seen !== undefined && isWrittenInPlace(loaded, seen)
      await pause(isUnderWay ? inPlaceRestMs : restMs)
      const now = await lookAt(folder)
      if (now?.text === seen?.text && !signal.aborted) {
        loaded = now
        await onChange()
      }
      seen = now
    }
  }

  const look = async (): Promise<void> => {
    again = true
    if (busy) return
    busy = true
    again = false
    await settle()
    busy = false
    // An event during the last look may have been the one that mattered.
    if (again && !signal.aborted) await look()
  }

  const poll = setInterval(() => void look(), pollMs)
  poll.unref()
  const watcher = fileEvents(folder, () => void look())
  void look()
  return () => {
    end.abort()
    clearInterval(poll)
    watcher?.close()
  }
}

/** Undefined where the folder cannot be looked at, so that its loss is noticed and its return as well. */
const lookAt = (folder: string): Promise<FolderPrint | undefined> =>
  folderPrint(folder).catch(() => undefined)

/** Without file events the poll alone must do. */
const fileEvents = (folder: string, onEvent: () => void): FSWatcher | undefined => {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

// Notices that a policy folder changed: file events (a ConfigMap swaps the `..data` symlink, an editor renames), and a
// slow poll for file systems that have none. Acts on content that has come to rest, never on an event alone.
import { watch, type FSWatcher } from 'node:fs'
import { folderPrint } from './folder.ts'

export interface WatchTimes {
  /** How long the folder must look the same before it is loaded. */
  readonly restMs: number
  readonly pollMs: number
}

const DEFAULT_TIMES: WatchTimes = { restMs: 100, pollMs: 10_000 }

/**
 * Calls `onChange` each time the folder has changed and come to rest.
 * @param onChange called one at a time; must not reject
 * @returns a function that ends the watch. Never throws.
 */
export const watchFolder = (
  folder: string,
  times: Partial<WatchTimes>,
  onChange: () => Promise<unknown>,
): (() => void) => {
  const { restMs, pollMs } = { ...DEFAULT_TIMES, ...times }
  const end = new AbortController()
  const { signal } = end
  let busy = false
  let again = false
  let loaded = ''

  /** Looks until two looks agree; then the folder is at rest. */
  const settle = async (): Promise<void> => {
    let seen = await printOf(folder)
    while (!signal.aborted && seen !== loaded) {
      await pause(restMs)
      const now = await printOf(folder)
      if (now === seen && !signal.aborted) {
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

const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, durationMs).unref()
  })

/** A folder that cannot be looked at has a print too, so that its loss is noticed and its return as well. */
const printOf = (folder: string): Promise<string> => folderPrint(folder).catch(() => 'not there')

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

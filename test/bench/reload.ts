// A reload of a thousand routes under load: how long it takes, and what the longest wait for a decision is meanwhile, beside
// the longest wait in the same time without one.
import { ask, checkText } from './asker.ts'
import { withFixture, type Fixture } from './fixture.ts'
import { measurePairs, summarize } from './paired.ts'
import type { Figure } from './report.ts'
import { startPostern, withServers, type ServerProcess } from './server-process.ts'
import { checkHeaders, USUAL_SHAPE, type Settings } from './throughput.ts'

const ROUTES = 1_000
const CONNECTIONS = 4
const POLL_MS = 5

interface Window {
  readonly tookMs: number
  readonly longestMs: number
}

const revisionOf = async (postern: ServerProcess): Promise<string> => {
  const text = await (await fetch(`${postern.urls[2]}/metrics`)).text()
  return /postern_build_info\{[^}]*policy="([^"]+)"/.exec(text)?.[1] ?? ''
}

/** Asks for as long as something takes. */
const askDuring = async (
  postern: ServerProcess,
  fixture: Fixture,
  what: () => Promise<void>,
): Promise<Window> => {
  const request = checkText(checkHeaders(fixture))
  let isOver = false
  const asking = ask(postern.url, CONNECTIONS, () => (isOver ? undefined : request))
  const startedMs = performance.now()
  await what()
  const tookMs = performance.now() - startedMs
  isOver = true
  return { tookMs, longestMs: (await asking).longestMs }
}

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))

/** The reload ends when the new revision is seen; somebody who only waits asks as often. */
const reloaded = async (postern: ServerProcess, until: (revision: string) => boolean): Promise<void> => {
  while (!until(await revisionOf(postern))) await pause(POLL_MS)
}

export const measureReload = ({ pairs }: Settings): Promise<readonly Figure[]> =>
  withFixture({ ...USUAL_SHAPE, routes: ROUTES }, (fixture) =>
    withServers([() => startPostern(fixture.configFile)], async ([postern]) => {
      if (postern === undefined) throw new Error('no server')
      let change = 0
      let lastTookMs = 0
      const withReload = async (): Promise<Window> => {
        const before = await revisionOf(postern)
        const window = await askDuring(postern, fixture, async () => {
          fixture.change(`bench-${(change += 1)}`)
          postern.signal('SIGHUP')
          await reloaded(postern, (revision) => revision !== before)
        })
        lastTookMs = window.tookMs
        // What a reload leaves to do, the folder watch among it, belongs to no window.
        await pause(1_000)
        return window
      }
      const without = (): Promise<Window> =>
        askDuring(postern, fixture, async () => {
          const endMs = performance.now() + lastTookMs
          await reloaded(postern, () => performance.now() >= endMs)
        })
      for (let turn = 0; turn < 2; turn += 1) await withReload()
      const found = await measurePairs(pairs, withReload, without)
      return [
        {
          name: `reload of ${ROUTES} routes x 50 rules`,
          unit: 'ms',
          spread: summarize(found.map(([one]) => one.tookMs)),
          budget: { value: 300, direction: 'at most' },
        },
        {
          name: 'longest wait for a decision, with a reload',
          unit: 'ms',
          spread: summarize(found.map(([one]) => one.longestMs)),
        },
        {
          name: 'longest wait for a decision, without',
          unit: 'ms',
          spread: summarize(found.map(([, one]) => one.longestMs)),
        },
        {
          name: 'longest delay by a reload',
          unit: 'ms',
          spread: summarize(found.map(([one, other]) => one.longestMs - other.longestMs)),
          budget: { value: 20, direction: 'at most' },
        },
      ]
    }),
  )

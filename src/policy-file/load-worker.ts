// Runs in a worker thread: reads, parses and compiles a policy folder off the event loop, and hands the routes over in
// portions small enough that taking one in delays no decision.
import { parentPort, workerData } from 'node:worker_threads'
import type { Route } from '../policy/route.ts'
import { loadFolder } from './load.ts'
import type { LoadMessage, LoadOrder } from './load-off-thread.ts'

/** Rules of one portion; a route is never split. */
const PORTION_RULES = 200

const portionsOf = (routes: readonly Route[]): readonly (readonly Route[])[] => {
  const portions: Route[][] = []
  let weight = Number.POSITIVE_INFINITY
  for (const route of routes) {
    const rules = 1 + route.sections.reduce((sum, { deny, allow }) => sum + deny.length + allow.length + 1, 0)
    if (weight + rules > PORTION_RULES) {
      portions.push([])
      weight = 0
    }
    portions.at(-1)?.push(route)
    weight += rules
  }
  return portions
}

async function* messagesOf({ folder, known }: LoadOrder): AsyncGenerator<LoadMessage> {
  const load = await loadFolder(folder, known)
  if (load.kind === 'unchanged' || load.kind === 'refused') {
    yield load
    return
  }
  const { set, files, warnings } = load
  for (const routes of portionsOf([...set.routes.values()])) yield { kind: 'routes', routes }
  const { revision, claims, groups } = set
  yield { kind: 'end', revision, claims, groups, files, warnings }
}

const port = parentPort
if (port !== null) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one who starts this worker is load-off-thread
  const messages = messagesOf(workerData as LoadOrder)
  // Each portion is asked for: the other side takes a turn of its event loop between two of them.
  port.on('message', () => {
    void messages.next().then(({ done, value }) => (done === true ? port.close() : port.postMessage(value)))
  })
}

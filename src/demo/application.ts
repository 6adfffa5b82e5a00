// An application of the demo on a port of its own: it listens on loopback and would answer anybody who reaches it,
// which is why only the proxy should.
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { createServer } from 'node:http'
import { listenOnLoopback, type Listening } from './loopback.ts'

/** Above the proxy's idle timeout, so that the proxy closes first and no request is lost. */
const KEEP_ALIVE_MS = 75_000

/** Serves `app`. */
export const startApplication = (app: Hono, preferredPort: number): Promise<Listening> => {
  const answer = getRequestListener(app.fetch)
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void answer(request, response)
  })
  return listenOnLoopback(server, preferredPort)
}

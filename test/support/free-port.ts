// A port on 127.0.0.1 that was free a moment ago, for listeners that somebody else opens.
import { chooseFreePort } from '../../src/demo/loopback.ts'

const promised = new Set<number>()

/** Never the same port twice in one test process. */
export const freePort = async (): Promise<number> => {
  const port = await chooseFreePort(0, promised)
  promised.add(port)
  return port
}

// From the start of the process to the line that says that it listens, beside a Node that only listens.
import { withFixture } from './fixture.ts'
import { measurePairs, summarize } from './paired.ts'
import type { Figure } from './report.ts'
import { build, startPostern, startServer, type ServerProcess } from './server-process.ts'
import { USUAL_SHAPE, type Settings } from './throughput.ts'

const readyMs = async (start: () => Promise<ServerProcess>): Promise<number> => {
  const server = await start()
  await server.stop()
  return server.readyMs
}

/** As it is installed: the built program. */
export const measureReady = ({ pairs }: Settings): Promise<readonly Figure[]> => {
  build()
  return withFixture(USUAL_SHAPE, async (fixture) => {
    const postern = (): Promise<number> => readyMs(() => startPostern(fixture.configFile, 'dist/main.js'))
    const bare = (): Promise<number> => readyMs(() => startServer(['test/bench/bare-server.ts', '[]']))
    await postern()
    await bare()
    const found = await measurePairs(pairs, postern, bare)
    return [
      {
        name: 'ready after',
        unit: 'ms',
        spread: summarize(found.map(([one]) => one)),
        budget: { value: 500, direction: 'at most' },
      },
      { name: 'a bare node:http server after', unit: 'ms', spread: summarize(found.map(([, one]) => one)) },
    ]
  })
}

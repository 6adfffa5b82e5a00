// `npm run bench`: decisions a second on one core beside a bare node:http server that writes the same headers, in one
// run, in pairs. Prints ratios beside their budgets; nothing here is a test.
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findProgram } from '../../scripts/debian-packages.ts'
import { makeFixture, type Fixture, type FixtureShape } from './fixture.ts'
import { burst, type Burst } from './load.ts'
import { measurePairs, summarize, verdict, type Ratio } from './paired.ts'
import { startServer, type ServerProcess } from './server-process.ts'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '11' },
    seconds: { type: 'string', default: '1' },
    routes: { type: 'string', default: '10000' },
  },
})
const PAIRS = Number(values.pairs)
const SECONDS = Number(values.seconds)
const MANY = Number(values.routes)
const CONNECTIONS = 32

interface Scenario {
  readonly name: string
  readonly shape: FixtureShape
  readonly budget: number
}

const scenario = (name: string, budget: number, shape: Partial<FixtureShape>): Scenario => ({
  name,
  budget,
  shape: { routes: 10, rulesPerRoute: 50, cachedDecisions: 50_000, log: 'file', ...shape },
})

const SCENARIOS: readonly Scenario[] = [
  scenario('warm, 10 routes, log on', 0.85, {}),
  scenario('warm, 10 routes, log off', 0.85, { log: 'off' }),
  scenario(`warm, ${MANY} routes, log on`, 0.85, { routes: MANY }),
  scenario('cold session, 10 routes, log on', 0.6, { cachedDecisions: 0 }),
  scenario('cold session, 10 routes, log off', 0.6, { cachedDecisions: 0, log: 'off' }),
  scenario(`cold session, ${MANY} routes, log on`, 0.6, { cachedDecisions: 0, routes: MANY }),
]

const posternArgs = (fixture: Fixture): readonly string[] => [
  'src/main.ts',
  'serve',
  '-c',
  fixture.configFile,
]
const POSTERN_READY = /decision.*?127\.0\.0\.1:(\d+)/

const loadOf = (fixture: Fixture, url: string): Burst => ({
  url: `${url}/authz/nginx`,
  headers: {
    'X-Original-URL': `https://${fixture.host}/d/abc/dashboard?orgId=1`,
    'X-Original-Method': 'GET',
    'X-Real-IP': '203.0.113.7',
    Accept: 'text/html',
    'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    Cookie: fixture.cookie,
  },
  seconds: SECONDS,
  connections: CONNECTIONS,
})

/** The headers of one real answer, for the yardstick to write. */
const sampleHeaders = async (load: Burst): Promise<readonly string[]> => {
  const answer = await fetch(load.url, { headers: load.headers })
  if (answer.status !== 200) throw new Error(`the sample was answered ${answer.status}`)
  const skipped = new Set(['date', 'connection', 'keep-alive'])
  return [...answer.headers].filter(([name]) => !skipped.has(name)).flat()
}

const withServers = async <T>(
  starts: readonly (() => Promise<ServerProcess>)[],
  use: (servers: readonly ServerProcess[]) => Promise<T>,
): Promise<T> => {
  const running: ServerProcess[] = []
  try {
    for (const start of starts) running.push(await start())
    return await use(running)
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}

const compareWithBare = async (scenario: Scenario): Promise<Comparison> => {
  const fixture = makeFixture(scenario.shape)
  try {
    return await withServers([() => startServer(posternArgs(fixture), POSTERN_READY)], async ([postern]) => {
      const load = loadOf(fixture, postern?.url ?? '')
      const headers = JSON.stringify(await sampleHeaders(load))
      return await withServers(
        [() => startServer(['test/bench/bare-server.ts', headers], /listening (\d+)/)],
        async ([bare]) => {
          const bareLoad = { ...load, url: `${bare?.url ?? ''}/authz/nginx` }
          for (const one of [load, bareLoad, load, bareLoad]) await burst(one)
          const rates: number[] = []
          const measured = async (): Promise<number> => {
            const rate = await burst(load)
            rates.push(rate)
            return rate
          }
          const ratio = await measurePairs(PAIRS, measured, () => burst(bareLoad))
          return { ratio, perSecond: summarize(rates).median }
        },
      )
    })
  } finally {
    rmSync(fixture.folder, { recursive: true })
  }
}

interface Comparison {
  readonly ratio: Ratio
  /** Median rate of the decisions themselves: for this machine and this hour only. */
  readonly perSecond: number
}

/** Cost of many routes: the rate with 10 over the rate with many, both warm. */
const compareRoutes = async (): Promise<Ratio> => {
  const shape: FixtureShape = { routes: 10, rulesPerRoute: 50, cachedDecisions: 50_000, log: 'file' }
  const few = makeFixture(shape)
  const many = makeFixture({ ...shape, routes: MANY })
  try {
    const starts = [few, many].map((fixture) => () => startServer(posternArgs(fixture), POSTERN_READY))
    return await withServers(starts, async ([fewServer, manyServer]) => {
      const fewLoad = loadOf(few, fewServer?.url ?? '')
      const manyLoad = loadOf(many, manyServer?.url ?? '')
      for (const one of [fewLoad, manyLoad, fewLoad, manyLoad]) await burst(one)
      return await measurePairs(
        PAIRS,
        () => burst(fewLoad),
        () => burst(manyLoad),
      )
    })
  } finally {
    for (const fixture of [few, many]) rmSync(fixture.folder, { recursive: true })
  }
}

const show = (name: string, ratio: Ratio, budget: number, direction: 'at least' | 'at most'): void => {
  const figures = `${ratio.median.toFixed(3)} [${ratio.low.toFixed(3)}, ${ratio.high.toFixed(3)}]`
  console.log(
    `${name.padEnd(46)} ${figures}  budget ${direction} ${budget}: ${verdict(ratio, budget, direction)}`,
  )
}

if (findProgram('wrk') === undefined) {
  console.error('the benchmark needs wrk; as root, run: apt-get update && apt-get install -y wrk')
  process.exitCode = 2
} else {
  console.log(
    `median of ${PAIRS} pairs and 95 % interval; ${SECONDS} s a burst, ${CONNECTIONS} connections, one core each`,
  )
  for (const one of SCENARIOS) {
    const { ratio, perSecond } = await compareWithBare(one)
    show(`${one.name} / bare node:http`, ratio, one.budget, 'at least')
    console.log(`${''.padEnd(46)} ${Math.round(perSecond)} decisions a second`)
  }
  show(`cost of ${MANY} routes x 50 rules / 10 routes, warm`, await compareRoutes(), 1.15, 'at most')
}

// Decisions a second on one core beside a bare node:http server that writes the same headers, and the cost of many routes.
import { makeFixture, withFixture, type Fixture, type FixtureShape } from './fixture.ts'
import { burst, type Burst } from './load.ts'
import { measurePairs, summarize, type Budget } from './paired.ts'
import type { Figure } from './report.ts'
import { cpuSeconds, startPostern, startServer, withServers, type ServerProcess } from './server-process.ts'

export interface Settings {
  readonly pairs: number
  readonly seconds: number
  readonly manyRoutes: number
}

const CONNECTIONS = 32
/** Until the engine has compiled what is hot. */
const WARM_UP_BURSTS = 4

export const USUAL_SHAPE: FixtureShape = {
  routes: 10,
  rulesPerRoute: 50,
  cachedDecisions: 50_000,
  log: 'file',
}

/** Headers of a check as NGINX sends it for a browser. */
export const checkHeaders = (fixture: Fixture): Burst['headers'] => ({
  'X-Original-URL': `https://${fixture.host}/d/abc/dashboard?orgId=1`,
  'X-Original-Method': 'GET',
  'X-Real-IP': '203.0.113.7',
  Accept: 'text/html',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  Cookie: fixture.cookie,
})

const loadOf = (fixture: Fixture, url: string, seconds: number): Burst => ({
  url: `${url}/authz/nginx`,
  headers: checkHeaders(fixture),
  seconds,
  connections: CONNECTIONS,
})

/** The headers of one real answer, for the yardstick to write. */
const sampleHeaders = async (load: Burst): Promise<readonly string[]> => {
  const answer = await fetch(load.url, { headers: load.headers })
  if (answer.status !== 200) throw new Error(`the sample was answered ${answer.status}`)
  const skipped = new Set(['date', 'connection', 'keep-alive'])
  return [...answer.headers].filter(([name]) => !skipped.has(name)).flat()
}

interface Measured {
  readonly perSecond: number
  /** CPU time of the server for each request: what is left of a comparison where others use the machine too. */
  readonly cpuUs: number
}

const measured = async (server: ServerProcess, load: Burst): Promise<Measured> => {
  const before = cpuSeconds(server.pid)
  const { perSecond, requests } = await burst(load)
  return { perSecond, cpuUs: ((cpuSeconds(server.pid) - before) * 1e6) / requests }
}

/** The rate of decisions over that of the bare server. */
export const compareWithBare = (
  name: string,
  shape: FixtureShape,
  budget: Budget,
  { pairs, seconds }: Settings,
): Promise<readonly Figure[]> =>
  withFixture(shape, (fixture) =>
    withServers([() => startPostern(fixture.configFile)], async ([postern]) => {
      if (postern === undefined) throw new Error('no server')
      const load = loadOf(fixture, postern.url, seconds)
      const headers = JSON.stringify(await sampleHeaders(load))
      return withServers([() => startServer(['test/bench/bare-server.ts', headers])], async ([bare]) => {
        if (bare === undefined) throw new Error('no server')
        const bareLoad = { ...load, url: `${bare.url}/authz/nginx` }
        for (let turn = 0; turn < WARM_UP_BURSTS; turn += 1)
          for (const one of [load, bareLoad]) await burst(one)
        const found = await measurePairs(
          pairs,
          () => measured(postern, load),
          () => measured(bare, bareLoad),
        )
        const of = (value: (ours: Measured, bares: Measured) => number) =>
          summarize(found.map(([ours, bares]) => value(ours, bares)))
        return [
          { name: `${name} / bare, rate`, unit: '', spread: of((a, b) => a.perSecond / b.perSecond), budget },
          { name: `${name} / bare, by CPU time`, unit: '', spread: of((a, b) => b.cpuUs / a.cpuUs) },
          { name: `${name}, decisions`, unit: '/s', spread: of((a) => a.perSecond) },
          { name: `${name}, CPU time of one`, unit: 'µs', spread: of((a) => a.cpuUs) },
          { name: 'bare, CPU time of one', unit: 'µs', spread: of((_, b) => b.cpuUs) },
        ]
      })
    }),
  )

/** Cost of many routes: the rate with 10 over the rate with many, both warm. */
export const compareRoutes = async ({ pairs, seconds, manyRoutes }: Settings): Promise<readonly Figure[]> => {
  const few = makeFixture(USUAL_SHAPE)
  const many = makeFixture({ ...USUAL_SHAPE, routes: manyRoutes })
  try {
    const starts = [few, many].map((fixture) => () => startPostern(fixture.configFile))
    return await withServers(starts, async ([fewServer, manyServer]) => {
      const fewLoad = loadOf(few, fewServer?.url ?? '', seconds)
      const manyLoad = loadOf(many, manyServer?.url ?? '', seconds)
      for (let turn = 0; turn < WARM_UP_BURSTS; turn += 1)
        for (const one of [fewLoad, manyLoad]) await burst(one)
      const found = await measurePairs(
        pairs,
        () => burst(fewLoad),
        () => burst(manyLoad),
      )
      return [
        {
          name: `cost of ${manyRoutes} routes x 50 rules / 10 routes, warm`,
          unit: '',
          spread: summarize(found.map(([one, other]) => one.perSecond / other.perSecond)),
          budget: { value: 1.15, direction: 'at most' },
        },
      ]
    })
  } finally {
    for (const fixture of [few, many]) fixture.remove()
  }
}

// `npm run bench`: every budget that applies, beside what was reached, in pairs and in one run. Nothing here is a test.
import { parseArgs } from 'node:util'
import { findProgram } from '../../scripts/debian-packages.ts'
import { measureMemory } from './memory.ts'
import { measureReady } from './ready.ts'
import { measureReload } from './reload.ts'
import { figureText, type Benchmark } from './report.ts'
import { measureThroughNginx } from './through-nginx.ts'
import { compareRoutes, compareWithBare, USUAL_SHAPE, type Settings } from './throughput.ts'

const options = {
  pairs: { type: 'string', default: '11' },
  seconds: { type: 'string', default: '1' },
  routes: { type: 'string', default: '10000' },
  /** Names with commas between them. */
  only: { type: 'string' },
} as const

const USAGE = 'usage: npm run bench -- [--pairs 11] [--seconds 1] [--routes 10000] [--only warm,cold]'

const isPositive = (text: string): boolean => Number(text) > 0 && Number.isFinite(Number(text))

/** What was asked for; anything else is told in two lines, and nothing is measured. */
const readOptions = () => {
  try {
    const { values: read } = parseArgs({ options })
    const { pairs, seconds, routes } = read
    if (!Number.isInteger(Number(pairs)) || ![pairs, seconds, routes].every(isPositive))
      throw new RangeError('--pairs, --seconds and --routes take numbers above 0, --pairs a whole one')
    return read
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split('. ')[0] : 'unknown option'}\n${USAGE}`)
    return process.exit(2)
  }
}

const values = readOptions()

const settings: Settings = {
  pairs: Number(values.pairs),
  seconds: Number(values.seconds),
  manyRoutes: Number(values.routes),
}

const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'warm',
    about: 'decisions from the cache, with their lines in the log',
    run: () => compareWithBare('warm', USUAL_SHAPE, { value: 0.85, direction: 'at least' }, settings),
  },
  {
    name: 'cold',
    about: 'every decision made anew: cookie opened, 50 rules, headers; with their lines in the log',
    run: () =>
      compareWithBare(
        'cold',
        { ...USUAL_SHAPE, cachedDecisions: 0 },
        { value: 0.6, direction: 'at least' },
        settings,
      ),
  },
  { name: 'routes', about: 'few routes and many', run: () => compareRoutes(settings) },
  { name: 'nginx', about: 'through nginx with keep-alive', run: () => measureThroughNginx(settings) },
  { name: 'reload', about: 'policy files loaded anew under load', run: () => measureReload(settings) },
  { name: 'memory', about: 'a full cache', run: () => measureMemory() },
  { name: 'ready', about: 'a start of the built program', run: () => measureReady(settings) },
]

const names = new Set(BENCHMARKS.map(({ name }) => name))
const wanted = new Set(values.only === undefined ? names : values.only.split(','))
const unknown = [...wanted].filter((name) => !names.has(name))

if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(', ')}; there are ${[...names].join(', ')}`)
  process.exitCode = 2
} else if (findProgram('wrk') === undefined) {
  console.error('the benchmark needs wrk; as root, run: apt-get update && apt-get install -y wrk')
  process.exitCode = 2
} else {
  console.log(
    `median of ${settings.pairs} pairs and 95 % interval; ${settings.seconds} s a burst, one core each`,
  )
  for (const { name, about, run } of BENCHMARKS.filter((one) => wanted.has(one.name))) {
    console.log(`${name}: ${about}`)
    for (const figure of await run()) console.log(figureText(figure))
  }
}

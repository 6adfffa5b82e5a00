// A whole service in this process, from a folder; and the three ways in which tests speak to it.
import { vi } from 'vitest'
import { issueText } from '../../src/config/issue.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startPostern, type RunningPostern, type StartOptions } from '../../src/server/serve.ts'
import { requestText, sendRaw, type RawAnswer } from './raw-http.ts'
import type { ServiceFolder } from './service-folder.ts'

/** Starts it as `serve` does; what the configuration says wrong is the error. */
export const startService = (
  service: Pick<ServiceFolder, 'configFile'>,
  options: StartOptions = {},
): Promise<RunningPostern> => {
  const loaded = loadConfig({ file: service.configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(loaded.issues.map(issueText).join('\n'))
  return startPostern(loaded.config, options)
}

export type HeaderLines = readonly (readonly [string, string])[]

export interface Question {
  readonly cookie?: string | undefined
  readonly bearer?: string | undefined
  readonly method?: string
  readonly target?: string
  readonly headers?: HeaderLines
}

/** Asks in the nginx dialect about a URL. */
export const askNginx = (
  service: Pick<ServiceFolder, 'ports'>,
  url: string,
  question: Question = {},
): Promise<RawAnswer> =>
  sendRaw(
    service.ports.decision,
    requestText('GET', question.target ?? '/authz/nginx', [
      ['X-Original-URL', url],
      ['X-Original-Method', question.method ?? 'GET'],
      ...carried(question),
      ...(question.headers ?? []),
    ]),
  )

/** Asks in the forward dialect about a URL. */
export const askForward = (
  service: Pick<ServiceFolder, 'ports'>,
  url: string,
  question: Question = {},
): Promise<RawAnswer> => {
  const { protocol, host, pathname, search } = new URL(url)
  return sendRaw(
    service.ports.decision,
    requestText('GET', question.target ?? '/authz/forward', [
      ['X-Forwarded-Method', question.method ?? 'GET'],
      ['X-Forwarded-Proto', protocol.slice(0, -1)],
      ['X-Forwarded-Host', host],
      ['X-Forwarded-Uri', pathname + search],
      ...carried(question),
      ...(question.headers ?? []),
    ]),
  )
}

const carried = ({ cookie, bearer }: Question): HeaderLines => [
  ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
  ...(bearer === undefined ? [] : [['Authorization', `Bearer ${bearer}`] as const]),
]

/** The first line of a header; undefined where there is none. */
export const headerOf = (answer: RawAnswer, name: string): string | undefined => answer.headers.get(name)?.[0]

/** What `/readyz?verbose` says, by the name of the check. */
export interface Readiness {
  readonly status: number
  readonly text: string
  readonly lines: ReadonlyMap<string, string>
}

export const readiness = async ({ adminUrl }: Pick<ServiceFolder, 'adminUrl'>): Promise<Readiness> => {
  const response = await fetch(`${adminUrl}/readyz?verbose`)
  const text = await response.text()
  const rows = [...text.matchAll(/^\[.\]([\w-]+) (.*)$/gm)]
  return {
    status: response.status,
    text,
    lines: new Map(rows.map(([, name = '', rest = '']) => [name, rest] as const)),
  }
}

/** Looks until what is read satisfies; fails with the last look. */
export const until = <T>(read: () => T | Promise<T>, isThere: (value: T) => boolean): Promise<T> =>
  vi.waitFor(
    async () => {
      const value = await read()
      if (!isThere(value)) throw new Error(`not there yet: ${JSON.stringify(value)}`.slice(0, 2000))
      return value
    },
    { timeout: 90_000, interval: 15 },
  )

/** Waits until readiness says a thing about one of its checks. */
export const untilReady = (
  service: Pick<ServiceFolder, 'adminUrl'>,
  check: string,
  pattern: RegExp,
): Promise<Readiness> =>
  until(
    () => readiness(service),
    ({ lines }) => pattern.test(lines.get(check) ?? ''),
  )

/** Series of a metric: its labels as written → value. */
export const seriesOf = async (
  { adminUrl }: Pick<ServiceFolder, 'adminUrl'>,
  metric: string,
): Promise<ReadonlyMap<string, number>> => {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
  return new Map(
    rows.map((line) => [
      line.slice(metric.length, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  )
}

/** The sum of all series of a metric. */
export const totalOf = async (service: Pick<ServiceFolder, 'adminUrl'>, metric: string): Promise<number> =>
  [...(await seriesOf(service, metric)).values()].reduce((sum, value) => sum + value, 0)

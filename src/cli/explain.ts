// `postern explain`: why a request would be answered as it would, or a logged one was, without a running service.
import { Option, type Command } from 'commander'
import { parseCaller, type CallerReading } from '../rehearse/caller-text.ts'
import { explain, type Explanation } from '../rehearse/explain.ts'
import { explainJson, explainLine, explainTree } from '../rehearse/explain-text.ts'
import { parseRequestLine, type ImaginedRequest } from '../rehearse/imagined-request.ts'
import { atOption } from './clock-option.ts'
import { explainFromLog } from './explain-logged.ts'
import { addFolderOptions, choosePolicies, tellRefusal, type FolderOptions } from './policy-source.ts'

interface ExplainOptions extends FolderOptions {
  readonly request?: string
  readonly id?: string
  readonly log?: readonly string[]
  /** Without it, nobody: but in the log stands who it was. */
  readonly as?: string
  readonly preflight: boolean
  readonly origin?: string
  readonly output: 'text' | 'line' | 'json'
  readonly at?: number
}

/** Adds `explain`. Anything but an allow: exit 1; a request or folder that cannot be read: exit 2. */
export const addExplainCommand = (program: Command): void => {
  addFolderOptions(program.command('explain').description('say why a request would be allowed or not'))
    .option('--request <line>', "what is asked: 'POST https://app.example.com/path'")
    .option(
      '--as <caller>',
      "who asks: 'groups=sre,platform; user=corp|anna; cred=session; amr=pwd,otp' (default: anonymous)",
    )
    .option('--id <decision>', 'instead: a decision of the log, decided again from what its line holds')
    .option(
      '--log <file...>',
      'where to look for it (default: the files of `audit.sink` in the configuration of -c)',
    )
    .option('--preflight', 'the request is a CORS preflight', false)
    .option('--origin <origin>', 'origin of a WebSocket handshake')
    .addOption(
      new Option('-o, --output <format>', 'format').choices(['text', 'line', 'json']).default('text'),
    )
    .addOption(atOption())
    .action(async (dir: string | undefined, options: ExplainOptions) => {
      const { id } = options
      const fault = faultOfChoice(options)
      if (fault !== undefined) return misuse(...fault)
      if (id !== undefined) {
        process.exitCode = await explainFromLog(dir, { ...options, id })
        return undefined
      }
      const request = requestOf(options)
      const caller = parseCaller(options.as ?? 'anonymous')
      if (request.kind === 'refused') return misuse('--request', request.why)
      if (caller.kind === 'refused') return misuse('--as', caller.why)
      const choice = await choosePolicies(dir, options)
      if (choice.kind !== 'loaded') return tellRefusal(choice)
      const told = explain(choice.loaded.set, request.request, caller.caller, options.at ?? Date.now())
      process.stdout.write(printed(told, caller, options.output))
      process.exitCode = told.outcome === 'allow' ? 0 : 1
      return undefined
    })
}

/** A request is imagined, or looked up: the option that is wrong and why, or undefined. */
const faultOfChoice = (options: ExplainOptions): readonly [string, string] | undefined => {
  const { request, id, log } = options
  if (id === undefined && log !== undefined) return ['--log', 'name the decision with `--id`']
  if (id === undefined)
    return request === undefined
      ? [
          '--request',
          "say what is asked, like 'GET https://app.example.com/path', or name a decision with `--id`",
        ]
      : undefined
  if (log === undefined && options.config === undefined)
    return [
      '--id',
      'name the files of the decision log with `--log`, or the configuration that names one with `-c`',
    ]
  const imagined = [options.request, options.as, options.origin].some((one) => one !== undefined)
  return imagined || options.preflight
    ? [
        '--id',
        'request and caller come from the log; leave `--request`, `--as`, `--preflight`, `--origin` out',
      ]
    : undefined
}

const misuse = (option: string, why: string): void => {
  process.stderr.write(`error: option \`${option}\`: ${why}\n`)
  process.exitCode = 2
}

type RequestReading =
  | { readonly kind: 'read'; readonly request: ImaginedRequest }
  | { readonly kind: 'refused'; readonly why: string }

const requestOf = ({ request: line = '', preflight, origin }: ExplainOptions): RequestReading => {
  const parsed = parseRequestLine(line)
  if (parsed.kind === 'refused') return parsed
  const { method, host, path } = parsed
  if (preflight && method !== 'OPTIONS') return { kind: 'refused', why: 'a preflight is an OPTIONS request' }
  return { kind: 'read', request: { method, host, path, preflight, origin, clientIp: undefined } }
}

const printed = (told: Explanation, caller: CallerReading, output: ExplainOptions['output']): string => {
  switch (output) {
    case 'text':
      return `${explainTree(told)}\n`
    case 'line':
      return `${explainLine(told)}\n`
    case 'json': {
      const as = caller.kind === 'caller' ? caller.caller : undefined
      const report = { apiVersion: 'postern/v1', kind: 'Explanation', as, explanation: explainJson(told) }
      return `${JSON.stringify(report, undefined, 2)}\n`
    }
  }
}

// `check --online`: asks every provider and issuer of a configuration, all at once, and says what the service would meet.
import type { IssuerConfig, ProviderConfig } from '../config/config.ts'
import type { Path } from '../config/issue.ts'
import type { PolicyIssue } from '../policy-file/issue.ts'
import { issueOfConfig, type LoadedConfig } from './config-note.ts'
import { clockAhead, clockFault, clockText, type Asked } from './online-fault.ts'
import { hearingFetch } from './online-fetch.ts'
import { askIssuer } from './online-issuer.ts'
import { askProvider } from './online-provider.ts'

/** What came of asking one of them. */
export interface SourceReport extends Asked {
  readonly state: 'ok' | 'faulty' | 'unreachable'
  readonly facts: readonly string[]
  /** Undefined where it wrote no `Date`. */
  readonly clockAheadSeconds: number | undefined
}

export interface OnlineReport {
  readonly sources: readonly SourceReport[]
  readonly issues: readonly PolicyIssue[]
}

export interface OnlinePorts {
  readonly fetch: typeof globalThis.fetch
  /** The wall clock. */
  readonly nowMs: () => number
}

/** Asks all of them; each is given the time that the service gives it. Never rejects. */
export const checkOnline = async (loaded: LoadedConfig, ports: OnlinePorts): Promise<OnlineReport> => {
  const { providers, issuers } = loaded.config
  const asking = [
    ...providers.map((one, index) => ask(one, ['providers', index, 'issuer'], loaded, ports)),
    ...issuers.map((one, index) => {
      const key = one.jwksUri === undefined ? 'issuer' : 'jwksUri'
      return ask(one, ['issuers', index, key], loaded, ports)
    }),
  ]
  const answers = await Promise.all(asking)
  return {
    sources: answers.map(({ source }) => source),
    issues: answers.flatMap(({ issues }) => issues),
  }
}

const ask = async (
  config: ProviderConfig | IssuerConfig,
  path: Path,
  loaded: LoadedConfig,
  ports: OnlinePorts,
): Promise<{ readonly source: SourceReport; readonly issues: readonly PolicyIssue[] }> => {
  const { id, kind, issuer } = config
  const asked: Asked = { id, kind, issuer }
  const hearing = hearingFetch(ports.fetch, ports.nowMs)
  const { faults, facts } =
    config.kind === 'provider'
      ? await askProvider(config, asked, hearing, ports.nowMs)
      : await askIssuer(config, asked, hearing)
  const ahead = clockAhead(hearing.heard())
  const clock = clockFault(asked, hearing.heard())
  const all = clock === undefined ? faults : [...faults, clock]
  const place = kind === 'issuer' && config.jwksUri !== undefined ? config.jwksUri : issuer
  const issues = all.map((fault) => issueOfConfig(loaded, path, place.length, fault))
  return {
    source: {
      ...asked,
      state: stateOf(issues),
      facts: ahead === undefined ? facts : [...facts, `its clock is ${clockText(ahead)}`],
      // Zero without a sign.
      clockAheadSeconds: ahead === undefined ? undefined : Math.round(ahead) + 0,
    },
    issues,
  }
}

const stateOf = (issues: readonly PolicyIssue[]): SourceReport['state'] => {
  if (issues.some(({ code }) => code === 'E40')) return 'unreachable'
  return issues.some(({ severity }) => severity === 'error') ? 'faulty' : 'ok'
}

/** One line for each of them; empty where there is none. */
export const onlineText = ({ sources }: OnlineReport): string =>
  sources
    .map(({ id, kind, issuer, state, facts }) => {
      const told = facts.length === 0 ? '' : `; ${facts.join('; ')}`
      return `${kind} ${id} (${issuer}): ${state}${told}\n`
    })
    .join('')

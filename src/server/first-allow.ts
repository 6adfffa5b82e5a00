// `log: changes` writes the first allow of each access tuple and hour; the counters have the rest.
import type { Observed } from './authz.ts'

const HOUR_MS = 3_600_000
const MAX_TUPLES = 50_000

/**
 * Tells whether an allow is the first of its tuple (section, rule, method, caller, credential, network label) in this hour.
 */
export const makeFirstAllow = (): ((observed: Observed, network: string | undefined) => boolean) => {
  const seen = new Map<string, number>()
  return (observed, network) => {
    const hour = Math.floor(observed.nowMs / HOUR_MS)
    const key = tupleOf(observed, network)
    if (seen.get(key) === hour) return false
    if (seen.size >= MAX_TUPLES) seen.clear()
    seen.set(key, hour)
    return true
  }
}

const tupleOf = ({ decision, ruling, reading }: Observed, network: string | undefined): string => {
  const authentication = ruling?.verified?.authentication
  const principal = authentication?.kind === 'verified' ? authentication.principal : undefined
  const method = reading?.kind === 'exchange' ? reading.facts.method : ''
  return JSON.stringify([
    decision.rule,
    decision.section,
    method,
    principal?.source,
    principal?.subject,
    principal?.credential,
    network,
  ])
}

// `log: changes` writes the first allow of each access tuple and hour; the counters have the rest.
import type { Observed } from './deliver.ts'

const HOUR_MS = 3_600_000
/** About that much memory; beyond it the hour begins anew, which writes more lines, not fewer. */
const BYTES_MAX = 16 << 20
const FIXED_BYTES = 100

/**
 * Tells whether an allow is the first of its tuple (section, rule, method, caller, credential, network label) in this hour.
 */
export const makeFirstAllow = (): ((observed: Observed, network: string | undefined) => boolean) => {
  const seen = new Map<string, number>()
  let bytes = 0
  return (observed, network) => {
    const hour = Math.floor(observed.nowMs / HOUR_MS)
    const key = tupleOf(observed, network)
    if (seen.get(key) === hour) return false
    if (bytes >= BYTES_MAX) {
      seen.clear()
      bytes = 0
    }
    if (!seen.has(key)) bytes += FIXED_BYTES + key.length
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

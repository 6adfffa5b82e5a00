// What `/readyz?verbose` says. Tests wait for the numbers in here, never for a time.
import type { AuditWriter } from '../audit/writer.ts'
import type { IssuerKeys } from '../identity/issuer-keys.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { Check } from './admin-app.ts'

export interface ReadinessPorts {
  readonly isDraining: () => boolean
  readonly policy: () => {
    readonly revision: string
    readonly generation: number
    readonly fault: string | undefined
  }
  readonly issuerKeys: ReadonlyMap<string, IssuerKeys>
  readonly keyRevision: () => number
  readonly state: Pick<MemoryState, 'revocationNumber' | 'writeFault'>
  readonly audit: Pick<AuditWriter, 'isBehind' | 'stats'>
}

/** Makes the list of checks. A provider or an issuer that is down degrades, and never takes the service out. */
export const makeChecks = (ports: ReadinessPorts): (() => readonly Check[]) => {
  return () => [
    {
      name: 'serving',
      state: ports.isDraining() ? 'failed' : 'ok',
      detail: ports.isDraining() ? 'draining' : '',
    },
    policyCheck(ports),
    { name: 'keys', state: 'ok', detail: `generation ${ports.keyRevision()}` },
    ...[...ports.issuerKeys].map(([id, keys]) => issuerCheck(id, keys)),
    revocationCheck(ports),
    auditCheck(ports),
  ]
}

const policyCheck = (ports: ReadinessPorts): Check => {
  const { revision, generation, fault } = ports.policy()
  const detail = `revision ${revision} generation ${generation}`
  return fault === undefined
    ? { name: 'policy', state: 'ok', detail }
    : {
        name: 'policy',
        state: 'degraded',
        detail: `${detail}, the last good one; newer files were refused: ${fault}`,
      }
}

/** What is not on disk is in force all the same, and a restart would forget it. */
const revocationCheck = ({ state }: ReadinessPorts): Check => {
  const [detail, fault] = [`number ${state.revocationNumber()}`, state.writeFault()]
  return fault === undefined
    ? { name: 'revocations', state: 'ok', detail }
    : { name: 'revocations', state: 'degraded', detail: `${detail}; ${fault}` }
}

const issuerCheck = (id: string, keys: IssuerKeys): Check => {
  const { ageMs, fault } = keys.health()
  const detail =
    ageMs === undefined ? 'keys not loaded yet' : `keys confirmed ${Math.floor(ageMs / 1000)} s ago`
  return {
    name: `issuer-${id}`,
    state: fault === undefined ? 'ok' : 'degraded',
    detail: fault === undefined ? detail : `${detail}; ${fault}`,
  }
}

const auditCheck = (ports: ReadinessPorts): Check => {
  const { written, dropped, failedWrites } = ports.audit.stats()
  return {
    name: 'audit',
    state: ports.audit.isBehind() ? 'degraded' : 'ok',
    detail: `${written} lines, ${dropped} dropped, ${failedWrites} failed writes`,
  }
}

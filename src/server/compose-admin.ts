// Joins the admin listener to what it tells of.
import { createHash } from 'node:crypto'
import type { Hono } from 'hono'
import { issueLine } from '../policy-file/issue.ts'
import type { PolicyEvent } from '../policy-file/store.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { makeAdminApp } from './admin-app.ts'
import type { IdentityParts } from './compose-identity.ts'
import type { Opened } from './compose.ts'
import { makeChecks } from './readiness.ts'
import { makeRevoke } from './revoke.ts'

interface AdminParts extends Opened {
  readonly identity: IdentityParts
}

/** Builds the admin application. */
export const composeAdmin = (parts: AdminParts, metrics: Metrics): Hono => {
  const { config, store, state, audit, identity, version, isDraining } = parts
  const policy = () => {
    const { revision, generation, refusal } = store.status()
    return { revision, generation, fault: refusal === undefined ? undefined : faultText(refusal.issues) }
  }
  return makeAdminApp({
    checks: makeChecks({
      isDraining,
      policy,
      issuerKeys: identity.issuerKeys,
      keyRevision: identity.keyRevision,
      state,
      audit,
    }),
    metrics: (accept) => metrics.expose(accept),
    tokens: config.admin.tokens.map(({ id, token }) => ({
      id,
      sha256: createHash('sha256').update(token.reveal()).digest(),
    })),
    status: () => ({
      apiVersion: 'postern/v1',
      kind: 'Status',
      version,
      policy: policy(),
      revocationNumber: state.revocationNumber(),
      audit: audit.stats(),
    }),
    sources: [...config.providers, ...config.issuers].map(({ id }) => id),
    revoke: makeRevoke({ config, state, audit, nowMs: parts.nowMs }),
    onFault: (error) => {
      metrics.fault()
      parts.logger.error(error, 'an admin request failed')
    },
  })
}

/** One line for readiness: the first fault, and how many more there are. */
export const faultText = (issues: Extract<PolicyEvent, { kind: 'refused' }>['issues']): string => {
  const [first] = issues
  if (first === undefined) return 'the folder was refused'
  return issues.length === 1 ? issueLine(first) : `${issueLine(first)} (and ${issues.length - 1} more)`
}

// Ending sessions on command: durable before it is answered, and written down with who asked.
import type { AuditWriter } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import type { MemoryState, Revoked as StateRevoked } from '../state/memory-state.ts'
import type { Revoked, RevokeRequest } from './admin-app.ts'

export interface RevokeDeps {
  readonly config: Pick<Config, 'providers' | 'issuers'>
  readonly state: Pick<MemoryState, 'revocations' | 'grants'>
  readonly audit: AuditWriter
  readonly nowMs: () => number
}

/** Makes the command. A subject without a source ends at every provider and issuer that is configured. */
export const makeRevoke = (deps: RevokeDeps): ((request: RevokeRequest, by: string) => Promise<Revoked>) => {
  return async (request, by) => {
    const results = await Promise.all(revocations(deps, request))
    const number = Math.max(...results.map((one) => one.number))
    const notStored = results.find((one) => one.kind === 'not-stored')
    const durable = results.every((one) => one.kind === 'stored' && one.durable)
    const { kind, ...target } = request
    deps.audit.write({
      v: 1,
      type: 'session.revoke',
      ts: new Date(deps.nowMs()).toISOString(),
      by,
      target: { kind, ...target },
      number,
      durable,
    })
    return { number, durable, why: notStored?.kind === 'not-stored' ? notStored.why : undefined }
  }
}

/** With the ids that the same person had in the same browser before, and without what the provider gave. */
const revokeSession = ({ state }: RevokeDeps, id: string): readonly Promise<StateRevoked>[] => {
  const former = state.grants.get(id)?.former.split(' ') ?? []
  const ids = [id, ...former.filter((one) => one !== '')]
  for (const one of ids) void state.grants.drop(one)
  return ids.map((one) => state.revocations.revokeCredential(one, undefined))
}

const revocations = (deps: RevokeDeps, request: RevokeRequest): readonly Promise<StateRevoked>[] => {
  const { revocations: table } = deps.state
  switch (request.kind) {
    case 'session':
      return revokeSession(deps, request.id)
    case 'subject': {
      const { source, subject } = request
      const sources =
        source === undefined
          ? [...deps.config.providers, ...deps.config.issuers].map(({ id }) => id)
          : [source]
      return sources.map((id) => table.revokeSubject({ source: id, subject }))
    }
    case 'all':
      return [table.revokeAll()]
  }
}

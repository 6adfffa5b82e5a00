// What the demo's identity provider remembers, in memory, for one run.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** Makes the storage that oidc-provider asks for: one table for each of its models. */
export const makeProviderStore = (): AdapterFactory => {
  const tables = new Map<string, Map<string, AdapterPayload>>()
  const tableOf = (model: string): Map<string, AdapterPayload> => {
    const table = tables.get(model) ?? new Map<string, AdapterPayload>()
    tables.set(model, table)
    return table
  }
  return (model) => storeOf(tableOf(model), () => tables.values())
}

const storeOf = (
  table: Map<string, AdapterPayload>,
  allTables: () => Iterable<Map<string, AdapterPayload>>,
): Adapter => {
  const first = async (wanted: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> =>
    [...table.values()].find(wanted)
  return {
    upsert: async (id, payload) => {
      table.set(id, payload)
    },
    find: async (id) => table.get(id),
    findByUserCode: (userCode) => first((payload) => payload.userCode === userCode),
    findByUid: (uid) => first((payload) => payload.uid === uid),
    consume: async (id) => {
      const payload = table.get(id)
      if (payload !== undefined) table.set(id, { ...payload, consumed: Math.floor(Date.now() / 1000) })
    },
    destroy: async (id) => {
      table.delete(id)
    },
    revokeByGrantId: async (grantId) => {
      for (const other of allTables())
        for (const [id, payload] of other) if (payload.grantId === grantId) other.delete(id)
    },
  }
}

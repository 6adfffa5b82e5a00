// A process of its own that revokes one session after another and says so, until it is killed.
import { makeSeal } from '../../../src/identity/seal.ts'
import { openMemoryState } from '../../../src/state/memory-state.ts'

const [path = '', key = ''] = process.argv.slice(2)
const opening = await openMemoryState({
  file: { path, seal: makeSeal({ keys: [Buffer.from(key, 'base64')], purpose: 'state' }) },
  nowSeconds: () => Date.now() / 1000,
  absoluteSeconds: 43_200,
  every: () => () => undefined,
  onFault: (why) => {
    throw new Error(why)
  },
  limits: { compactFromBytes: 2000 },
})
if (opening.kind === 'refused') throw new Error(opening.why)
const { revocations } = opening.state
for (let index = 0; ; index += 1) {
  const id = `session-${index}`
  // oxlint-disable-next-line no-await-in-loop
  const revoked = await revocations.revokeCredential(id, { source: 'corp', subject: `user-${index}` })
  if (revoked.kind !== 'stored' || !revoked.durable) throw new Error('not stored')
  process.stdout.write(`${id}\n`)
}

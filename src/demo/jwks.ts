// Where an application gets the keys that Postern signs assertions with.
import type { JsonWebKey } from 'node:crypto'

const PATIENCE_MS = 2_000

/**
 * Fetches a key set (RFC 7517 §5).
 * @throws where it cannot be had; the caller takes that as "nothing is proved"
 */
export const fetchJwks = async (url: string): Promise<readonly JsonWebKey[]> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' })
  const body: unknown = await answer.json()
  const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined
  if (!Array.isArray(keys)) throw new Error('the answer is no key set')
  return keys.filter((key) => typeof key === 'object' && key !== null)
}

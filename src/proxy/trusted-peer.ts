// May this peer speak for a client? It must come from a trusted network and, where a key is configured, carry it: an
// address alone defaulted open elsewhere (CVE-2026-40575, CVE-2026-76835).
import { hash, timingSafeEqual } from 'node:crypto'
import { networkContains, parseIp, type Network } from '../policy/network.ts'
import type { Secret } from '../policy/secret.ts'
import type { DialectName, Refusal } from './exchange.ts'

const KEY_HEADER = 'x-postern-key'
const REMEMBERED_PEERS = 256

/** What of the configuration says whom to trust; an empty list of networks trusts nobody. */
export interface PeerSettings {
  readonly trusted: readonly Network[]
  /** Undefined = not configured. */
  readonly key: Secret | undefined
}

/** Why a caller is refused; holds no value of the key. */
export type PeerVerdict = { readonly kind: 'trusted' } | { readonly kind: 'untrusted'; readonly why: string }

/**
 * Answers for one connection and one request.
 * @param peerAddress of the socket; undefined where it has none
 * @param rawHeaders name, value … untrusted. Never throws.
 */
export type JudgePeer = (peerAddress: string | undefined, rawHeaders: readonly string[]) => PeerVerdict

const TRUSTED: PeerVerdict = { kind: 'trusted' }

/** Makes the judge. A configured key is required from every address (rules §3). */
export const makeJudgePeer = (settings: PeerSettings): JudgePeer => {
  const known = new Map<string, boolean>()
  const inNetwork = (address: string): boolean => {
    const earlier = known.get(address)
    if (earlier !== undefined) return earlier
    const bytes = parseIp(address)
    const inside = bytes !== undefined && settings.trusted.some((network) => networkContains(network, bytes))
    if (known.size >= REMEMBERED_PEERS) known.clear()
    known.set(address, inside)
    return inside
  }
  const holdsKey = makeKeyCheck(settings.key)
  return (peerAddress, rawHeaders) => {
    if (peerAddress === undefined || !inNetwork(peerAddress))
      return { kind: 'untrusted', why: 'the peer is in no network of `proxies.trusted`' }
    return holdsKey(rawHeaders)
      ? TRUSTED
      : { kind: 'untrusted', why: `the header \`${KEY_HEADER}\` is missing, repeated or wrong` }
  }
}

/**
 * Makes the check of the shared key alone, as the public listener asks it before it admits to a decision path.
 * @param key undefined = none is configured, and every request passes. Never throws.
 */
export const makeKeyCheck = (key: Secret | undefined): ((rawHeaders: readonly string[]) => boolean) => {
  if (key === undefined) return () => true
  const expected = hash('sha256', key.reveal(), 'buffer')
  return (rawHeaders) => {
    const sent = onlyKey(rawHeaders)
    return sent !== undefined && timingSafeEqual(hash('sha256', sent, 'buffer'), expected)
  }
}

/** The key that was sent; undefined where there is none, or more than one. */
const onlyKey = (rawHeaders: readonly string[]): string | undefined => {
  let found: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== KEY_HEADER.length || name.toLowerCase() !== KEY_HEADER) continue
    if (found !== undefined) return undefined
    found = rawHeaders[index + 1]
  }
  return found
}

/** The refusal of a caller that nobody vouches for. */
export const refusePeer = (dialect: DialectName, why: string): Refusal => ({
  kind: 'refused',
  dialect,
  status: 403,
  reason: 'DENY_UNTRUSTED_CALLER',
  why,
  requestId: undefined,
  userAgent: undefined,
})

// Addresses that a listener binds: `127.0.0.1:4181`, `[::1]:4181`, `localhost:0`.
import { parseIp } from '../policy/network.ts'

export interface ListenAddress {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/

/** Says what an address looks like, for an error. */
export const LISTEN_HELP =
  'write host and port, such as `127.0.0.1:4181`, `[::1]:4181`, or `0.0.0.0:4181` for every interface'

/**
 * Reads an address to listen on.
 * @param text trusted
 * @returns host and port, or undefined where it is not one. Never throws.
 */
export const parseListenAddress = (text: string): ListenAddress | undefined => {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? []
  const host = ipv6 ?? name
  const port = Number(digits)
  if (host === undefined || port > 65_535) return undefined
  const numeric = ipv6 !== undefined || /^[\d.]+$/.test(host)
  return numeric && parseIp(host) === undefined ? undefined : { host, port }
}

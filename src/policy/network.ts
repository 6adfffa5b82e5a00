// IP addresses and CIDR blocks as numbers. An IPv4 address inside IPv6 is the IPv4 address (`::ffff:10.0.0.1`).

/** A canonical address: 4 or 16 bytes. */
export type IpBytes = readonly number[]

/** One block of a `from_networks` list. */
export interface Network {
  readonly text: string
  readonly bytes: IpBytes
  readonly bits: number
}

/**
 * Parses an IP address strictly: no leading zeros, no zone, no brackets.
 * @param text untrusted
 * @returns its bytes, or undefined. Never throws.
 */
export const parseIp = (text: string): IpBytes | undefined => {
  if (!text.includes(':')) return parseIpv4(text)
  const bytes = parseIpv6(text)
  const mapped =
    bytes !== undefined &&
    bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255
  return mapped ? bytes.slice(12) : bytes
}

const parseIpv4 = (text: string): IpBytes | undefined => {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

const parseIpv6 = (text: string): IpBytes | undefined => {
  if (text.length > 45 || !/^[0-9A-Fa-f:]+(?:\.[0-9.]+)?$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const groups = (text: string): number[] | undefined => {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined
    if (ipv4 !== undefined) bytes.push(...ipv4)
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part))
      bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255)
    else return undefined
  }
  return bytes
}

/** Parses `10.8.0.0/16` or a single address; undefined where it is neither, or has bits beyond its prefix. */
export const parseNetwork = (text: string): Network | undefined => {
  const [address = '', prefix, ...rest] = text.split('/')
  const bytes = parseIp(address)
  if (bytes === undefined || rest.length > 0) return undefined
  const bits =
    prefix === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  const strict =
    Number.isInteger(bits) &&
    bits <= bytes.length * 8 &&
    bytes.every((byte, i) => maskedByte(byte, bits - i * 8) === byte)
  return strict ? { text, bytes, bits } : undefined
}

const maskedByte = (byte: number, bitsLeft: number): number =>
  bitsLeft >= 8 ? byte : bitsLeft <= 0 ? 0 : byte & (0xff << (8 - bitsLeft)) & 0xff

/** True where the address lies in the block; different families never match. */
export const networkContains = (network: Network, address: IpBytes): boolean =>
  network.bytes.length === address.length &&
  network.bytes.every((byte, i) => maskedByte(address[i] ?? 0, network.bits - i * 8) === byte)

// A ticket carries a session from the host of sign-in to the host of one application, once and within seconds. The
// address has nothing but its id; what it stands for stays in the state, sealed.
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import type { TicketPorts } from './deps.ts'

/** From leaving the host of sign-in to landing: one redirect. */
export const TICKET_SECONDS = 30

export interface Ticket {
  /** For which host; the cookie is sealed for this one and opens on no other. */
  readonly host: HostName
  /** Hash of the nonce that the browser has there. */
  readonly nonceHash: string
  /** Absolute URL of the way back, validated when it was sealed and again when it is used. */
  readonly returnTo: string
  /** Value of the session cookie of that host. */
  readonly cookie: string
  /** Absolute limit of the session. */
  readonly expiresAtSeconds: number
}

/** `taken`: this caller alone has it. `again`: only the way back is good for anything. */
export type TicketFinding =
  | { readonly kind: 'taken'; readonly ticket: Ticket }
  | { readonly kind: 'again'; readonly returnTo: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unreachable' }

/**
 * Keeps a ticket in the state.
 * @param id 128 random bits or more: whoever has it and the nonce has the session
 * @returns false where the state cannot keep it
 */
export const keepTicket = (ports: TicketPorts, id: string, ticket: Ticket): boolean | Promise<boolean> => {
  const { host, nonceHash, returnTo, cookie, expiresAtSeconds } = ticket
  const row = JSON.stringify([host, nonceHash, returnTo, cookie, expiresAtSeconds])
  return ports.keep(id, ports.seal.seal(row, [id]), TICKET_SECONDS)
}

/**
 * Takes a ticket; from then on nobody else can.
 * @param id untrusted
 * @returns what it stands for, for the first caller in time. Never rejects.
 */
export const takeTicket = async (ports: TicketPorts, id: string): Promise<TicketFinding> => {
  const taken = await ports.take(id)
  if (taken.kind === 'unknown' || taken.kind === 'unreachable') return taken
  const plain = ports.seal.open(taken.text, [id])
  const ticket = plain === undefined ? undefined : fromJson(plain)
  if (ticket === undefined) return { kind: 'unknown' }
  return taken.kind === 'first' ? { kind: 'taken', ticket } : { kind: 'again', returnTo: ticket.returnTo }
}

/** It opened, so we sealed it; another version of ourselves may still have written another shape. */
const fromJson = (plain: string): Ticket | undefined => {
  try {
    const row: unknown = JSON.parse(plain)
    return Array.isArray(row) && row.length === 5 ? fromRow(row) : undefined
  } catch {
    return undefined
  }
}

const fromRow = (row: readonly unknown[]): Ticket | undefined => {
  const [name, nonceHash, returnTo, cookie, expiresAtSeconds] = row
  const host = typeof name === 'string' ? normalizeHost(name) : undefined
  if (host === undefined || typeof nonceHash !== 'string' || typeof returnTo !== 'string') return undefined
  if (typeof cookie !== 'string' || typeof expiresAtSeconds !== 'number') return undefined
  return { host, nonceHash, returnTo, cookie, expiresAtSeconds }
}

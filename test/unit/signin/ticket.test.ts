// What a ticket stands for comes from the state, and whatever lies there is at worst no ticket.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeSeal } from '../../../src/identity/seal.ts'
import type { TicketPorts } from '../../../src/signin/deps.ts'
import { keepTicket, takeTicket, type Ticket } from '../../../src/signin/ticket.ts'
import { makeTicketTable } from '../../../src/state/tickets.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'

const ID = randomBytes(18).toString('base64url')

const ports = (): TicketPorts => ({
  seal: makeSeal({ keys: [randomBytes(32)], purpose: 'ticket' }),
  ...makeTicketTable(1 << 20, () => 1_000),
})

const ticket = (): Ticket => {
  const host = normalizeHost('app.example.com')
  if (host === undefined) throw new Error('no host')
  return { host, nonceHash: 'h', returnTo: 'https://app.example.com/', cookie: 'c', expiresAtSeconds: 2_000 }
}

describe('a ticket', () => {
  it('is had by the first who takes it, and leads everybody after him back only', async () => {
    const state = ports()
    expect(await keepTicket(state, ID, ticket())).toBe(true)
    expect(await takeTicket(state, ID)).toEqual({ kind: 'taken', ticket: ticket() })
    expect(await takeTicket(state, ID)).toEqual({ kind: 'again', returnTo: 'https://app.example.com/' })
  })

  it.each([
    ['no JSON', '['],
    ['nothing', ''],
    ['another shape', '{"host":"app.example.com"}'],
    ['another length', '["app.example.com"]'],
    ['other types', '["app.example.com",1,2,3,4]'],
  ])('of another version of ourselves is unknown: %s', async (_, plain) => {
    const state = ports()
    await state.keep(ID, state.seal.seal(plain, [ID]), 30)
    expect(await takeTicket(state, ID)).toEqual({ kind: 'unknown' })
  })
})

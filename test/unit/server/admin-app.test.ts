// The admin listener: what it is asked for is done whole or refused whole, and its faults are heard of.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeAdminApp, type AdminDeps, type RevokeRequest } from '../../../src/server/admin-app.ts'

const appWith = (changes: Partial<AdminDeps> = {}) => {
  const asked: RevokeRequest[] = []
  const faults: unknown[] = []
  const app = makeAdminApp({
    checks: () => [],
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    tokens: [{ id: 'ops', sha256: createHash('sha256').update('the-token').digest() }],
    status: () => ({}),
    sources: ['corp', 'ci'],
    revoke: (request) => {
      asked.push(request)
      return Promise.resolve({ number: 1, durable: true, why: undefined })
    },
    onFault: (error) => void faults.push(error),
    ...changes,
  })
  const revoke = async (body: unknown) => {
    const answer = await app.request('/admin/v1/sessions/revoke', {
      method: 'POST',
      headers: { Authorization: 'Bearer the-token' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, text: await answer.text() }
  }
  return { app, asked, faults, revoke }
}

describe('a revocation', () => {
  it('of a subject at a known source ends that one, and without a source every one', async () => {
    const { revoke, asked } = appWith()
    expect((await revoke({ subject: 'ada', source: 'ci' })).status).toBe(200)
    expect((await revoke({ subject: 'ada' })).status).toBe(200)
    expect(asked).toEqual([
      { kind: 'subject', subject: 'ada', source: 'ci' },
      { kind: 'subject', subject: 'ada', source: undefined },
    ])
  })

  it('at a source that nobody configured is refused with the known ones: it would end nobody', async () => {
    const { revoke, asked } = appWith()
    const { status, text } = await revoke({ subject: 'ada', source: 'crop' })
    expect(status).toBe(400)
    expect(text).toMatch(/`crop`.*`corp`, `ci`/)
    expect(asked).toEqual([])
  })

  it.each([
    ['a source that is no text', { subject: 'ada', source: ['corp'] }],
    ['a source of null', { subject: 'ada', source: null }],
    ['a source beside an id', { id: 's1', source: 'corp' }],
    ['a source beside all', { all: true, source: 'corp' }],
    ['a subject that is no text', { subject: 7 }],
    ['two targets', { id: 's1', all: true }],
    ['no target', {}],
    ['no object', 'all'],
  ])('with %s is refused, and does nothing', async (_, body) => {
    const { revoke, asked } = appWith()
    expect((await revoke(body)).status).toBe(400)
    expect(asked).toEqual([])
  })
})

describe('a fault', () => {
  it('is answered without its words, and told', async () => {
    const fault = new Error('planted-in-the-fault')
    const { app, faults } = appWith({ metrics: () => Promise.reject(fault) })
    const answer = await app.request('/metrics')
    expect([answer.status, await answer.text()]).toEqual([500, 'internal error\n'])
    expect(faults).toEqual([fault])
  })
})

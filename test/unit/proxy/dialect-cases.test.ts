import { describe, expect, it } from 'vitest'
import { headBytes } from '../../../src/proxy/answer-head.ts'
import { problemsOf, readDialectCases, requestOf, type DialectCase } from '../../support/dialect-cases.ts'
import { ask, CONTRACT_SET, headerMap, SESSION_COOKIE } from './corridor.ts'

const IDENTITY = [
  'x-auth-request-user',
  'x-auth-request-email',
  'x-auth-request-groups',
  'x-auth-request-preferred-username',
  'x-postern-assertion',
]

const answered = async (row: DialectCase) => {
  const cookie = row.st === 'none' ? undefined : `${SESSION_COOKIE}=${row.st}`
  const { method, target, headers } = requestOf(row, cookie)
  const answer = await ask(
    { method, target, rawHeaders: headers.flat() },
    { set: CONTRACT_SET, key: row.cfg?.proxyKey },
  )
  if (answer === undefined) throw new Error(`row ${row.id} speaks no dialect`)
  return { ...answer, map: headerMap(answer.headers) }
}

describe('what each proxy sends', () => {
  const rows = readDialectCases()

  it('is written down', () => {
    expect(rows.length).toBeGreaterThanOrEqual(77)
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length)
  })

  it.each(rows)('$id $px $why', async (row) => {
    const { status, headers, map, body } = await answered(row)
    expect(problemsOf(row, { status, headers: map, headBytes: headBytes(headers) })).toEqual([])
    expect(map.get('cache-control')).toEqual(['no-store'])
    expect(map.get('x-accel-expires')).toEqual(['0'])
    expect(map.get('x-postern-decision')).toHaveLength(1)
    expect(map.get('content-length')).toEqual([String(Buffer.byteLength(body))])
    expect(map.get('set-cookie')?.length ?? 0).toBeLessThanOrEqual(1)
    if (status === 200 || row.px === 'N') expect(body).toBe('')
    for (const name of IDENTITY) expect(map.get(name)?.length ?? 0).toBe(status === 200 ? 1 : 0)
    for (const location of map.get('location') ?? [])
      expect(location).toMatch(/^https:\/\/login\.example\.com\//)
  })
})

import { describe, expect, it } from 'vitest'
import { droppedByConnection } from '../../../src/proxy/connection-header.ts'
import { headerValue, makeReceiveHeaders } from '../../../src/proxy/raw-headers.ts'
import { ask, CONTRACT_SET, SESSION_COOKIE } from './corridor.ts'

const receiveHeaders = makeReceiveHeaders(['host', 'x-api-key', 'accept'])

describe('receiveHeaders', () => {
  it('hands over nothing that was not asked for', () => {
    const raw = ['Host', 'a', 'X-Other', 'b', 'Accept_', 'c', 'Authorization', 'd', 'User-Agent', 'e']
    expect(receiveHeaders(raw, undefined).values.filter((value) => value !== undefined)).toEqual(['a'])
  })

  it('reads the one header that the configuration adds', () => {
    const raw = ['X-Real-IP', '192.0.2.1']
    expect(receiveHeaders(raw, 'x-real-ip').extra).toBe('192.0.2.1')
    expect(receiveHeaders(raw, undefined).extra).toBeUndefined()
    expect(receiveHeaders(['X_Real_IP', '192.0.2.1'], 'x-real-ip').extra).toBeUndefined()
  })

  it.each(['X-API-Key', 'x-api-key', 'X-Api-Key', 'X-API-KEY', 'x-aPi-kEy'])(
    'knows the name `%s`',
    (name) => {
      expect(headerValue(receiveHeaders([name, 'k'], undefined), 'x-api-key')).toBe('k')
    },
  )

  it('counts names in any case and keeps every value of a repeated one', () => {
    const received = receiveHeaders(['ACCEPT', 'a', 'accept', 'b', 'Host', 'x'], undefined)
    expect(headerValue(received, 'accept')).toBe('a, b')
    expect(received.repeated).toEqual(['accept'])
  })

  it('keeps cookie lines apart, as they came', () => {
    const { cookies, repeated } = receiveHeaders(['Cookie', 'a=1', 'cookie', 'b=2; c'], undefined)
    expect(cookies).toEqual(['a=1', 'b=2; c'])
    expect(repeated).toEqual([])
  })
})

describe('droppedByConnection', () => {
  it.each(['keep-alive', 'close', 'Keep-Alive, Upgrade', 'TE', '', ' close , '])(
    'finds nothing in `%s`',
    (value) => {
      expect(droppedByConnection(value)).toBeUndefined()
    },
  )

  it.each([
    ['x-forwarded-uri', 'x-forwarded-uri'],
    ['close, X-Auth-Request-User', 'x-auth-request-user'],
    ['Keep-Alive,\tCookie', 'cookie'],
    ['Remote-User', 'remote-user'],
  ])('finds the header that `%s` drops', (value, name) => {
    expect(droppedByConnection(value)).toBe(name)
  })
})

describe('a header that comes twice', () => {
  const status = async (more: readonly string[]) => {
    const rawHeaders = [
      'X-Original-URL',
      'https://app.example.com/public/a',
      'X-Original-Method',
      'GET',
      'Cookie',
      `${SESSION_COOKIE}=alice`,
      ...more,
    ]
    return (await ask({ method: 'GET', target: '/authz/nginx', rawHeaders }, { set: CONTRACT_SET }))?.status
  }

  it.each([
    ['X-Original-URL', 'https://app.example.com/public/a', 400],
    ['x-original-method', 'GET', 400],
    ['Authorization', 'Bearer a', 200],
    ['X-API-Key', 'a', 200],
    ['Accept', 'text/html', 200],
    ['Connection', 'close', 200],
    ['Connection', 'X-Original-URL', 403],
  ])('once %s: %s', async (name, value, want) => {
    expect(await status([name, value])).toBe(want)
  })

  it.each([
    ['Host', 'a', 400],
    ['X-Postern-Host', 'app.example.com', 400],
    ['Authorization', 'Bearer a', 403],
    ['Proxy-Authorization', 'Bearer a', 403],
    ['X-API-Key', 'a', 403],
    ['Accept', 'text/html', 200],
    ['User-Agent', 'a', 200],
  ])('twice %s: %s', async (name, value, want) => {
    expect(await status([name, value, name.toLowerCase(), value])).toBe(want)
  })
})

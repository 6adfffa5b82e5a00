// How others answered is counted by what it meant, and nothing of it is kept but the time.
import { describe, expect, it } from 'vitest'
import { makeUpstreamTimes } from '../../../src/telemetry/upstream-times.ts'

type Fetch = typeof globalThis.fetch

/** Each request takes a quarter of a second on this clock. */
const timesOf = async (fetch: Fetch, init: RequestInit = {}): Promise<Readonly<Record<string, number>>> => {
  let nowMs = 0
  const upstream = makeUpstreamTimes(() => nowMs)
  const slow: Fetch = (...args) => {
    nowMs += 250
    return fetch(...args)
  }
  await upstream
    .timed(slow, 'idp')('http://127.0.0.1:9/secret?code=x', init)
    .catch(() => undefined)
  return Object.fromEntries(
    upstream
      .series()
      .flatMap(({ samples }) => samples)
      .filter(({ suffix }) => suffix !== '_bucket')
      .map(({ suffix, labels, value }) => [`${labels.join(' ')}${suffix}`, value]),
  )
}

describe('an answer', () => {
  it.each([
    [200, 'ok'],
    [204, 'ok'],
    [302, 'refused'],
    [404, 'refused'],
    [500, 'error'],
    [503, 'error'],
  ])('of %d is `%s`', async (status, outcome) => {
    const answer: Fetch = async () => new Response(null, { status })
    expect(await timesOf(answer)).toEqual({ [`idp ${outcome}_sum`]: 0.25, [`idp ${outcome}_count`]: 1 })
  })

  it('that never came is `failed`, and `timeout` where we gave up', async () => {
    const broken: Fetch = () => Promise.reject(new TypeError('fetch failed'))
    expect(await timesOf(broken)).toEqual({ 'idp failed_sum': 0.25, 'idp failed_count': 1 })
    expect(await timesOf(broken, { signal: AbortSignal.abort() })).toEqual({
      'idp timeout_sum': 0.25,
      'idp timeout_count': 1,
    })
  })

  it('reaches whoever asked as it is, and so does its absence', async () => {
    const upstream = makeUpstreamTimes(() => 0)
    const response = new Response('x')
    expect(await upstream.timed(async () => response, 'jwks')('http://a')).toBe(response)
    const error = new TypeError('fetch failed')
    await expect(upstream.timed(() => Promise.reject(error), 'jwks')('http://a')).rejects.toBe(error)
  })
})

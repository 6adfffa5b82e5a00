// What leaves for a provider goes where it may, is not redirected, and brings back a bounded answer.
import { describe, expect, it } from 'vitest'
import { guardedFetch, isPermittedUrl } from '../../../src/signin/provider-fetch.ts'

const makeFetch = (answer: () => Response) => {
  const calls: { readonly url: string; readonly redirect: string | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    calls.push({ url: typeof url === 'string' ? url : 'no text', redirect: init?.redirect })
    return answer()
  }
  return { calls, guarded: guardedFetch(fetch) }
}

const OPTIONS = { method: 'GET', headers: {}, body: undefined, redirect: 'manual' as const }

describe('where it may go', () => {
  it.each([
    ['https://idp.example.com/token', true],
    ['http://127.0.0.1:8080/token', true],
    ['http://[::1]:8080/token', true],
    ['http://idp.demo.localhost/token', true],
    ['http://idp.example.com/token', false],
    ['http://127.0.0.1.evil.com/token', false],
    ['http://localhost.evil.com/token', false],
    ['http://10.0.0.1/token', false],
    ['https://169.254.169.254/latest/meta-data', false],
    ['https://0xa9.254.169.254/latest/meta-data', false],
    ['https://[fe80::1]/token', false],
    ['ftp://idp.example.com/', false],
    ['javascript:alert(1)', false],
    ['/token', false],
  ])('%s: %s', async (url, permitted) => {
    const { calls, guarded } = makeFetch(() => new Response('{}'))
    expect(isPermittedUrl(url)).toBe(permitted)
    if (permitted) expect((await guarded(url, OPTIONS)).status).toBe(200)
    else await expect(guarded(url, OPTIONS)).rejects.toMatchObject({ code: 'POSTERN_PROVIDER_FETCH_REFUSED' })
    expect(calls).toEqual(permitted ? [{ url, redirect: 'manual' }] : [])
  })
})

describe('what comes back', () => {
  it('is handed on as it is, redirects and empty answers too', async () => {
    const { guarded } = makeFetch(
      () => new Response(null, { status: 302, headers: { location: 'https://evil.com/' } }),
    )
    const response = await guarded('https://idp.example.com/', OPTIONS)
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://evil.com/'])
    const empty = makeFetch(() => new Response(null, { status: 204 }))
    expect((await empty.guarded('https://idp.example.com/', OPTIONS)).status).toBe(204)
  })

  it('is refused beyond one mebibyte, and taken up to it', async () => {
    const { guarded } = makeFetch(() => new Response('x'.repeat(1_048_576)))
    expect((await (await guarded('https://idp.example.com/', OPTIONS)).text()).length).toBe(1_048_576)
    const large = makeFetch(() => new Response('x'.repeat(1_048_577)))
    await expect(large.guarded('https://idp.example.com/', OPTIONS)).rejects.toMatchObject({
      code: 'POSTERN_PROVIDER_FETCH_REFUSED',
    })
  })
})

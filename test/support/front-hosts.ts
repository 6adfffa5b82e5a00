// What a browser finds behind its host names: the public listener of a service, and an application that a proxy guards
// by asking the decision listener. Real sockets to both; only the names are made up.
import { request as httpRequest } from 'node:http'
import type { Serve } from '../unit/signin/browser.ts'
import { requestText, sendRaw, type RawAnswer } from './raw-http.ts'
import type { HeaderLines } from './running-service.ts'

type WebRequest = Parameters<Serve>[0]

/** The public listener under its own name. */
export const publicHost =
  (port: number): Serve =>
  (asked) =>
    new Promise((resolve, reject) => {
      const body = new URLSearchParams(Object.fromEntries(asked.form)).toString()
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port,
          method: asked.method,
          path: asked.url.pathname + asked.url.search,
          agent: false,
          headers: {
            ...Object.fromEntries(asked.headers),
            host: asked.url.host,
            ...(asked.cookies.length === 0 ? {} : { cookie: asked.cookies.join('; ') }),
            ...(asked.method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const headers = new Headers()
            for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2)
              headers.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '')
            resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500, headers }))
          })
        },
      )
      request.on('error', reject)
      request.end(asked.method === 'POST' ? body : undefined)
    })

/** An application behind a proxy that speaks the nginx dialect; `deny` pages are the proxy's own. */
export const nginxGuardedHost =
  (decisionPort: number, seen: RawAnswer[] = []): Serve =>
  async (asked) => {
    const answer = await sendRaw(
      decisionPort,
      requestText('GET', '/authz/nginx', [
        ['X-Original-URL', asked.url.href],
        ['X-Original-Method', asked.method],
        ...clientHeaders(asked),
      ]),
    )
    seen.push(answer)
    const location = answer.headers.get('location')?.[0]
    if (answer.status === 200) return new Response(`application ${asked.url.pathname}`)
    if (answer.status === 401 && location !== undefined)
      return new Response('', { status: 302, headers: { location } })
    return new Response(`${answer.status} by the proxy`, { status: answer.status })
  }

/** The same behind a proxy of the forward dialect, which hands our own answer on. */
export const forwardGuardedHost =
  (decisionPort: number): Serve =>
  async (asked) => {
    const answer = await sendRaw(
      decisionPort,
      requestText('GET', '/authz/forward', [
        ['X-Forwarded-Method', asked.method],
        ['X-Forwarded-Proto', asked.url.protocol.slice(0, -1)],
        ['X-Forwarded-Host', asked.url.host],
        ['X-Forwarded-Uri', asked.url.pathname + asked.url.search],
        ...clientHeaders(asked),
      ]),
    )
    if (answer.status === 200) return new Response(`application ${asked.url.pathname}`)
    const headers = new Headers()
    for (const [name, values] of answer.headers) for (const value of values) headers.append(name, value)
    headers.delete('content-length')
    return new Response(answer.body, { status: answer.status, headers })
  }

const clientHeaders = (asked: WebRequest): HeaderLines => [
  ...[...asked.headers].map(([name, value]) => [name, value] as const),
  ...asked.cookies.map((line) => ['Cookie', line] as const),
]

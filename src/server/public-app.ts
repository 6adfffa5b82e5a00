// The public listener: sign-in, sign-out, pages and keys, below the path of `publicUrl`. Exact paths only; everything
// else is 404, decision paths and health included.
import { Hono, type Context } from 'hono'
import { renderAnswer, type RenderedAnswer } from '../pages/render.ts'
import type { Pair, SignInHandler, SignInWebRequest } from '../signin/web.ts'

export interface PublicDeps {
  /** Path of `publicUrl` without a slash at its end; empty where it has none. */
  readonly prefix: string
  /** True where browsers reach us by https. */
  readonly secure: boolean
  /** Path below the prefix → handler; a key that ends in `/` takes one more segment. */
  readonly handlers: ReadonlyMap<string, SignInHandler>
  /** Whole path → handler, for what answers on the hosts of applications. */
  readonly elsewhere: ReadonlyMap<string, SignInHandler>
  readonly jwks: () => unknown
  readonly onFault: (error: unknown) => void
}

/** What is read of the raw request; HTTP/1 and HTTP/2 alike. */
interface Bindings {
  readonly incoming: AsyncIterable<unknown> & {
    readonly url?: string | undefined
    readonly rawHeaders: string[]
  }
}

const MAX_FORM_BYTES = 16_384

/** Builds the public application. */
export const makePublicApp = (deps: PublicDeps): Hono<{ Bindings: Bindings }> => {
  const app = new Hono<{ Bindings: Bindings }>()
  app.all('*', (c) => answer(c, deps))
  app.onError((error) => {
    deps.onFault(error)
    return plain(500, 'internal error\n')
  })
  return app
}

type PublicContext = Context<{ Bindings: Bindings }>

const answer = async (c: PublicContext, deps: PublicDeps): Promise<Response> => {
  const target = c.env.incoming.url ?? ''
  const [rawPath = ''] = target.split('?', 1)
  const path = rawPath.startsWith(`${deps.prefix}/`) ? rawPath.slice(deps.prefix.length) : undefined
  if (path === '/.well-known/jwks.json') return jwks(deps)
  const there = deps.elsewhere.get(rawPath)
  const handler = there ?? (path === undefined ? undefined : handlerOf(deps.handlers, path))
  if (handler === undefined) return plain(404, 'not found\n')
  const form = await readForm(c)
  if (form === undefined) return plain(413, 'the form is larger than 16 KiB\n')
  return respond(renderAnswer(await handler(webRequest(c, path ?? rawPath, form)), deps.secure), c.req.method)
}

const handlerOf = (handlers: ReadonlyMap<string, SignInHandler>, path: string): SignInHandler | undefined => {
  const below = path.lastIndexOf('/') + 1
  return handlers.get(path) ?? (below < path.length ? handlers.get(path.slice(0, below)) : undefined)
}

const jwks = (deps: PublicDeps): Response =>
  new Response(JSON.stringify(deps.jwks()), {
    headers: {
      'Content-Type': 'application/jwk-set+json',
      'Cache-Control': 'public, max-age=300',
      'X-Content-Type-Options': 'nosniff',
    },
  })

const plain = (status: number, text: string): Response =>
  new Response(text, {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    },
  })

const respond = (rendered: RenderedAnswer, method: string): Response => {
  const headers = new Headers()
  for (const [name, value] of rendered.headers) headers.append(name, value)
  const bodiless = method === 'HEAD' || rendered.body === ''
  return new Response(bodiless ? null : rendered.body, { status: rendered.status, headers })
}

const webRequest = (c: PublicContext, path: string, form: readonly Pair[]): SignInWebRequest => {
  const { rawHeaders, url = '' } = c.env.incoming
  const question = url.indexOf('?')
  return {
    method: c.req.method,
    path,
    query: question < 0 ? [] : [...new URLSearchParams(url.slice(question + 1))],
    headers: joinedHeaders(rawHeaders),
    cookies: rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'cookie'),
    form,
  }
}

const joinedHeaders = (rawHeaders: readonly string[]): ReadonlyMap<string, string> => {
  const joined = new Map<string, string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    const earlier = joined.get(name)
    joined.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return joined
}

/** The fields of a form, counted by ourselves (CVE-2026-44456); empty for any other body, undefined when too large. */
const readForm = async (c: PublicContext): Promise<readonly Pair[] | undefined> => {
  const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')
  if (c.req.method !== 'POST' || !isForm) return []
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of c.env.incoming) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    bytes += part.length
    if (bytes > MAX_FORM_BYTES) return undefined
    chunks.push(part)
  }
  return [...new URLSearchParams(Buffer.concat(chunks).toString('utf8'))]
}

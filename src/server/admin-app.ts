// The admin listener: health, readiness, metrics, and the few commands that talk to a running service. Without a
// configured token the commands do not exist.
import { Hono, type Context } from 'hono'
import { createHash, timingSafeEqual } from 'node:crypto'

/** One thing that readiness looks at. `degraded` is told, and does not make the service unready. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'degraded' | 'failed'
  readonly detail: string
}

export type RevokeRequest =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'subject'; readonly source: string | undefined; readonly subject: string }
  | { readonly kind: 'all' }

/** What a revocation did: the state's number after it, and where it holds already. */
export interface Revoked {
  readonly number: number
  /** On disk: a restart will not forget it. */
  readonly durable: boolean
  /** Why it could not be written; it is in force all the same. */
  readonly why: string | undefined
}

export interface AdminDeps {
  readonly checks: () => readonly Check[]
  /** Told what the scraper accepts; untrusted. */
  readonly metrics: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly text: string }>
  /** Digest of each token; empty = the commands are 404. */
  readonly tokens: readonly { readonly id: string; readonly sha256: Buffer }[]
  readonly status: () => Readonly<Record<string, unknown>>
  /** Ids of the providers and issuers that a subject can be of. */
  readonly sources: readonly string[]
  /** Resolves when the revocation is durable. `by` is the id of the token that asked. */
  readonly revoke: (request: RevokeRequest, by: string) => Promise<Revoked>
  /** Hears of what a handler threw; it is answered with 500. */
  readonly onFault: (error: unknown) => void
}

/** Builds the admin application. */
export const makeAdminApp = (deps: AdminDeps): Hono => {
  const app = new Hono()
  app.use('*', async (c, next) => {
    await next()
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
  })
  app.get('/livez', (c) => c.text('ok\n'))
  app.get('/readyz', (c) => readiness(c, deps))
  app.get('/healthz', (c) => readiness(c, deps))
  app.get('/metrics', async (c) => {
    const { contentType, text } = await deps.metrics(c.req.header('accept'))
    return c.body(text, 200, { 'Content-Type': contentType })
  })
  app.get('/admin/v1/status', (c) =>
    approver(c, deps) === undefined ? unknownPath(c, deps) : c.json(deps.status()),
  )
  app.post('/admin/v1/sessions/revoke', (c) => revoke(c, deps))
  app.notFound((c) => c.text('not found\n', 404))
  app.onError((error, c) => {
    deps.onFault(error)
    return c.text('internal error\n', 500)
  })
  return app
}

const readiness = (c: Context, deps: AdminDeps): Response => {
  const checks = deps.checks()
  const failed = checks.filter((check) => check.state === 'failed')
  const status = failed.length === 0 ? 200 : 503
  if (c.req.query('verbose') === undefined) return c.text(status === 200 ? 'ok\n' : 'not ready\n', status)
  const lines = checks.map(
    ({ name, state, detail }) =>
      `[${state === 'ok' ? '+' : state === 'degraded' ? '~' : '-'}]${name} ${state}${detail === '' ? '' : `: ${detail}`}`,
  )
  return c.text(`${lines.join('\n')}\n${status === 200 ? 'ready' : 'not ready'}\n`, status)
}

/** The id of the token that the request presents, compared in constant time over all tokens; undefined = none. */
const approver = (c: Context, deps: AdminDeps): string | undefined => {
  const presented = /^Bearer ([!-~]+)$/.exec(c.req.header('authorization') ?? '')?.[1]
  const digest = createHash('sha256')
    .update(presented ?? '')
    .digest()
  const matching = deps.tokens.filter((token) => timingSafeEqual(token.sha256, digest))
  return presented === undefined ? undefined : matching[0]?.id
}

const unknownPath = (c: Context, deps: AdminDeps): Response =>
  deps.tokens.length === 0
    ? c.text('not found\n', 404)
    : c.json({ error: 'this needs a bearer token of admin.tokens' }, 401, {
        'WWW-Authenticate': 'Bearer realm="postern admin"',
      })

const revoke = async (c: Context, deps: AdminDeps): Promise<Response> => {
  const by = approver(c, deps)
  if (by === undefined) return unknownPath(c, deps)
  const request = readRevokeRequest(await c.req.json().catch(() => undefined), deps.sources)
  if (typeof request === 'string') return c.json({ error: request }, 400)
  const revoked = await deps.revoke(request, by)
  return c.json({ apiVersion: 'postern/v1', kind: 'Revoked', ...revoked })
}

const NO_TARGET = 'say one of `id`, `subject` (with `source`) or `all: true`'

/** The request, or why it is none: one that is not understood whole would end more or fewer than were meant. */
const readRevokeRequest = (body: unknown, sources: readonly string[]): RevokeRequest | string => {
  if (typeof body !== 'object' || body === null) return NO_TARGET
  const fields = new Map<string, unknown>(Object.entries(body))
  const [id, subject, source, all] = ['id', 'subject', 'source', 'all'].map((name) => fields.get(name))
  if ([id, subject, all].filter((one) => one !== undefined).length !== 1) return NO_TARGET
  if (source !== undefined && subject === undefined) return '`source` belongs to a `subject`'
  if (typeof id === 'string' && id !== '') return { kind: 'session', id }
  if (typeof subject === 'string' && subject !== '') return subjectRequest(subject, source, sources)
  return all === true ? { kind: 'all' } : NO_TARGET
}

const subjectRequest = (
  subject: string,
  source: unknown,
  sources: readonly string[],
): RevokeRequest | string => {
  if (source === undefined) return { kind: 'subject', subject, source: undefined }
  if (typeof source === 'string' && sources.includes(source)) return { kind: 'subject', subject, source }
  const known = sources.length === 0 ? 'there is none' : sources.map((one) => `\`${one}\``).join(', ')
  const what = typeof source === 'string' ? `\`${source.slice(0, 100)}\` is not configured` : 'it is no text'
  return `\`source\`: ${what}; known are the ids of providers and issuers: ${known}`
}

// What every handler of sign-in shares: the ports, the providers, our own addresses, and the way back.
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import type { CookieBinding } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import type { SignInDeps, TicketPorts } from './deps.ts'
import type { AskingApp, ErrorCode, Page, SignedInAs } from './page.ts'
import { personLabel } from './person-label.ts'
import type { Provider } from './provider.ts'
import type { ProviderFault } from './provider-fault.ts'
import { readReturnTo, type ReturnTarget, type ReturnTo } from './return-to.ts'
import { makeProviderClocks, type ProviderClocks } from './provider-clocks.ts'
import { makeRounds, type Rounds } from './rounds.ts'
import { fragmentKey } from './send-on.ts'
import { pageAnswer, wantsPage, type Pair, type SignInWebAnswer, type SignInWebRequest } from './web.ts'

/** Where each host has a session cookie of its own. */
export interface Hop {
  /** Path under which the hosts of applications reach us, e.g. `/postern`. */
  readonly prefix: string
  readonly tickets: TicketPorts
  /** As `returnTo`, but our own paths on the hosts of applications pass. */
  readonly readAnyPath: (values: readonly string[]) => ReturnTo
}

export interface SignInContext {
  readonly deps: SignInDeps
  readonly providers: ReadonlyMap<string, Provider>
  readonly rounds: Rounds
  readonly clocks: ProviderClocks
  /** Origin of `publicUrl`. */
  readonly origin: string
  readonly publicHost: HostName
  /** Undefined where one cookie serves the whole domain. */
  readonly hop: Hop | undefined
  /** An absolute address of ours. */
  readonly href: (path: string, query?: readonly Pair[]) => string
  readonly returnTo: (values: readonly string[]) => ReturnTo
  /** True where the session of this configuration gets to the host. */
  readonly cookieReaches: (host: string) => boolean
  /** What the session cookie of a host is sealed for. */
  readonly bindingOn: (host: HostName) => CookieBinding
}

/**
 * Prepares what the handlers share.
 * @throws {TypeError} where `publicUrl` is no URL with a host: a fault of the configuration, found at start
 */
export const makeContext = (deps: SignInDeps): SignInContext => {
  const { settings } = deps
  const url = new URL(settings.publicUrl)
  const publicHost = normalizeHost(url.host)
  if (publicHost === undefined) throw new TypeError(`\`publicUrl\` has no valid host: \`${url.host}\``)
  const publicPath = url.pathname.replace(/\/$/, '')
  const base = `${url.origin}${publicPath}`
  const { ownPrefix, externalScheme, cookie } = settings
  const { tickets } = deps
  // Where sessions are carried to hosts, the port says to whom.
  const publicPort = ownPrefix === undefined || tickets === undefined ? undefined : url.port
  const { isRouteHost } = deps
  const returnSettings = { publicHost, publicPath, publicPort, ownPrefix, externalScheme, isRouteHost }
  const hop: Hop | undefined =
    ownPrefix === undefined || tickets === undefined
      ? undefined
      : {
          prefix: ownPrefix,
          tickets,
          readAnyPath: (values) => readReturnTo(values, { ...returnSettings, ownPrefix: undefined }),
        }
  return {
    deps,
    publicHost,
    hop,
    providers: deps.providers,
    rounds: makeRounds(deps.nowMs),
    clocks: makeProviderClocks(deps.nowMs),
    origin: url.origin,
    href: (path, query = []) => `${base}${path}${queryText(query)}`,
    returnTo: (values) => readReturnTo(values, returnSettings),
    cookieReaches: (host) =>
      cookie.domain === undefined
        ? hop !== undefined || host === publicHost
        : host === cookie.domain || host.endsWith(`.${cookie.domain}`),
    bindingOn: (host) => ({ name: cookie.name, boundTo: cookie.domain ?? host }),
  }
}

const queryText = (query: readonly Pair[]): string =>
  query.length === 0
    ? ''
    : `?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`

/** Seconds since the epoch, whole, by the clock given. */
export const nowSeconds = (context: SignInContext): number => Math.floor(context.deps.nowMs() / 1000)

/** The sign-in address for a target; the default one where there is none. */
export const signInHref = (
  context: SignInContext,
  target: ReturnTarget | undefined,
  ...more: readonly Pair[]
): string =>
  context.href('/sign-in', [...(target === undefined ? [] : [['rd', target.url] as const]), ...more])

/** Where a browser goes that asked for nothing in particular. */
export const defaultTarget = (context: SignInContext): string => context.href('/me')

export interface ErrorDetail {
  readonly app?: AskingApp | undefined
  readonly tryAgainHref?: string | undefined
  readonly retryAfterSeconds?: number
  readonly seen?: readonly (readonly [string, string])[] | undefined
}

/** The page of an error, with the code that a person can quote. */
export const errorAnswer = (
  context: SignInContext,
  request: SignInWebRequest,
  status: number,
  code: ErrorCode,
  detail: ErrorDetail = {},
): SignInWebAnswer => {
  const page: Page = {
    name: 'error',
    code,
    app: detail.app,
    tryAgainHref: detail.tryAgainHref,
    fragmentKey: fragmentKeyIn(detail.tryAgainHref),
    retryAfterSeconds: detail.retryAfterSeconds,
    seen: detail.seen ?? [],
    atMs: context.deps.nowMs(),
  }
  const retry = detail.retryAfterSeconds
  return pageAnswer(request, status, page, retry === undefined ? [] : [['retry-after', String(retry)]])
}

const fragmentKeyIn = (signIn: string | undefined): string | undefined => {
  const target = signIn === undefined ? null : new URL(signIn).searchParams.get('rd')
  return target === null ? undefined : fragmentKey(target)
}

const RETRY_AFTER_SECONDS = 5

/** A provider that cannot be used, before or instead of a sign-in. */
export const faultAnswer = (
  context: SignInContext,
  request: SignInWebRequest,
  fault: ProviderFault,
  tryAgainHref: string,
): SignInWebAnswer => {
  switch (fault.kind) {
    case 'unavailable':
      return unavailableAnswer(context, request, 'PST-1007', tryAgainHref)
    case 'misconfigured':
      return errorAnswer(context, request, 500, 'PST-1008')
    case 'refused':
      return errorAnswer(context, request, 403, 'PST-1006', { tryAgainHref })
    case 'answered':
      return errorAnswer(context, request, 403, 'PST-1005', {
        tryAgainHref,
        seen: [['Error', fault.error]],
      })
    case 'clock':
      return errorAnswer(context, request, 403, 'PST-1020', {
        tryAgainHref,
        seen: clockSeen(fault.aheadSeconds),
      })
  }
}

const clockSeen = (aheadSeconds: number | undefined): ErrorDetail['seen'] =>
  aheadSeconds === undefined
    ? []
    : [
        [
          'Clock of this service, against the provider',
          `${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? 'behind' : 'ahead'}`,
        ],
      ]

/** 503 with the time to try again; nothing is cleared, nobody is signed out by an outage. */
export const unavailableAnswer = (
  context: SignInContext,
  request: SignInWebRequest,
  code: ErrorCode,
  tryAgainHref: string | undefined,
): SignInWebAnswer =>
  errorAnswer(context, request, 503, code, { tryAgainHref, retryAfterSeconds: RETRY_AFTER_SECONDS })

/** What pages call a provider; its id where nobody configures it any more. */
export const providerLabel = (context: SignInContext, id: string): string =>
  context.providers.get(id)?.settings.label ?? id

/** The friendliest name that a session captured; undefined = only the subject is known. */
export const sessionLabel = (session: Session): string | undefined =>
  personLabel(new Map(Object.entries(session.claims)))

/** Who a session is, in words for a page. */
export const signedInAs = (context: SignInContext, session: Session): SignedInAs => ({
  provider: providerLabel(context, session.provider),
  subject: session.subject,
  label: sessionLabel(session),
})

/**
 * An image, a frame, a script: it gets an answer that it can read, and starts nothing (RFC 9110 §15.5.2).
 * @param as `problem` where only programs ask
 */
export const signInRequired = (
  context: SignInContext,
  request: SignInWebRequest,
  target: ReturnTarget | undefined,
  as: 'html' | 'problem' = wantsPage(request) ? 'html' : 'problem',
): SignInWebAnswer => ({
  status: 401,
  headers: [['www-authenticate', 'Session realm="postern"']],
  body: { kind: 'page', page: { name: 'not-signed-in', signInHref: signInHref(context, target) }, as },
})

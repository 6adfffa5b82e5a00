// The demo's identity provider: a real OpenID Connect provider with three people and a login form. Its library comes
// with the development dependencies only, so it is loaded when the demo starts.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Account, ClientMetadata, Configuration } from 'oidc-provider'
import { listenOnLoopback, type Listening } from './loopback.ts'
import type { Person } from './people.ts'
import { answerLogin } from './provider-login.ts'
import { messagePage, signOutPage } from './provider-pages.ts'
import { loginPrompts, PASSWORD_ACR, SECOND_FACTOR_ACR } from './provider-prompts.ts'
import { makeProviderStore } from './provider-store.ts'

export interface ProviderSettings {
  /** Host in the issuer: a name or address that both the browser and this process resolve to loopback. */
  readonly host: string
  readonly preferredPort: number
  readonly people: readonly Person[]
  readonly clientId: string
  readonly clientSecret: string
  /** Public address of Postern, e.g. `http://auth.postern.localhost:8080`. */
  readonly clientUrl: string
  /** Where back-channel logout reaches Postern without the name. */
  readonly backchannelUrl: string
  /** Private keys, JWK, ES256 or RS256. */
  readonly signingKeys: readonly Readonly<Record<string, unknown>>[]
  readonly cookieKey: string
}

export interface RunningProvider extends Listening {
  readonly issuer: string
}

/**
 * Starts the provider.
 * @throws where oidc-provider is not installed, saying how to get it
 */
export const startProvider = async (settings: ProviderSettings): Promise<RunningProvider> => {
  const library = await loadLibrary()
  let answer = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end()
  const server = createServer((request, response) => answer(request, response))
  const listening = await listenOnLoopback(server, settings.preferredPort)
  const issuer = `http://${settings.host}:${listening.port}`
  const provider = new library.Provider(issuer, configuration(settings, library))
  const byLibrary = provider.callback()
  answer = (request, response) => {
    if (request.url?.startsWith('/login/') === true)
      void answerLogin(provider, settings.people, request, response)
    else void byLibrary(request, response)
  }
  return { ...listening, issuer }
}

type Library = typeof import('oidc-provider')

const loadLibrary = async (): Promise<Library> => {
  try {
    return await import('oidc-provider')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      'the demo needs the package `oidc-provider`, which is a development dependency: run `npm ci` in a checkout, or `npm install oidc-provider` beside postern',
      { cause: error },
    )
  }
}

const configuration = (settings: ProviderSettings, library: Library): Configuration => ({
  adapter: makeProviderStore(),
  jwks: { keys: settings.signingKeys.map((key) => ({ ...key })) },
  cookies: { keys: [settings.cookieKey] },
  acrValues: [PASSWORD_ACR, SECOND_FACTOR_ACR],
  claims: {
    auth_time: null,
    sid: null,
    openid: ['sub', 'acr', 'amr'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  conformIdTokenClaims: false,
  clients: [client(settings)],
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        ctx.body = String(await signOutPage(form))
      },
      postLogoutSuccessSource: async (ctx) => {
        ctx.body = String(await messagePage('Signed out', 'Your session at this provider has ended.'))
      },
    },
  },
  // The library refuses addresses of this machine, and this machine is where Postern listens.
  fetch: (url, init) => fetch(url, plainRequest(init)),
  findAccount: (_, id) => accountOf(settings.people, id),
  interactions: { url: (_, { uid }) => `/login/${uid}`, policy: loginPrompts(library) },
  loadExistingGrant: async (ctx) => {
    // Another grant would end the codes of the one before: of several tabs only the last could finish.
    const known = ctx.oidc.session?.grantIdFor(settings.clientId)
    const earlier = known === undefined ? undefined : await ctx.oidc.provider.Grant.find(known)
    if (earlier !== undefined && earlier.accountId === ctx.oidc.session?.accountId) return earlier
    const grant = new ctx.oidc.provider.Grant({
      clientId: settings.clientId,
      ...(ctx.oidc.session?.accountId === undefined ? {} : { accountId: ctx.oidc.session.accountId }),
    })
    grant.addOIDCScope('openid profile email groups')
    await grant.save()
    return grant
  },
  renderError: async (ctx, out) => {
    ctx.type = 'html'
    ctx.body = String(await messagePage('This did not work', out.error_description ?? out.error))
  },
  scopes: ['openid', 'profile', 'email', 'groups'],
  ttl: { Session: 12 * 3600, Interaction: 3600, Grant: 12 * 3600, AccessToken: 600, IdToken: 600 },
})

const client = (settings: ProviderSettings): ClientMetadata => ({
  client_id: settings.clientId,
  client_secret: settings.clientSecret,
  client_name: 'Postern',
  redirect_uris: [`${settings.clientUrl}/callback/demo`],
  post_logout_redirect_uris: [`${settings.clientUrl}/signed-out`],
  backchannel_logout_uri: settings.backchannelUrl,
  backchannel_logout_session_required: true,
  grant_types: ['authorization_code'],
  response_types: ['code'],
  require_auth_time: true,
  id_token_signed_response_alg: 'ES256',
})

const accountOf = (people: readonly Person[], id: string): Account | undefined => {
  const person = people.find(({ username }) => username === id)
  return person === undefined
    ? undefined
    : {
        accountId: person.username,
        claims: () => ({
          sub: person.username,
          preferred_username: person.username,
          name: person.name,
          email: person.email,
          email_verified: true,
          groups: person.groups,
        }),
      }
}

/** The request without the connection pool that refuses loopback. */
const plainRequest = (init: RequestInit | undefined): RequestInit => {
  const { method, headers, body, signal, redirect } = init ?? {}
  return Object.fromEntries(
    Object.entries({ method, headers, body, signal, redirect }).filter(([, value]) => value !== undefined),
  )
}

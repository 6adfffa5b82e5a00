// A real OpenID provider for tests, in process, on 127.0.0.1 at any port. Its people are ada (sre), ben (eng) and cy
// (contractors); the password is the name. It can be told to misbehave, one answer at a time.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import {
  interactionPolicy,
  Provider,
  type Adapter,
  type AdapterFactory,
  type Configuration,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { makeProviderStore } from '../../src/demo/provider-store.ts'

export const PASSWORD_ACR = 'urn:test:password'
export const SECOND_FACTOR_ACR = 'urn:test:second-factor'

export interface TestPerson {
  readonly name: string
  readonly groups: readonly string[]
}

export const TEST_PEOPLE: Readonly<Record<string, TestPerson>> = {
  ada: { name: 'Ada Lovelace', groups: ['sre'] },
  ben: { name: 'Ben Okafor', groups: ['eng'] },
  cy: { name: 'Cy Lindqvist', groups: ['contractors'] },
}

/** What goes wrong. Each stays until it is changed; all undefined or false = a provider as it should be. */
export interface Misbehaviour {
  /** Changes the claims of the ID token; it is signed again with the provider's own key. */
  idToken?: ((claims: JWTPayload) => JWTPayload) | undefined
  /** Signs the ID token with a key that the provider does not publish, or with none. */
  signature?: 'foreign' | 'none' | undefined
  /** Changes the answer of UserInfo. */
  userInfo?: ((claims: Record<string, unknown>) => Record<string, unknown>) | undefined
  /** Changes the address that the browser is sent back to. */
  authorizationResponse?: ((url: URL) => void) | undefined
  /** Changes the discovery document. */
  discovery?: ((document: Record<string, unknown>) => Record<string, unknown>) | undefined
  /** Every connection is cut. */
  down?: boolean
  /** The token endpoint answers 500. */
  tokenError?: boolean
  /** Groups of a person from now on. */
  groups?: Readonly<Record<string, readonly string[]>>
  /** This path answers 503. */
  brokenPath?: string | undefined
  /** The token endpoint takes no token any more. */
  refuseRefresh?: boolean
  /** The token endpoint answers 400 with this code. */
  refreshError?: string | undefined
  /** The token endpoint never answers. */
  hangOnRefresh?: boolean
}

export interface TestClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
}

export interface TestProvider {
  readonly issuer: string
  readonly misbehave: Misbehaviour
  /** Requests that reached it, as `METHOD /path`. */
  readonly requests: readonly string[]
  /** A JWT of the provider, signed with its own key or with one that it does not publish. */
  readonly sign: (
    claims: JWTPayload,
    header?: Readonly<Record<string, unknown>>,
    by?: 'own' | 'foreign',
  ) => Promise<string>
  readonly close: () => Promise<void>
}

export interface TestProviderOptions {
  readonly claimsInIdToken: boolean
  readonly endSession: boolean
  readonly refreshTokens?: boolean
}

const CLAIMS = ['name', 'preferred_username', 'email', 'email_verified', 'groups']

/** Starts a provider with one client. */
export const startTestProvider = async (
  client: TestClient,
  options: TestProviderOptions = {
    claimsInIdToken: true,
    endSession: true,
  },
): Promise<TestProvider> => {
  const misbehave: Misbehaviour = {}
  const requests: string[] = []
  let answer = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end()
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?', 1)[0]}`)
    if (misbehave.down === true) request.socket.destroy()
    else answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const keys = await makeKeys()
  const provider = new Provider(issuer, configuration(client, keys.jwk, options, misbehave))
  provider.use(async (ctx, next) => {
    if (misbehave.hangOnRefresh === true && ctx.path === '/token') {
      ctx.respond = false
      return
    }
    if (misbehave.tokenError === true && ctx.path === '/token') {
      ctx.status = 500
      ctx.body = 'broken'
      return
    }
    if (misbehave.brokenPath === ctx.path) {
      ctx.status = 503
      ctx.body = 'broken'
      return
    }
    const refreshError = misbehave.refuseRefresh === true ? 'invalid_grant' : misbehave.refreshError
    if (refreshError !== undefined && ctx.path === '/token') {
      ctx.status = 400
      ctx.body = { error: refreshError }
      return
    }
    await next()
    await distort(ctx as KoaContextWithOIDC, misbehave, keys)
  })
  const byLibrary = provider.callback()
  answer = (request, response) => {
    if (request.url?.startsWith('/login/') === true) void login(provider, request, response)
    else void byLibrary(request, response)
  }
  return {
    issuer,
    misbehave,
    requests,
    sign: (claims, header = {}, by = 'own') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'test', ...header }).sign(keys[by]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Keys {
  readonly jwk: JWK
  readonly own: CryptoKey
  readonly foreign: CryptoKey
}

const makeKeys = async (): Promise<Keys> => {
  const own = await generateKeyPair('ES256', { extractable: true })
  const foreign = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(own.privateKey)), kid: 'test', use: 'sig', alg: 'ES256' }
  return { jwk, own: own.privateKey, foreign: foreign.privateKey }
}

const configuration = (
  client: TestClient,
  jwk: JWK,
  options: TestProviderOptions,
  misbehave: Misbehaviour,
): Configuration => ({
  adapter: separateStores(),
  jwks: { keys: [{ ...jwk }] },
  cookies: { keys: ['test cookie key'] },
  acrValues: [PASSWORD_ACR, SECOND_FACTOR_ACR],
  claims: {
    sid: null,
    openid: ['sub', 'acr', 'amr', 'auth_time'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  scopes: ['openid', 'profile', 'email', 'groups'],
  // False: everything that the scopes ask for goes into the ID token; true: into UserInfo only (OIDC Core §5.4).
  conformIdTokenClaims: !options.claimsInIdToken,
  clients: [
    {
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [...client.redirectUris],
      post_logout_redirect_uris: [...client.postLogoutRedirectUris],
      grant_types: ['authorization_code', ...(options.refreshTokens === true ? ['refresh_token'] : [])],
      response_types: ['code'],
      require_auth_time: true,
      id_token_signed_response_alg: 'ES256',
    },
  ],
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: options.endSession,
      logoutSource: async (ctx, form) => {
        ctx.body = `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`
      },
    },
  },
  findAccount: (_, id) => {
    const person = TEST_PEOPLE[id]
    return person === undefined
      ? undefined
      : {
          accountId: id,
          claims: () => ({
            sub: id,
            name: person.name,
            preferred_username: id,
            email: `${id}@example.com`,
            email_verified: true,
            groups: [...(misbehave.groups?.[id] ?? person.groups)],
          }),
        }
  },
  issueRefreshToken: async (_, asking) => asking.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  interactions: { url: (_, { uid }) => `/login/${uid}`, policy: prompts() },
  loadExistingGrant: async (ctx) => {
    const accountId = ctx.oidc.session?.accountId
    // Another grant would end the codes of the one before: of ten tabs, nine could not finish.
    const known = ctx.oidc.session?.grantIdFor(client.clientId)
    const earlier = known === undefined ? undefined : await ctx.oidc.provider.Grant.find(known)
    if (earlier !== undefined && earlier.accountId === accountId) return earlier
    const grant = new ctx.oidc.provider.Grant({
      clientId: client.clientId,
      ...(accountId === undefined ? {} : { accountId }),
    })
    grant.addOIDCScope('openid profile email groups')
    grant.addOIDCClaims(CLAIMS)
    await grant.save()
    return grant
  },
  renderError: async (ctx, out) => {
    ctx.body = `${out.error}: ${out.error_description}`
  },
  ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, IdToken: 600 },
})

/** One store for each model: ending a grant must not end the interaction that is about to replace it. */
const separateStores = (): AdapterFactory => {
  const stores = new Map<string, Adapter>()
  return (model) => {
    const store = stores.get(model) ?? makeProviderStore()(model)
    stores.set(model, store)
    return store
  }
}

const prompts = (): interactionPolicy.Prompt[] => {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'wanted_acr',
        'a stronger authentication is required',
        ({ oidc }) =>
          wantsSecondFactor(oidc.params?.['acr_values']) &&
          oidc.session?.acr !== SECOND_FACTOR_ACR &&
          oidc.result?.login === undefined,
      ),
    )
  return [...policy]
}

const wantsSecondFactor = (acrValues: unknown): boolean =>
  typeof acrValues === 'string' && acrValues.split(' ').includes(SECOND_FACTOR_ACR)

/** The login form, without JavaScript; `second-factor=yes` pretends a second factor. */
const login = async (
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  try {
    const { uid } = await provider.interactionDetails(request, response)
    if (request.method !== 'POST') {
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end(
          `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Test provider</title><form method="post" action="/login/${uid}">` +
            `<label>Name <input name="username" autocomplete="username"></label>` +
            `<label>Password <input name="password" type="password"></label>` +
            `<label><input type="checkbox" name="second-factor" value="yes"> Second factor</label>` +
            `<button type="submit" name="action" value="login">Sign in</button>` +
            `<button type="submit" name="action" value="cancel">Cancel</button></form></html>`,
        )
      return
    }
    const form = await readForm(request)
    if (form.get('action') === 'cancel') {
      await provider.interactionFinished(request, response, { error: 'access_denied' })
      return
    }
    const username = form.get('username') ?? ''
    if (!Object.hasOwn(TEST_PEOPLE, username) || form.get('password') !== username) {
      response.writeHead(401, { 'content-type': 'text/plain' }).end('wrong name or password')
      return
    }
    const strong = form.get('second-factor') === 'yes'
    await provider.interactionFinished(request, response, {
      login: {
        accountId: username,
        amr: strong ? ['pwd', 'otp'] : ['pwd'],
        acr: strong ? SECOND_FACTOR_ACR : PASSWORD_ACR,
      },
      select_account: {},
    })
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error))
  }
}

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return new URLSearchParams(text)
}

const distort = async (ctx: KoaContextWithOIDC, wrong: Misbehaviour, keys: Keys): Promise<void> => {
  const body: unknown = ctx.body
  if (ctx.path === '/.well-known/openid-configuration' && wrong.discovery !== undefined && isRecord(body))
    ctx.body = wrong.discovery(body)
  if (ctx.path === '/me' && wrong.userInfo !== undefined && isRecord(body)) ctx.body = wrong.userInfo(body)
  if (ctx.path === '/token' && isRecord(body) && typeof body['id_token'] === 'string')
    ctx.body = { ...body, id_token: await resign(body['id_token'], wrong, keys) }
  const location = ctx.response.get('location')
  if (
    ctx.path.startsWith('/auth') &&
    wrong.authorizationResponse !== undefined &&
    /[?&]state=/.test(location)
  ) {
    const url = new URL(location)
    wrong.authorizationResponse(url)
    ctx.set('location', url.href)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Buffer.isBuffer(value)

const resign = async (token: string, wrong: Misbehaviour, keys: Keys): Promise<string> => {
  if (wrong.idToken === undefined && wrong.signature === undefined) return token
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload
  const changed = wrong.idToken?.(claims) ?? claims
  if (wrong.signature === 'none') {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part(changed)}.`
  }
  return new SignJWT(changed)
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .sign(wrong.signature === 'foreign' ? keys.foreign : keys.own)
}

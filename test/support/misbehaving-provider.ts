// An OpenID provider that misbehaves on purpose: a real server on 127.0.0.1 with real keys and a real code flow, PKCE and
// client authentication included, and one switch for each thing that can be wrong. Ada is signed in there already: its
// authorization endpoint asks nobody. It remembers every secret that went through it, so that logs can be searched.
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  DISTORTIONS,
  PLANTED,
  type Answer,
  type Distortion,
  type Misbehaviour,
  type Place,
} from './misbehaviours.ts'
import { jwkOf, signWith, type ProviderKeys } from './misbehaving-keys.ts'

export const ADA = {
  sub: 'ada',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  email_verified: true,
  groups: ['sre'],
}
export const STRONG_ACR = 'urn:test:strong'

export interface ProviderPlan {
  readonly keys: ProviderKeys
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

export interface MisbehavingProvider {
  readonly issuer: string
  /** The same server under another origin. */
  readonly otherOrigin: string
  /** From now on this is wrong; `none` = it behaves. */
  readonly misbehave: (how: Misbehaviour) => void
  /** Signs with the spare keys from now on, and publishes only those. */
  readonly rotate: () => void
  /** Requests that reached it, as `METHOD /path`. */
  readonly requests: readonly string[]
  /** Codes, tokens, states, nonces, verifiers and planted words. */
  readonly secrets: ReadonlySet<string>
  readonly close: () => Promise<void>
}

/** What a code stands for. */
interface Grant {
  readonly challenge: string
  readonly redirectUri: string
  readonly nonce: string
  readonly acr: string | undefined
}

interface State {
  readonly plan: ProviderPlan
  readonly issuer: string
  readonly otherOrigin: string
  readonly secrets: Set<string>
  readonly codes: Map<string, Grant>
  readonly accessTokens: Set<string>
  distortion: Distortion
  rotated: boolean
}

/** Starts it on a free port; it behaves until it is told not to. */
export const startMisbehavingProvider = async (plan: ProviderPlan): Promise<MisbehavingProvider> => {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${pathOf(request)}`)
    void answer(state, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const state: State = {
    plan,
    issuer: `http://127.0.0.1:${port}`,
    otherOrigin: `http://localhost:${port}`,
    secrets: new Set([plan.clientSecret, PLANTED]),
    codes: new Map(),
    accessTokens: new Set(),
    distortion: DISTORTIONS.none,
    rotated: false,
  }
  return {
    issuer: state.issuer,
    otherOrigin: state.otherOrigin,
    misbehave: (how) => {
      state.distortion = DISTORTIONS[how]
    },
    rotate: () => {
      state.rotated = true
    },
    requests,
    secrets: state.secrets,
    close: () => closeServer(server),
  }
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?', 1)[0] ?? ''

const PLACES: Readonly<Record<string, Place>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/keys': 'keys',
  '/auth': 'auth',
  '/token': 'token',
  '/userinfo': 'userinfo',
}

const answer = async (state: State, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const place = PLACES[pathOf(request)]
  if (place === undefined) return send(response, { status: 404 })
  const instead = state.distortion.instead?.[place]
  if (instead !== undefined) {
    request.resume()
    return send(response, instead(state))
  }
  switch (place) {
    case 'discovery':
      return json(response, 200, discovery(state))
    case 'keys':
      return json(response, 200, { keys: publishedKeys(state) })
    case 'auth':
      return authorize(state, request, response)
    case 'token':
      return token(state, request, response)
    case 'userinfo':
      return userInfo(state, request, response)
  }
}

const discovery = (state: State): Readonly<Record<string, unknown>> => {
  const { issuer } = state
  const document = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    userinfo_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
  return state.distortion.discovery?.(document, state) ?? document
}

const publishedKeys = ({ plan, distortion, rotated }: State): readonly unknown[] => {
  const { rs256, es256, spare } = plan.keys
  const usual = rotated ? [jwkOf(spare)] : [jwkOf(rs256), jwkOf(es256)]
  return distortion.keys?.(plan.keys) ?? usual
}

/** OIDC Core §3.1.2: refuses what no client of ours may ask, then sends the browser back with a code. */
const authorize = (state: State, request: IncomingMessage, response: ServerResponse): void => {
  const asked = new URL(request.url ?? '', state.issuer).searchParams
  const { plan, distortion } = state
  const get = (name: string): string => asked.get(name) ?? ''
  const isGood =
    get('client_id') === plan.clientId &&
    get('redirect_uri') === plan.redirectUri &&
    get('response_type') === 'code' &&
    get('scope').split(' ').includes('openid') &&
    get('code_challenge_method') === 'S256' &&
    /^[\w-]{43}$/.test(get('code_challenge')) &&
    [...asked.keys()].length === new Set(asked.keys()).size
  if (!isGood) return send(response, { status: 400, body: 'this client asks wrongly' })
  const code = randomBytes(24).toString('base64url')
  const [acr] = get('acr_values').split(' ').filter(Boolean)
  state.codes.set(code, {
    challenge: get('code_challenge'),
    redirectUri: get('redirect_uri'),
    nonce: get('nonce'),
    acr,
  })
  for (const secret of [code, get('state'), get('nonce')]) state.secrets.add(secret)
  const back = new URL(plan.redirectUri)
  back.searchParams.set('code', code)
  back.searchParams.set('state', get('state'))
  back.searchParams.set('iss', state.issuer)
  distortion.wayBack?.(back.searchParams)
  send(response, { status: 303, headers: { location: back.href } })
}

/** RFC 6749 §4.1.3 and RFC 7636 §4.6. */
const token = async (state: State, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const form = await readForm(request)
  state.secrets.add(form.get('code_verifier') ?? PLANTED)
  if (!isOurClient(state.plan, request)) return json(response, 401, { error: 'invalid_client' })
  const code = form.get('code') ?? ''
  const grant = state.codes.get(code)
  if (state.distortion.takesCodesAgain !== true) state.codes.delete(code)
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  const isGood =
    form.get('grant_type') === 'authorization_code' &&
    grant !== undefined &&
    grant.redirectUri === form.get('redirect_uri') &&
    grant.challenge === challenge
  if (!isGood) return json(response, 400, { error: 'invalid_grant', error_description: PLANTED })
  const accessToken = randomBytes(24).toString('base64url')
  const idToken = await idTokenOf(state, grant)
  state.accessTokens.add(accessToken)
  for (const secret of [accessToken, idToken]) state.secrets.add(secret)
  const body = { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: idToken }
  json(response, 200, state.distortion.tokens?.(body) ?? body)
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
const isOurClient = ({ clientId, clientSecret }: ProviderPlan, request: IncomingMessage): boolean => {
  const [scheme, given = ''] = (request.headers.authorization ?? '').split(' ')
  const halves = Buffer.from(given, 'base64').toString().split(':')
  const [id, secret] = halves.map((half) => new URLSearchParams(`x=${half}`).get('x'))
  return scheme === 'Basic' && halves.length === 2 && id === clientId && secret === clientSecret
}

const idTokenOf = (state: State, grant: Grant): Promise<string> | string => {
  const { plan, distortion, rotated } = state
  const nowSeconds = Math.floor(Date.now() / 1000)
  const right: Readonly<Record<string, unknown>> = {
    iss: state.issuer,
    sub: ADA.sub,
    aud: plan.clientId,
    exp: nowSeconds + 300,
    iat: nowSeconds,
    auth_time: nowSeconds,
    nonce: grant.nonce,
    amr: ['pwd'],
    ...(grant.acr === undefined ? {} : { acr: grant.acr }),
  }
  const claims = distortion.claims?.(right, plan.clientId) ?? right
  if (distortion.sign !== undefined) return distortion.sign(claims, plan.keys, plan.clientSecret)
  return signWith(rotated ? plan.keys.spare : plan.keys.rs256, claims)
}

/** OIDC Core §5.3. */
const userInfo = (state: State, request: IncomingMessage, response: ServerResponse): void => {
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ')
  if (scheme !== 'Bearer' || !state.accessTokens.has(token))
    return send(response, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
  const { userInfo: change, userInfoJwt } = state.distortion
  if (userInfoJwt === undefined) return json(response, 200, change?.(ADA) ?? ADA)
  const claims = { ...ADA, iss: state.issuer, aud: state.plan.clientId }
  const body = userInfoJwt(claims, state.plan.keys)
  state.secrets.add(body)
  send(response, { status: 200, headers: { 'content-type': 'application/jwt' }, body })
}

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return new URLSearchParams(text)
}

const json = (response: ServerResponse, status: number, value: unknown): void =>
  send(response, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  })

const send = (response: ServerResponse, { status, headers, body, ending = 'end' }: Answer): void => {
  if (ending === 'never') return
  response.writeHead(status, headers)
  switch (ending) {
    case 'end':
      response.end(body)
      return
    case 'drip':
      return drip(response)
    case 'flood':
      return flood(response)
    case 'cut':
      response.write(body ?? '{')
      response.socket?.destroySoon()
  }
}

/** One byte after the other: each comes in time, the whole never. */
const drip = (response: ServerResponse): void => {
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}

const flood = (response: ServerResponse): void => {
  const more = (): void => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  }
  response.on('drain', more)
  more()
}

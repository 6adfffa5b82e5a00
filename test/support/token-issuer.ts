// An issuer of bearer tokens: a real server with metadata and keys, real signatures, and every way of misbehaving.
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, type JWTHeaderParameters } from 'jose'

export interface IssuerKeyPair {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What the key address does instead of answering with keys. */
export type Misbehaviour =
  | 'none'
  | 'status-500'
  | 'garbage'
  | 'html'
  | 'not-a-set'
  | 'redirect'
  | 'hang'
  | 'reset'
  | 'endless'

export interface TokenIssuer {
  /** Its exact issuer identifier, e.g. `http://127.0.0.1:4711`. */
  readonly issuer: string
  readonly jwksUri: string
  /** How often each path was asked for. */
  readonly hits: (path: string) => number
  /** Replaces all keys by new ones; the first signs. */
  readonly rotate: (...algs: readonly string[]) => readonly IssuerKeyPair[]
  /** Publishes exactly these. */
  readonly publish: (keys: readonly IssuerKeyPair[]) => void
  readonly keys: () => readonly IssuerKeyPair[]
  readonly misbehave: (how: Misbehaviour) => void
  /** Changes what the metadata says. */
  readonly claimInMetadata: (changes: Readonly<Record<string, unknown>>) => void
  /** Resolves when the next request for the keys has arrived. */
  readonly nextKeyRequest: () => Promise<void>
  readonly mint: (claims?: TokenClaims, options?: MintOptions) => Promise<string>
  readonly close: () => Promise<void>
}

/** An undefined claim is left out. */
export type TokenClaims = Readonly<Record<string, unknown>>

export interface MintOptions {
  readonly key?: IssuerKeyPair
  /** Laid over `{alg, kid, typ: 'at+jwt'}`; an undefined parameter is left out. */
  readonly header?: Readonly<Record<string, unknown>>
}

export const KEYS_PATH = '/keys'
export const METADATA_PATH = '/.well-known/openid-configuration'

let serial = 0

/** A new key pair with a `kid` of its own. */
export const makeKeyPair = (alg = 'ES256', kid = `key-${(serial += 1)}`): IssuerKeyPair => {
  if (alg === 'EdDSA') return { kid, alg, ...generateKeyPairSync('ed25519') }
  if (alg.startsWith('ES')) {
    const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] ?? 'P-256'
    return { kid, alg, ...generateKeyPairSync('ec', { namedCurve }) }
  }
  return { kid, alg, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

/**
 * Starts an issuer on a free port of 127.0.0.1.
 * @param settings `audience` and `nowSeconds` go into each token unless its claims say otherwise
 */
export const startTokenIssuer = async (
  settings: { readonly audience?: string; readonly nowSeconds?: () => number } = {},
): Promise<TokenIssuer> => {
  const nowSeconds = settings.nowSeconds ?? ((): number => Date.now() / 1000)
  let keys: readonly IssuerKeyPair[] = [makeKeyPair()]
  let how: Misbehaviour = 'none'
  let metadata: Readonly<Record<string, unknown>> = {}
  let waiting: (() => void)[] = []
  const hits = new Map<string, number>()

  const server = createServer((request, response) => {
    const path = request.url ?? ''
    hits.set(path, (hits.get(path) ?? 0) + 1)
    if (path === METADATA_PATH) return json(response, { issuer, jwks_uri: jwksUri, ...metadata })
    if (path !== KEYS_PATH && path !== '/elsewhere') return void response.writeHead(404).end()
    const arrived = waiting
    waiting = []
    for (const resolve of arrived) resolve()
    return answerKeys(request, response, path === KEYS_PATH ? how : 'none', keys)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const jwksUri = `${issuer}${KEYS_PATH}`

  return {
    issuer,
    jwksUri,
    hits: (path) => hits.get(path) ?? 0,
    keys: () => keys,
    rotate: (...algs) => {
      keys = (algs.length === 0 ? ['ES256'] : algs).map((alg) => makeKeyPair(alg))
      return keys
    },
    publish: (given) => {
      keys = given
    },
    misbehave: (given) => {
      how = given
    },
    claimInMetadata: (changes) => {
      metadata = changes
    },
    nextKeyRequest: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
      }),
    mint: (claims = {}, options = {}) => {
      const now = Math.floor(nowSeconds())
      const standard = {
        iss: issuer,
        aud: settings.audience ?? 'postern-test',
        sub: 'robot',
        iat: now,
        exp: now + 300,
      }
      return signToken({ ...standard, ...claims }, options.key ?? keys[0] ?? makeKeyPair(), options.header)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

const signToken = (
  claims: TokenClaims,
  key: IssuerKeyPair,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const whole = { alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }
  return new SignJWT(withoutUndefined(claims))
    .setProtectedHeader(withoutUndefined(whole) as JWTHeaderParameters)
    .sign(key.privateKey)
}

const withoutUndefined = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

const answerKeys = (
  request: IncomingMessage,
  response: ServerResponse,
  how: Misbehaviour,
  keys: readonly IssuerKeyPair[],
): void => {
  switch (how) {
    case 'none':
      return json(response, { keys: keys.map(publicJwk) })
    case 'status-500':
      return void response.writeHead(500).end('planted-secret')
    case 'garbage':
      return void response.writeHead(200).end('{"keys":[{"kty":"planted-secret')
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>planted-secret')
    case 'not-a-set':
      return json(response, { keys: 'planted-secret' })
    case 'redirect':
      return void response.writeHead(302, { location: '/elsewhere' }).end()
    case 'hang':
      return undefined
    case 'reset':
      return void request.socket.destroy()
    case 'endless':
      return writeForever(response)
  }
}

const writeForever = (response: ServerResponse): void => {
  const more = (): void => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
  }
  response.on('drain', more)
  response.writeHead(200)
  more()
}

/** As a key set lists it. */
export const publicJwk = (pair: IssuerKeyPair): Record<string, unknown> => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  kid: pair.kid,
  alg: pair.alg,
  use: 'sig',
})

/** A token from raw parts, for spellings that no library would make. */
export const rawToken = (header: string, payload: string, sign: (input: string) => Buffer): string => {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  return `${input}.${sign(input).toString('base64url')}`
}

/** Signs as HS256, for secrets that are somebody's public key. */
export const hmacWith =
  (secret: string | Buffer) =>
  (input: string): Buffer =>
    createHmac('sha256', secret).update(input).digest()

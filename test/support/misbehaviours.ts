// Everything that the misbehaving provider can do wrong, one name for each, and the few things beside them that look
// alike and are right. The names follow the relying-party modules of OpenID conformance where there is one.
import { jwkOf, signHs256, signText, signWith, turned, unsigned } from './misbehaving-keys.ts'
import type { Claims, ProviderKeys } from './misbehaving-keys.ts'

/** A word that the provider puts into bodies, descriptions and headers: nobody may ever read it here. */
export const PLANTED = 'planted-by-the-provider'

export type Place = 'discovery' | 'keys' | 'auth' | 'token' | 'userinfo'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** `never`: no answer at all; `drip`: a byte now and then; `flood`: without end; `cut`: the connection breaks. */
  readonly ending?: 'end' | 'never' | 'drip' | 'flood' | 'cut'
}

interface Origins {
  readonly issuer: string
  readonly otherOrigin: string
}

export interface Distortion {
  /** Changes the parameters of the way back. */
  readonly wayBack?: (parameters: URLSearchParams) => void
  readonly claims?: (right: Claims, clientId: string) => Claims
  readonly sign?: (claims: Claims, keys: ProviderKeys, clientSecret: string) => string
  readonly keys?: (keys: ProviderKeys) => readonly unknown[]
  readonly discovery?: (document: Claims, at: Origins) => Claims
  readonly tokens?: (body: Claims) => Claims
  readonly userInfo?: (claims: Claims) => Claims
  readonly userInfoJwt?: (claims: Claims, keys: ProviderKeys) => string
  readonly takesCodesAgain?: boolean
  readonly instead?: Partial<Readonly<Record<Place, (at: Origins) => Answer>>>
}

const without =
  (name: string) =>
  (right: Claims): Claims =>
    Object.fromEntries(Object.entries(right).filter(([key]) => key !== name))

const laidOver =
  (changes: Claims) =>
  (right: Claims): Claims => ({ ...right, ...changes })

const audience =
  (make: (clientId: string) => Claims) =>
  (right: Claims, clientId: string): Claims => ({ ...right, ...make(clientId) })

const at = (place: Place, answer: Answer): Distortion => ({ instead: { [place]: () => answer } })

const errorAt = (place: Place, status: number, error: string): Distortion =>
  at(place, {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error, error_description: PLANTED, error_uri: `https://${PLANTED}/` }),
  })

const HTML: Answer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: `<!doctype html><p>${PLANTED}`,
}
const JSON_TYPE = { 'content-type': 'application/json' }
const FLOOD: Answer = { status: 200, headers: JSON_TYPE, ending: 'flood' }
const DRIP: Answer = { status: 200, headers: JSON_TYPE, ending: 'drip' }
const NEVER: Answer = { status: 200, ending: 'never' }

/** With HS256 among the algorithms: only then is there any temptation to believe one. */
const takesHs256 = (document: Claims): Claims => ({
  ...document,
  id_token_signing_alg_values_supported: ['RS256', 'HS256'],
})
const takesEs256 = (document: Claims): Claims => ({
  ...document,
  id_token_signing_alg_values_supported: ['RS256', 'ES256'],
})
const twoOfOneKind = ({ rs256, spare }: ProviderKeys): readonly unknown[] => [jwkOf(spare), jwkOf(rs256)]

const table = <const Name extends string>(rows: Readonly<Record<Name, Distortion>>): typeof rows => rows

export const DISTORTIONS = table({
  none: {},

  'state-missing': { wayBack: (one) => one.delete('state') },
  'state-invalid': { wayBack: (one) => one.set('state', PLANTED) },
  'iss-parameter-invalid': { wayBack: (one) => one.set('iss', 'https://evil.example') },
  'iss-parameter-with-slash': { wayBack: (one) => one.set('iss', `${one.get('iss')}/`) },
  'iss-parameter-removed': { wayBack: (one) => one.delete('iss') },
  'iss-parameter-not-announced': {
    wayBack: (one) => one.delete('iss'),
    discovery: without('authorization_response_iss_parameter_supported'),
  },
  'iss-parameter-not-announced-and-invalid': {
    wayBack: (one) => one.set('iss', 'https://evil.example'),
    discovery: without('authorization_response_iss_parameter_supported'),
  },
  'code-missing': { wayBack: (one) => one.delete('code') },
  'code-invalid': { wayBack: (one) => one.set('code', PLANTED) },
  'codes-taken-again': { takesCodesAgain: true },
  'error-answer': {
    wayBack: (one) => {
      one.delete('code')
      one.set('error', 'access_denied')
      one.set('error_description', PLANTED)
    },
  },
  'error-answer-of-another-issuer': {
    wayBack: (one) => {
      one.delete('code')
      one.set('error', 'access_denied')
      one.set('iss', 'https://evil.example')
    },
  },
  'error-answer-in-odd-words': {
    wayBack: (one) => {
      one.delete('code')
      one.set('error', `<b>${PLANTED}</b>`)
    },
  },

  'nonce-missing': { claims: without('nonce') },
  'nonce-invalid': { claims: laidOver({ nonce: PLANTED }) },
  'issuer-invalid': { claims: laidOver({ iss: 'https://evil.example' }) },
  'issuer-missing': { claims: without('iss') },
  'audience-missing': { claims: without('aud') },
  'audience-invalid': { claims: laidOver({ aud: 'another-client' }) },
  'audience-of-others': { claims: laidOver({ aud: ['another-client', 'a-third'] }) },
  'audience-alone-in-a-list': { claims: audience((id) => ({ aud: [id] })) },
  'audience-secondary-without-azp': { claims: audience((id) => ({ aud: [id, 'another-client'] })) },
  'azp-foreign': { claims: audience(() => ({ azp: 'another-client' })) },
  'azp-own': { claims: audience((id) => ({ azp: id })) },
  'audience-secondary-with-azp': { claims: audience((id) => ({ aud: [id, 'another-client'], azp: id })) },
  'audience-secondary-with-foreign-azp': {
    claims: audience((id) => ({ aud: [id, 'another-client'], azp: 'another-client' })),
  },
  'exp-missing': { claims: without('exp') },
  'exp-past': { claims: (right) => ({ ...right, exp: Number(right['iat']) - 120 }) },
  'exp-past-within-tolerance': { claims: (right) => ({ ...right, exp: Number(right['iat']) - 20 }) },
  'exp-as-text': { claims: (right) => ({ ...right, exp: String(right['exp']) }) },
  'exp-infinite': {
    sign: (claims, { rs256 }) =>
      signText(rs256, JSON.stringify({ ...claims, exp: 0 }).replace(/"exp":0/, '"exp":1e999')),
  },
  'nbf-in-the-future': { claims: (right) => ({ ...right, nbf: Number(right['iat']) + 600 }) },
  'iat-missing': { claims: without('iat') },
  'iat-as-text': { claims: (right) => ({ ...right, iat: String(right['iat']) }) },
  'sub-missing': { claims: without('sub') },
  'sub-empty': { claims: laidOver({ sub: '' }) },
  'sub-a-number': { claims: laidOver({ sub: 4711 }) },
  'sub-with-control-bytes': { claims: laidOver({ sub: 'ada\r\nX-Admin: 1' }) },

  'signature-none': { sign: (claims) => unsigned(claims) },
  'signature-none-announced': {
    sign: (claims) => unsigned(claims),
    discovery: laidOver({ id_token_signing_alg_values_supported: ['RS256', 'none'] }),
  },
  'signature-rs256-bad': { sign: (claims, { rs256 }) => turned(signWith(rs256, claims)) },
  'signature-rs256-foreign': { sign: (claims, { foreign }) => signWith(foreign.rs256, claims) },
  'signature-es256-good': { sign: (claims, { es256 }) => signWith(es256, claims), discovery: takesEs256 },
  'signature-es256-bad': {
    sign: (claims, { es256 }) => turned(signWith(es256, claims)),
    discovery: takesEs256,
  },
  'signature-es256-foreign': {
    sign: (claims, { foreign }) => signWith(foreign.es256, claims),
    discovery: takesEs256,
  },
  'signature-hs256-bad': {
    sign: (claims) => signHs256('not the secret of anybody', claims),
    discovery: takesHs256,
  },
  'signature-hs256-by-public-key': {
    sign: (claims, { rs256 }) =>
      signHs256(rs256.publicKey.export({ type: 'spki', format: 'pem' }).toString(), claims, {
        kid: rs256.kid,
      }),
    discovery: takesHs256,
  },
  'signature-hs256-by-client-secret': {
    sign: (claims, _, clientSecret) => signHs256(clientSecret, claims),
    discovery: takesHs256,
  },
  'alternate-alg': { sign: (claims, { es256 }) => signWith(es256, claims) },
  'token-garbled': { sign: () => 'this.is.nothing' },
  'crit-unknown': { sign: (claims, { rs256 }) => signWith(rs256, claims, { crit: ['odd'], odd: true }) },
  'kid-absent-one-key': {
    sign: (claims, { rs256 }) => signWith(rs256, claims, { kid: undefined }),
    keys: ({ rs256 }) => [jwkOf(rs256)],
  },
  'kid-absent-one-key-of-the-kind': {
    sign: (claims, { rs256 }) => signWith(rs256, claims, { kid: undefined }),
  },
  'kid-absent-several-keys': {
    sign: (claims, { rs256 }) => signWith(rs256, claims, { kid: undefined }),
    keys: twoOfOneKind,
  },
  'kid-of-several-keys': { sign: (claims, { rs256 }) => signWith(rs256, claims), keys: twoOfOneKind },
  'kid-unknown': { sign: (claims, { rs256 }) => signWith(rs256, claims, { kid: 'unknown' }) },
  'key-not-published': { sign: (claims, { spare }) => signWith(spare, claims) },
  'key-of-before': { sign: (claims, { rs256 }) => signWith(rs256, claims) },
  'key-in-the-header': {
    sign: (claims, { foreign }) =>
      signWith(foreign.rs256, claims, {
        kid: 'mine',
        jwk: jwkOf(foreign.rs256),
        jku: 'http://127.0.0.1:9/keys',
      }),
  },
  'key-for-encryption': { keys: ({ rs256 }) => [{ ...jwkOf(rs256), use: 'enc' }] },

  'discovery-issuer-mismatch': { discovery: laidOver({ issuer: 'https://evil.example' }) },
  'discovery-issuer-with-slash': {
    discovery: (document) => ({ ...document, issuer: `${String(document['issuer'])}/` }),
  },
  'discovery-of-another-origin': {
    discovery: (document, { otherOrigin }) => ({ ...document, issuer: otherOrigin }),
  },
  'discovery-redirects': {
    instead: {
      discovery: ({ otherOrigin }) => ({
        status: 302,
        headers: { location: `${otherOrigin}/elsewhere` },
      }),
    },
  },
  'discovery-endpoints-elsewhere': {
    discovery: (document, { otherOrigin }) => ({
      ...document,
      token_endpoint: `${otherOrigin}/token`,
      userinfo_endpoint: `${otherOrigin}/userinfo`,
      jwks_uri: `${otherOrigin}/keys`,
    }),
  },
  'discovery-endpoint-link-local': {
    discovery: laidOver({ token_endpoint: 'https://169.254.169.254/token' }),
  },
  'discovery-endpoint-plain-http': {
    discovery: laidOver({ token_endpoint: 'http://idp.example.com/token' }),
  },
  'discovery-keys-link-local': { discovery: laidOver({ jwks_uri: 'https://169.254.169.254/keys' }) },
  'discovery-without-token-endpoint': { discovery: without('token_endpoint') },
  'discovery-without-keys': { discovery: without('jwks_uri') },
  'discovery-html': at('discovery', HTML),
  'discovery-not-found': at('discovery', { status: 404, body: PLANTED }),
  'discovery-flood': at('discovery', FLOOD),
  'discovery-never': at('discovery', NEVER),

  'keys-html': at('keys', HTML),
  'keys-no-set': at('keys', { status: 200, headers: JSON_TYPE, body: '{"keys":"all"}' }),
  'keys-redirect': {
    instead: { keys: ({ issuer }) => ({ status: 302, headers: { location: `${issuer}/elsewhere` } }) },
  },
  'keys-flood': at('keys', FLOOD),
  'keys-never': at('keys', NEVER),

  'token-invalid-grant': errorAt('token', 400, 'invalid_grant'),
  'token-invalid-client': errorAt('token', 401, 'invalid_client'),
  'token-server-error': errorAt('token', 400, 'server_error'),
  'token-invalid-grant-as-500': errorAt('token', 500, 'invalid_grant'),
  'token-odd-error': errorAt('token', 400, `<b>${PLANTED}</b>`),
  'token-error-as-200': errorAt('token', 200, 'invalid_grant'),
  'token-html': at('token', HTML),
  'token-bad-gateway': at('token', { ...HTML, status: 502 }),
  'token-list': at('token', { status: 200, headers: JSON_TYPE, body: `["${PLANTED}"]` }),
  'token-torn': at('token', { status: 200, headers: JSON_TYPE, body: `{"access_token":"${PLANTED}` }),
  'token-cut': at('token', {
    status: 200,
    headers: { ...JSON_TYPE, 'content-length': '500' },
    ending: 'cut',
  }),
  'token-without-id-token': { tokens: without('id_token') },
  'token-without-access-token': { tokens: without('access_token') },
  'token-of-another-type': { tokens: laidOver({ token_type: 'mac' }) },
  'token-redirect-302': {
    instead: { token: ({ issuer }) => ({ status: 302, headers: { location: `${issuer}/elsewhere` } }) },
  },
  'token-redirect-307': {
    instead: {
      token: ({ otherOrigin }) => ({ status: 307, headers: { location: `${otherOrigin}/elsewhere` } }),
    },
  },
  'token-flood': at('token', FLOOD),
  'token-never': at('token', NEVER),
  'token-drip': at('token', DRIP),

  'userinfo-sub-mismatch': { userInfo: laidOver({ sub: 'ben' }) },
  'userinfo-sub-missing': { userInfo: without('sub') },
  'userinfo-html': at('userinfo', HTML),
  'userinfo-server-error': errorAt('userinfo', 500, 'server_error'),
  'userinfo-unauthorized': at('userinfo', {
    status: 401,
    headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${PLANTED}"` },
  }),
  'userinfo-redirect': {
    instead: { userinfo: ({ issuer }) => ({ status: 302, headers: { location: `${issuer}/elsewhere` } }) },
  },
  'userinfo-signed': { userInfoJwt: (claims, { rs256 }) => signWith(rs256, claims) },
  'userinfo-signed-badly': { userInfoJwt: (claims, { foreign }) => signWith(foreign.rs256, claims) },
  'userinfo-unsigned': { userInfoJwt: (claims) => unsigned(claims) },
  'userinfo-signed-for-another': {
    userInfoJwt: (claims, { rs256 }) => signWith(rs256, { ...claims, aud: 'another-client' }),
  },
  'userinfo-flood': at('userinfo', FLOOD),
  'userinfo-drip': at('userinfo', DRIP),
})

export type Misbehaviour = keyof typeof DISTORTIONS

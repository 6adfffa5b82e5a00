// Where an issuer's keys are, and the document that holds them. The issuer's own metadata may send us to its own
// origin and nowhere else: another address must be configured (CVE-2026-41413).
import { fetchText, type FetchPorts } from './json-fetch.ts'
import { readKeySet, type KeySet } from './key-set.ts'
import { isObject, ownValue } from './strict-json.ts'

export interface KeyPlace {
  /** Exact issuer identifier. */
  readonly issuer: string
  /** Configured address of the key set; undefined = by discovery. */
  readonly jwksUri: string | undefined
}

export type KeyDocument =
  | { readonly kind: 'keys'; readonly text: string; readonly set: KeySet }
  | { readonly kind: 'failed'; readonly why: string }

/**
 * Fetches an issuer's key set, by discovery where no address is configured (OIDC Discovery §4, RFC 8414 §3).
 * @returns the set, or why there is none. Never rejects.
 */
export const fetchKeyDocument = async (place: KeyPlace, ports: FetchPorts): Promise<KeyDocument> => {
  const found = place.jwksUri === undefined ? await discover(place.issuer, ports) : place.jwksUri
  if (typeof found !== 'string') return found
  const fetched = await fetchText(found, ports)
  if (fetched.kind === 'failed') return failed(`key set: ${fetched.why}`)
  const set = readKeySet(parse(fetched.text))
  return set === undefined ? failed('key set: it is no JWK set') : { kind: 'keys', text: fetched.text, set }
}

type Failed = Extract<KeyDocument, { kind: 'failed' }>

const failed = (why: string): Failed => ({ kind: 'failed', why })

const discover = async (issuer: string, ports: FetchPorts): Promise<string | Failed> => {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  const fetched = await fetchText(`${base}/.well-known/openid-configuration`, ports)
  if (fetched.kind === 'failed') return failed(`discovery: ${fetched.why}`)
  const metadata = parse(fetched.text)
  if (!isObject(metadata)) return failed('discovery: it is no JSON object')
  if (ownValue(metadata, 'issuer') !== issuer) return failed('discovery: it names another issuer')
  const jwksUri = ownValue(metadata, 'jwks_uri')
  if (typeof jwksUri !== 'string') return failed('discovery: it has no `jwks_uri`')
  if (URL.parse(jwksUri)?.origin !== URL.parse(issuer)?.origin) {
    return failed('discovery: `jwks_uri` is on another origin; configure `jwksUri` if that is right')
  }
  return jwksUri
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

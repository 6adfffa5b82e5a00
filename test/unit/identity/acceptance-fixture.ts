import type { Acceptance } from '../../../src/identity/verified.ts'
import type { Carried } from '../../../src/identity/carried.ts'
import type { IssuerSource, ProviderSource } from '../../../src/identity/source.ts'
import { STANDARD_CLAIMS } from '../../../src/config/decode-sources.ts'
import type { CredentialKind } from '../../../src/policy/credential-kind.ts'
import { normalizeHost, type HostName } from '../../../src/policy/host-pattern.ts'
import { readSetOf } from '../../../src/policy/read-set.ts'
import type { Route, Section } from '../../../src/policy/route.ts'
import { NOW_SECONDS } from './session-fixture.ts'

export const hostOf = (name: string): HostName => {
  const host = normalizeHost(name)
  if (host === undefined) throw new Error(`no host: ${name}`)
  return host
}

export const acceptanceOf = (
  changes: {
    accepts?: readonly CredentialKind[]
    issuers?: readonly string[]
    host?: string
    nowSeconds?: number
    route?: string
  } = {},
): Acceptance => {
  const section: Section = {
    route: changes.route ?? 'app',
    path: { text: '/', segments: [], below: true } as unknown as Section['path'],
    accepts: changes.accepts ?? ['session', 'bearer'],
    echo: ['authorization'],
    passthroughBasic: false,
    deny: [],
    allow: [],
    reads: readSetOf([]),
  }
  const route: Route = {
    id: changes.route ?? 'app',
    owner: undefined,
    hosts: [],
    issuers: changes.issuers,
    identity: {
      user: 'X-Auth-Request-User',
      email: '',
      groups: '',
      preferredUsername: '',
      assertion: '',
      groupSeparator: ',',
      claims: {},
      anonymousUser: undefined,
    },
    signin: 'location',
    log: 'all',
    audit: 'best-effort',
    origins: undefined,
    sections: [section],
    claims: [],
  }
  return {
    route,
    section,
    host: hostOf(changes.host ?? 'app.example.com'),
    nowMs: (changes.nowSeconds ?? NOW_SECONDS) * 1000,
  }
}

export const carriedOf = (changes: Partial<Carried> = {}): Carried => ({
  authorization: undefined,
  proxyAuthorization: undefined,
  apiKey: undefined,
  cookies: [],
  ...changes,
})

export const providerOf = (changes: Partial<ProviderSource> = {}): ProviderSource => ({
  kind: 'provider',
  id: 'corp',
  issuer: 'https://idp.example.com',
  clientId: 'postern',
  claims: Object.fromEntries([...STANDARD_CLAIMS, 'groups'].map((name) => [name, name])),
  isDefault: true,
  emailTrusted: false,
  mfa: undefined,
  ...changes,
})

export const issuerOf = (changes: Partial<IssuerSource> = {}): IssuerSource => ({
  kind: 'issuer',
  id: 'ci',
  issuer: 'https://token.example.com',
  audiences: ['postern-test'],
  credential: 'bearer',
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  jwksUri: undefined,
  subjects: 'machines',
  tokenTypes: ['at+jwt', 'jwt'],
  maxTokenAgeSeconds: undefined,
  claims: { sub: 'sub', groups: 'groups', email: 'email' },
  isDefault: true,
  emailTrusted: false,
  mfa: undefined,
  ...changes,
})

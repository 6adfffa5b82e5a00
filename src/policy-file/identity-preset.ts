// Header presets: the names under which well-known applications take an identity. An empty name is not sent.
import type { IdentityHeaderNames } from '../policy/route.ts'
import type { IDENTITY_PRESETS, IdentityEntry } from './schema.ts'

type PresetName = (typeof IDENTITY_PRESETS)[number]

const DEFAULT: IdentityHeaderNames = {
  user: 'X-Auth-Request-User',
  email: 'X-Auth-Request-Email',
  groups: 'X-Auth-Request-Groups',
  preferredUsername: 'X-Auth-Request-Preferred-Username',
  assertion: 'X-Postern-Assertion',
  groupSeparator: ',',
  claims: {},
  anonymousUser: undefined,
}

/** The names of each preset. */
export const IDENTITY_PRESET: Readonly<Record<PresetName, IdentityHeaderNames>> = {
  default: DEFAULT,
  // `[auth.jwt] header_name = X-Postern-Assertion`, or `[auth.proxy]` with these names.
  grafana: {
    ...DEFAULT,
    user: 'X-WEBAUTH-USER',
    email: 'X-WEBAUTH-EMAIL',
    groups: 'X-WEBAUTH-GROUPS',
    preferredUsername: '',
    claims: { 'X-WEBAUTH-NAME': 'name' },
  },
  // The reverse-proxy-auth plugin's own defaults, its delimiter included.
  jenkins: {
    ...DEFAULT,
    user: 'X-Forwarded-User',
    email: 'X-Forwarded-Mail',
    groups: 'X-Forwarded-Groups',
    preferredUsername: '',
    groupSeparator: '|',
    claims: { 'X-Forwarded-DisplayName': 'name' },
  },
  'remote-user': {
    ...DEFAULT,
    user: 'Remote-User',
    email: 'Remote-Email',
    groups: 'Remote-Groups',
    preferredUsername: '',
    claims: { 'Remote-Name': 'name' },
  },
}

/** The names of a route: a preset, or a preset with some names of its own. */
export const identityNames = (entry: IdentityEntry | undefined): IdentityHeaderNames => {
  if (entry === undefined) return DEFAULT
  if (typeof entry === 'string') return IDENTITY_PRESET[entry]
  const base = IDENTITY_PRESET[entry.preset ?? 'default']
  const named = (own: string | false | undefined, preset: string): string =>
    own === false ? '' : (own ?? preset)
  return {
    user: named(entry.user, base.user),
    email: named(entry.email, base.email),
    groups: named(entry.groups, base.groups),
    preferredUsername: named(entry.preferredUsername, base.preferredUsername),
    assertion: named(entry.assertion, base.assertion),
    groupSeparator: entry.groupSeparator ?? base.groupSeparator,
    claims: entry.claims ?? base.claims,
    anonymousUser: entry.anonymousUser,
  }
}

/** Every header that these names send, in the order of the set. */
export const sentHeaders = (names: IdentityHeaderNames): readonly string[] =>
  [
    names.user,
    names.email,
    names.groups,
    names.preferredUsername,
    names.assertion,
    ...Object.keys(names.claims),
  ].filter((header) => header !== '')

/** Claims that the headers and the signed assertion read. */
export const headerClaims = (names: IdentityHeaderNames): readonly string[] => {
  const asserted = names.assertion !== ''
  return [
    ...(names.user !== '' || asserted ? ['user'] : []),
    ...(names.email !== '' || asserted ? ['email'] : []),
    ...(names.groups !== '' || asserted ? ['groups'] : []),
    ...(names.preferredUsername === '' ? [] : ['preferred_username']),
    ...Object.values(names.claims),
  ]
}

// Headers that mean something to proxies, caches or Postern itself.
const RESERVED =
  /^(?:authorization|cookie|set-cookie|host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|location|www-authenticate|proxy-.*|cache-control|expires|date|server|vary|retry-after|x-accel-.*|x-postern-(?!assertion$).*|x-original-.*|x-real-ip|forwarded|x-forwarded-(?:for|host|proto|port|uri|method|server|prefix))$/i

/** True where an application must not take its identity from a header of this name. */
export const isReservedHeader = (header: string): boolean => RESERVED.test(header)

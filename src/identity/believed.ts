// Which sources a route believes.
import type { Route } from '../policy/route.ts'
import type { IdentitySource } from './source.ts'

/** True where the route names the source, or names none and it is a default one. */
export const believes = (route: Pick<Route, 'issuers'>, source: IdentitySource): boolean =>
  route.issuers === undefined ? source.isDefault : route.issuers.includes(source.id)

// Which path of the decision listener speaks which dialect. The path says it, never a header: a client can write any
// header that another proxy would have set.
import type { DialectName, ReadExchange } from './exchange.ts'
import { EXT_PREFIX, readExt } from './ext.ts'
import { readForward } from './forward.ts'
import { readNginx } from './nginx.ts'
import { pathOf } from './request-target.ts'

/** One way in which a proxy asks. */
export interface Dialect {
  readonly name: DialectName
  readonly read: ReadExchange
}

const EXT: Dialect = { name: 'ext', read: readExt }

const EXACT: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['/authz/nginx', { name: 'nginx', read: readNginx }],
  ['/authz/forward', { name: 'forward', read: readForward }],
  [EXT_PREFIX, EXT],
])

/**
 * Picks the dialect of a request.
 * @param target the raw request target: nothing decoded, no dots resolved (`/authz/ext/../x` stays ext)
 * @returns undefined for any other path and for a target in absolute form. Never throws.
 */
export const dialectOf = (target: string): Dialect | undefined =>
  target.startsWith(`${EXT_PREFIX}/`) ? EXT : EXACT.get(pathOf(target))

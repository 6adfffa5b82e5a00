// What cached decisions about one caller say alike is kept once: a caller's principal and headers are most of an entry.
import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Ruling } from './ruling.ts'

/** A browser asks for many things in a row; those who asked last are enough. */
const CALLERS = 1_000

/** Gives a ruling the parts of an earlier one that are equal. */
export type SameCaller = (caller: string, ruling: Ruling) => Ruling

/**
 * Makes the sharing of equal parts.
 * @returns a function that finds an earlier ruling by any name of the caller. What differs in the least is left as it is,
 * so that a name which stands for two callers joins nothing. Never throws.
 */
export const makeSameCaller = (): SameCaller => {
  const last = new LRUCache<string, Ruling>({ max: CALLERS })
  return (caller, ruling) => {
    const before = last.get(caller)
    const joined =
      before === undefined
        ? ruling
        : {
            ...ruling,
            verified: equalOf(before.verified, ruling.verified),
            identityHeaders: equalOf(before.identityHeaders, ruling.identityHeaders),
          }
    last.set(caller, joined)
    return joined
  }
}

const equalOf = <Part>(before: Part, now: Part): Part => (isDeepStrictEqual(before, now) ? before : now)

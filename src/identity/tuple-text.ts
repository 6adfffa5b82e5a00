// One text out of several, so that bytes can never move from one field into the next.

/**
 * Encodes a tuple with the length of each part before it.
 * @param parts untrusted texts; an undefined part differs from an empty one
 * @returns an injective encoding: distinct tuples give distinct texts. Never throws.
 */
export const tupleText = (parts: readonly (string | undefined)[]): string => {
  let text = ''
  for (const part of parts) text += part === undefined ? '-' : `${part.length}:${part}`
  return text
}

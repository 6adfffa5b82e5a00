// JSON with one meaning. `JSON.parse` takes the last of two equal keys where another reader takes the first, and
// replaces bytes that are not UTF-8: two parties would read two tokens (RFC 7519 §4, RFC 8725 §2.8).

/** A parsed object; read it with {@link ownValue} only, its keys are untrusted. */
export type JsonObject = Readonly<Record<string, unknown>>

export type JsonReading =
  | { readonly kind: 'object'; readonly value: JsonObject; readonly hasDuplicateKeys: boolean }
  | { readonly kind: 'not-an-object' }

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a JSON object.
 * @param bytes untrusted; the caller bounds their number
 * @returns the object, with a flag where some object in it names a key twice; `not-an-object` for anything else, for
 *   bad UTF-8 and for a byte order mark. Never throws.
 */
export const readJsonObject = (bytes: Uint8Array): JsonReading => {
  try {
    const text = UTF8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) return { kind: 'not-an-object' }
    return { kind: 'object', value, hasDuplicateKeys: hasDuplicateKeys(text) }
  } catch {
    return { kind: 'not-an-object' }
  }
}

/** The value of a key that the object itself has; undefined otherwise. Never throws. */
export const ownValue = (object: JsonObject, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined

/** True for a plain JSON object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A string with its colon where it is a key, or a bracket. Linear: no two alternatives start alike. */
const TOKEN = /"((?:[^"\\]|\\.)*)"\s*(:)?|[{}[\]]/g

/** @param text valid JSON */
const hasDuplicateKeys = (text: string): boolean => {
  const open: (Set<string> | undefined)[] = []
  for (const [token, string, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined && string !== undefined) {
      const keys = open.at(-1)
      const key = string.includes('\\') ? String(JSON.parse(`"${string}"`)) : string
      if (keys?.has(key) === true) return true
      keys?.add(key)
    }
  }
  return false
}

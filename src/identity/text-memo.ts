// Remembers what was made of a text. Bounded in bytes: what was not asked for lately is forgotten, half of it at a time,
// so that remembering costs one look-up and no list.

/** What one entry takes beside its characters. */
const ENTRY_BYTES = 128

interface Entry {
  readonly text: string
  readonly answer: string
}

/**
 * Puts a memory before a pure function.
 * @param make always the same answer for the same text
 * @param maxBytes of all texts and answers together; what alone would take a quarter of it is never kept
 * @param keyOf a short part in which texts usually differ; the whole text is compared in any case, so that two texts with
 *   one key only forget each other
 * @returns the same function. Never throws where `make` does not.
 */
export const makeTextMemo = (
  make: (text: string) => string,
  maxBytes: number,
  keyOf: (text: string) => string,
): ((text: string) => string) => {
  let young = new Map<string, Entry>()
  let old = young
  let youngBytes = 0
  const keep = (key: string, text: string, answer: string): string => {
    const bytes = ENTRY_BYTES + text.length + answer.length
    if (bytes > maxBytes / 4) return answer
    if (youngBytes + bytes > maxBytes / 2) {
      old = young
      young = new Map()
      youngBytes = 0
    }
    youngBytes += bytes
    young.set(key, { text, answer })
    return answer
  }
  return (text) => {
    const key = keyOf(text)
    const entry = young.get(key)
    if (entry?.text === text) return entry.answer
    const older = old.get(key)
    return keep(key, text, older?.text === text ? older.answer : make(text))
  }
}

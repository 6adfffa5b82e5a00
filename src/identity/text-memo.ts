// Remembers what was made of a text, from the second time that it is asked for: whoever invents a text for each request
// neither fills the memory nor drives out what others come back with. Bounded in bytes: what was not asked for lately is
// forgotten, half of it at a time, so that remembering costs one look-up and no list.

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
  const seenBefore = makeSeenBefore()
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
    if (older?.text === text) return keep(key, text, older.answer)
    return seenBefore(key) ? keep(key, text, make(text)) : make(text)
  }
}

/** Slots for what was seen lately; 32 KiB, whatever comes. */
const SLOTS = 8192

/** Tells whether a key was seen lately; by its hash, so that it may err either way and only costs or spares a memory. */
const makeSeenBefore = (): ((key: string) => boolean) => {
  const slots = new Int32Array(SLOTS)
  return (key) => {
    const code = hashOf(key)
    const slot = code & (SLOTS - 1)
    if (slots[slot] === code) return true
    slots[slot] = code
    return false
  }
}

/** FNV-1a; never 0, which an empty slot holds. */
const hashOf = (key: string): number => {
  let code = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1)
    code = Math.imul(code ^ key.charCodeAt(index), 0x01000193)
  return code | 0 || 1
}

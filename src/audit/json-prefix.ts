// Whether a text may be the begin of a JSON object that broke off: what is whole, or could never become whole, did not.

const STRING = /"(?:[^"\\]|\\.)*"/g
/** What may stand between strings, each of which is an `S` here. Our lines have no white space. */
const BETWEEN = /^[{}[\],:\d.eE+\-truefalsnS]*$/
/** A string is followed by what separates it from the next. */
const GLUED = /S[^,:}\]]/

/**
 * Tells a begin from a whole object and from nonsense. It looks at strings and brackets, not closer.
 * @param text untrusted. Never throws.
 */
export const isJsonPrefix = (text: string): boolean => {
  const [bare = ''] = text.replaceAll(STRING, 'S').split('"', 1)
  if (!BETWEEN.test(bare) || GLUED.test(bare)) return false
  let depth = 0
  for (const char of bare) {
    if (char === '{' || char === '[') depth += 1
    if (char === '}' || char === ']') depth -= 1
    if (depth <= 0) return false
  }
  return depth > 0
}

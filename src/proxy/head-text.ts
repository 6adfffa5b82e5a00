// The head of an answer as one text, for whoever writes it to a socket by himself. Everything that Node would refuse,
// or would act upon, is left to Node.
import type { Answer } from './answer.ts'

/** Field value and field name as Node lets them pass (RFC 9110 §5.5, §5.6.2): no line break gets in. */
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Names that change what Node adds to a head, or how it ends a connection. */
const ACTED_UPON: ReadonlySet<string> = new Set([
  'connection',
  'date',
  'expect',
  'keep-alive',
  'trailer',
  'transfer-encoding',
])

/**
 * Writes the header lines of an answer, each with its line break.
 * @returns undefined where some name or value is not plainly one: the caller then leaves the answer to Node, which refuses
 *   it. Never throws.
 */
export const headText = ({ headers, shared }: Answer): string | undefined => {
  const tail = shared === undefined ? '' : sharedText(shared)
  if (tail === undefined) return undefined
  const own = linesOf(headers, headers.length - (shared?.length ?? 0))
  return own === undefined ? undefined : own + tail
}

/** A list that many answers share is checked and joined once. */
const sharedTexts = new WeakMap<readonly string[], string>()

const sharedText = (shared: readonly string[]): string | undefined => {
  const known = sharedTexts.get(shared)
  if (known !== undefined) return known
  const text = linesOf(shared, shared.length)
  if (text !== undefined) sharedTexts.set(shared, text)
  return text
}

const linesOf = (headers: readonly string[], length: number): string | undefined => {
  let text = ''
  for (let index = 0; index < length; index += 2) {
    const name = headers[index]
    const value = headers[index + 1]
    if (name === undefined || value === undefined || !isPlainName(name) || !VALUE.test(value))
      return undefined
    text += `${name}: ${value}\r\n`
  }
  return text
}

const NAMES_KEPT = 1_000
const names = new Map<string, boolean>()

/** Names come from this program and from policy files, never from a request: there are few. */
const isPlainName = (name: string): boolean => {
  const known = names.get(name)
  if (known !== undefined) return known
  const isPlain = NAME.test(name) && !ACTED_UPON.has(name.toLowerCase())
  if (names.size >= NAMES_KEPT) names.clear()
  names.set(name, isPlain)
  return isPlain
}

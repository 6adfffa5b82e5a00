// Scalars that two YAML readers take for two different things: they are refused, never repaired.
import type { Scalar } from 'yaml'
import { valueFault, type PlacedFault } from './yaml-fault.ts'
import { rangeOfNode } from './yaml-range.ts'

const QUOTE = 'put it in quotes if it is text'

/** Keys whose values are dates, so that a date without quotes is meant. */
const DATE_KEYS: ReadonlySet<string | undefined> = new Set(['until', 'review', 'at', 'expires', 'created'])

/** What YAML 1.1 reads as a boolean, a date, a base-60 or grouped number, and YAML 1.2 as text. */
const OTHERWISE_READ =
  /^(?:y|yes|n|no|on|off)$|^[-+]?\d[\d_]*_[\d_]*$|^[-+]?0b[01_]+$|^[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?$/i
const DATE_LIKE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/

/** Judges a plain scalar; `key` is the nearest key above. Never throws. */
export const scalarFault = (node: Scalar.Parsed, key: string | undefined): PlacedFault | undefined => {
  if (node.type !== 'PLAIN') return undefined
  const { value, source } = node
  const range = rangeOfNode(node)
  if (typeof value === 'string') {
    if (OTHERWISE_READ.test(value))
      return valueFault(
        range,
        `\`${value}\` without quotes`,
        'other YAML readers take it for something else',
        QUOTE,
      )
    if (DATE_LIKE.test(value) && !DATE_KEYS.has(key))
      return valueFault(
        range,
        `the date \`${value}\` where no date belongs`,
        'other YAML readers take it for a date',
        QUOTE,
      )
    return undefined
  }
  // The core schema knows no other types.
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined
  if (source === String(value)) return undefined
  const why = `it would be read as \`${String(value)}\``
  return valueFault(range, `\`${source}\` is not written as it is read`, why, QUOTE)
}

// The log read back: text → records, each fault named by its line. A line of another maker is no record, and no error.
import { z } from 'zod'
import { EVENT_TYPES } from './record.ts'

const lineSchema = z.looseObject({
  v: z.literal(1),
  type: z.enum(EVENT_TYPES),
  ts: z.iso.datetime(),
  seq: z.int().positive(),
  w: z.string(),
})

const decisionSchema = lineSchema.extend({
  type: z.literal('decision'),
  id: z.string(),
  decision: z.enum(['allow', 'challenge', 'deny', 'indeterminate']),
  status: z.int(),
  reason: z.string(),
  route: z.string().optional(),
  section: z.string().optional(),
  rule: z.string().optional(),
  host: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  policy: z.string(),
  sub: z.looseObject({ kind: z.string(), id: z.string().optional() }),
  attrs: z.record(z.string(), z.unknown()).optional(),
})

/** A line as it was written, of any event type. */
export type LogLine = z.infer<typeof lineSchema>
export type DecisionLine = z.infer<typeof decisionSchema>

export type ReadLine =
  | { readonly kind: 'decision'; readonly line: DecisionLine; readonly number: number }
  | { readonly kind: 'event'; readonly line: LogLine; readonly number: number }
  | { readonly kind: 'foreign'; readonly number: number; readonly why: string }

/**
 * Reads one line of a log.
 * @param text untrusted, without its line break
 * @param number of the line, from 1. Never throws.
 */
export const readLine = (text: string, number: number): ReadLine => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'foreign', number, why: 'the line is not JSON' }
  }
  const line = lineSchema.safeParse(value)
  if (!line.success) return { kind: 'foreign', number, why: 'the line is not of this log' }
  if (line.data.type !== 'decision') return { kind: 'event', line: line.data, number }
  const decision = decisionSchema.safeParse(value)
  return decision.success
    ? { kind: 'decision', line: decision.data, number }
    : {
        kind: 'foreign',
        number,
        why: `the decision lacks ${decision.error.issues[0]?.path.join('.') ?? 'a field'}`,
      }
}

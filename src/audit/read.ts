// The log read back: text → records, each fault named by its line. A line of another maker is no record, and no error.
import { z } from 'zod'
import { CREDENTIAL_KINDS } from '../policy/credential-kind.ts'
import { EVENT_TYPES } from './record.ts'

const lineSchema = z.looseObject({
  v: z.literal(1),
  type: z.enum(EVENT_TYPES),
  ts: z.iso.datetime(),
  seq: z.int().positive(),
  w: z.string(),
})

const subjectSchema = z.looseObject({
  kind: z.string(),
  id: z.string().optional(),
  cred: z.enum(CREDENTIAL_KINDS).optional(),
  client: z.string().optional(),
  ev: z.boolean().optional(),
  amr: z.array(z.string()).optional(),
  acr: z.string().optional(),
  mfa: z.boolean().optional(),
  age: z.int().optional(),
  asked: z.object({ rule: z.string(), age: z.int() }).optional(),
  note: z.string().optional(),
})

/** The values of a claim, or the state that it was in. */
const attributeSchema = z.union([
  z.array(z.union([z.string(), z.number(), z.boolean()])),
  z.looseObject({ state: z.enum(['absent', 'not-captured', 'not-assertable', 'cut']) }),
])

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
  served: z.string().optional(),
  asserted: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  cut: z.array(z.string()).optional(),
  preflight: z.boolean().optional(),
  origin: z.string().optional(),
  policy: z.string(),
  sub: subjectSchema,
  attrs: z.record(z.string(), attributeSchema).optional(),
  src: z.looseObject({ ip: z.string().optional() }).optional(),
  note: z.string().optional(),
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

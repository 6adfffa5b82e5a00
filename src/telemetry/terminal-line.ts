// A line of the service log for a person: `21:40:00.123 warn  the message  key=value`.

/**
 * Rewrites a line of JSON for a terminal; control characters stay escapes.
 * @param json what the logger made. Never throws: what is no JSON object is shown as it is.
 */
export const terminalLine = (json: string): string => {
  const fields = parse(json)
  if (fields === undefined) return json
  const { time, level, msg, ...rest } = fields
  const pairs = Object.entries(rest).map(([key, value]) => `  ${key}=${shown(value)}`)
  return `${shown(time).slice(11, 23)} ${shown(level).padEnd(5)} ${shown(msg)}${pairs.join('')}\n`
}

const parse = (json: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    JSON.stringify(character).slice(1, -1),
  )
}

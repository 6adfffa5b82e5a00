// Durations as policies write them: `90s`, `5m`, `8h`, `1h30m`, `7d`.

const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/

/**
 * Parses a duration.
 * @returns seconds, at least 1; undefined for anything else. Never throws.
 */
export const parseDurationSeconds = (text: string): number | undefined => {
  const parts = text === '' ? null : DURATION.exec(text)
  if (parts === null) return undefined
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0))
  const total = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
  return total > 0 ? total : undefined
}

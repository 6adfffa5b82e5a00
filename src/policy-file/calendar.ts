// Dates as people write them in policies: a date is the last valid day, whole, UTC; an RFC 3339 instant is exact.

const DAY_MS = 86_400_000

/** A day of the calendar, or an instant. */
export type Moment =
  | { readonly kind: 'day'; readonly startMs: number }
  | { readonly kind: 'instant'; readonly atMs: number }

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/
const INSTANT = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * Parses `2027-01-31` or an RFC 3339 instant with its offset (RFC 3339 §5.6).
 * @param text untrusted
 * @returns undefined for anything else, days that no calendar has included. Never throws.
 */
export const parseMoment = (text: string): Moment | undefined => {
  const day = dayStartMs(text)
  if (day !== undefined) return { kind: 'day', startMs: day }
  const parts = INSTANT.exec(text)
  if (parts === null) return undefined
  const [, date = '', hours, minutes, seconds, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    parts
  const start = dayStartMs(date)
  const clock = clockMs(Number(hours), Number(minutes), Number(seconds))
  const offset = clockMs(Number(offsetHours), Number(offsetMinutes), 0)
  if (start === undefined || clock === undefined || offset === undefined) return undefined
  const fractionMs = fraction === '' ? 0 : Math.floor(Number(`0${fraction}`) * 1000)
  return { kind: 'instant', atMs: start + clock + fractionMs - (sign === '-' ? -offset : offset) }
}

const dayStartMs = (text: string): number | undefined => {
  const parts = DAY.exec(text)
  if (parts === null) return undefined
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const start = Date.UTC(year, month - 1, day)
  const exists =
    year >= 1970 && new Date(start).getUTCMonth() === month - 1 && new Date(start).getUTCDate() === day
  return exists ? start : undefined
}

const clockMs = (hours: number, minutes: number, seconds: number): number | undefined =>
  hours <= 23 && minutes <= 59 && seconds <= 59 ? ((hours * 60 + minutes) * 60 + seconds) * 1000 : undefined

/** The first instant that is no longer valid: the day after a date, or the instant itself. */
export const endMs = (moment: Moment): number =>
  moment.kind === 'day' ? moment.startMs + DAY_MS : moment.atMs

/** An instant inside the moment: noon of a day. */
export const withinMs = (moment: Moment): number =>
  moment.kind === 'day' ? moment.startMs + DAY_MS / 2 : moment.atMs

/** Whole days from now until the end, rounded down; negative where it is over. */
export const daysLeft = (endsAtMs: number, nowMs: number): number => Math.floor((endsAtMs - nowMs) / DAY_MS)

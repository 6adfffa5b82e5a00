// The text of a scrape: Prometheus text format 0.0.4, or OpenMetrics 1.0 for whoever asks for it. Written by hand, since a
// library takes several times as long for many series, and decisions wait meanwhile.

export type Format = 'prometheus' | 'openmetrics'

export interface Sample {
  /** What follows the name of the family: `_bucket`, `_sum` and `_count` of a histogram or summary. */
  readonly suffix?: string
  /** In the order of the label names. */
  readonly labels: readonly (string | number)[]
  readonly value: number
}

/** All series of one name. */
export interface Family {
  /** With `_total` where it is a counter. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly series: () => readonly Series[]
}

/** Samples with the same label names. */
export interface Series {
  readonly labelNames: readonly string[]
  readonly samples: readonly Sample[]
}

export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What stands at the end of a whole scrape. */
export const END: Readonly<Record<Format, string>> = { prometheus: '', openmetrics: '# EOF\n' }

/** So many samples are written in one go: well under a millisecond. */
const SAMPLES_AT_ONCE = 500

/**
 * Writes one family, piece by piece, so that whoever has something more urgent to do can do it in between.
 * @returns pieces of the text, the last of which ends in a line break. Never throws.
 */
export function* familyPieces({ name, help, type, series }: Family, format: Format): Generator<string> {
  // OpenMetrics names a counter without `_total`, and its samples with it.
  const bare = type === 'counter' && format === 'openmetrics' ? name.replace(/_total$/, '') : name
  const sampleName = type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name
  let text = `# HELP ${bare} ${escapedHelp(help)}\n# TYPE ${bare} ${type}\n`
  let inText = 0
  for (const { labelNames, samples } of series()) {
    const before = labelNames.map((label, index) => `${index === 0 ? '{' : '",'}${label}="`)
    for (const { suffix = '', labels, value } of samples) {
      text += `${sampleName}${suffix}${labelsText(before, labels, format)} ${numberText(value)}\n`
      inText += 1
      if (inText < SAMPLES_AT_ONCE) continue
      yield text
      text = ''
      inText = 0
    }
  }
  yield text
}

/** @param before what stands before each value */
const labelsText = (
  before: readonly string[],
  labels: readonly (string | number)[],
  format: Format,
): string => {
  if (before.length === 0) return ''
  let text = ''
  for (let index = 0; index < before.length; index += 1)
    text += (before[index] ?? '') + labelText(labels[index] ?? '', format)
  return `${text}"}`
}

const labelText = (value: string | number, format: Format): string => {
  if (typeof value === 'string') return NEEDS_ESCAPE.test(value) ? escaped(value) : value
  // A bound is a number: OpenMetrics writes whole ones as `1.0`.
  return format === 'openmetrics' && Number.isInteger(value) ? `${value}.0` : numberText(value)
}

const NEEDS_ESCAPE = /["\\\n]/

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const numberText = (value: number): string => {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/**
 * Chooses the format that a scraper likes best (RFC 9110 §12.5.1).
 * @param accept its header; untrusted
 * @returns OpenMetrics only where it is named and not liked less than plain text. Never throws.
 */
export const formatFor = (accept: string | undefined): Format => {
  const ranges = (accept ?? '').split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((one) => one.startsWith('q='))?.slice(2)
    const version = parameters.find((one) => one.startsWith('version='))?.slice(8)
    return { type, version, quality: quality === undefined ? 1 : Number(quality) || 0 }
  })
  const best = (fits: (range: (typeof ranges)[number]) => boolean): number =>
    Math.max(0, ...ranges.filter(fits).map(({ quality }) => quality))
  const open = best(
    ({ type, version }) =>
      type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'),
  )
  return open > 0 && open >= best(({ type }) => type === 'text/plain') ? 'openmetrics' : 'prometheus'
}

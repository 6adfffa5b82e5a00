// A proxy, a framework and a servlet container read one path in different ways. The engine looks at all of them:
// the closure of decoding, `\` as `/` and dropping `;parameters` over the raw and the resolved path. Whoever reads
// it in whichever way, the strictest reading answers. (Rules §1; CVE-2020-24660, CVE-2026-33494, CVE-2025-66490.)

/** Every reading of one request path. `views` are folded (ASCII lower case, no trailing slash). */
export interface PathViews {
  /** The path as the client sent it: latin1 characters, one for each byte, without query. */
  readonly raw: string
  readonly views: readonly [string, ...string[]]
  /** True where a bypass must not hold: not UTF-8, an encoded or literal `#` or `?`, control bytes after a decode. */
  readonly opaque: boolean
}

export type PathReading =
  | { readonly kind: 'read'; readonly path: PathViews }
  | { readonly kind: 'malformed'; readonly why: string }

const MAX_PATH_BYTES = 8192
const MAX_VIEWS = 16
/** Of all readings together: a long path of many readings would keep the thread busy. */
const MAX_VIEW_BYTES = 32_768
// Segments of plain characters, none of them `.` or `..`: such a path has one reading.
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.~!$&'()*+,=:@-]+)*\/?$/
// oxlint-disable-next-line no-control-regex -- raw control bytes are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * Reads the path of a request target into all its views.
 * @param raw untrusted: everything before the first `?`, one character for each byte
 * @returns the views, or `malformed` with the reason; never throws
 */
export const readPath = (raw: string): PathReading => {
  if (raw.length > MAX_PATH_BYTES) return malformed('the path is longer than 8 KiB')
  if (!raw.startsWith('/')) return malformed('the path does not start with a slash')
  if (PLAIN.test(raw)) return { kind: 'read', path: { raw, views: [foldPath(raw)], opaque: false } }
  if (CONTROL.test(raw)) return malformed('the path holds a control byte')
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return malformed('the path holds a bad percent escape')
  if (raw.includes('%00')) return malformed('the path holds an encoded NUL byte')
  return closure(raw)
}

const malformed = (why: string): PathReading => ({ kind: 'malformed', why })

const closure = (raw: string): PathReading => {
  const fragment = raw.indexOf('#')
  const starts = fragment < 0 ? [raw] : [raw.slice(0, fragment), raw]
  const found = new Set<string>(starts)
  const queue = [...starts]
  let bytes = starts.reduce((sum, start) => sum + start.length, 0)
  const add = (view: string | undefined): boolean => {
    if (view === undefined) return false
    if (!found.has(view)) {
      found.add(view)
      queue.push(view)
      bytes += view.length
    }
    return found.size <= MAX_VIEWS && bytes <= MAX_VIEW_BYTES
  }
  for (let view = queue.shift(); view !== undefined; view = queue.shift()) {
    for (const reading of readingsOf(view)) {
      if (!add(reading)) return malformed('the path climbs above the root or has too many readings')
    }
  }
  const views = [...new Set([...found].map(foldPath))]
  const [first = '/', ...rest] = views
  return {
    kind: 'read',
    path: { raw, views: [first, ...rest], opaque: fragment >= 0 || [...found].some(isOpaque) },
  }
}

/**
 * What one reader after another makes of a view. Some decode and do not resolve; some resolve and do not merge
 * slashes, so that `..` takes an empty segment away and not the one before it (RFC 3986 §5.2.4, WHATWG URL).
 */
const readingsOf = (view: string): readonly (string | undefined)[] => [
  resolveDots(view, 'merge'),
  resolveDots(view, 'keep'),
  percentDecode(view),
  view.replaceAll('\\', '/'),
  view.replaceAll(/;[^/]*/g, ''),
  view.replaceAll(/\/{2,}/g, '/'),
]

const percentDecode = (view: string): string =>
  view.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Resolves `.` and `..`; undefined where the path climbs above the root. */
const resolveDots = (view: string, emptySegments: 'merge' | 'keep'): string | undefined => {
  const kept: string[] = []
  const segments = view.split('/').slice(1)
  for (const segment of segments) {
    if (segment === '.' || (segment === '' && emptySegments === 'merge')) continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined) return undefined
  }
  const last = segments.at(-1)
  const directory = last === '.' || last === '..' || (last === '' && emptySegments === 'merge')
  return `/${kept.join('/')}${directory && kept.length > 0 ? '/' : ''}`
}

const isOpaque = (view: string): boolean => CONTROL.test(view) || /%23|%3f|[#?]/i.test(view) || !isUtf8(view)

/** Folds ASCII case and one trailing slash; `/` stays `/`. Views and patterns are folded alike. */
export const foldPath = (path: string): string => {
  const lower = /[A-Z]/.test(path) ? path.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : path
  return lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower
}

// Well-formed byte sequences of Unicode 15 table 3-7: no overlong forms, no surrogates.
const UTF8 =
  // oxlint-disable-next-line no-control-regex -- the ASCII range belongs to UTF-8
  /^(?:[\u0000-\u007f]|[\u00c2-\u00df][\u0080-\u00bf]|\u00e0[\u00a0-\u00bf][\u0080-\u00bf]|[\u00e1-\u00ec\u00ee\u00ef][\u0080-\u00bf]{2}|\u00ed[\u0080-\u009f][\u0080-\u00bf]|\u00f0[\u0090-\u00bf][\u0080-\u00bf]{2}|[\u00f1-\u00f3][\u0080-\u00bf]{3}|\u00f4[\u0080-\u008f][\u0080-\u00bf]{2})*$/

const isUtf8 = (bytes: string): boolean => UTF8.test(bytes)

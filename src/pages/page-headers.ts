// Headers of every page and every problem document: nothing is framed, sniffed, cached or loaded from elsewhere.
import { SCRIPT_SOURCE } from './script.ts'
import { STYLE_SOURCE } from './style.ts'

export type HeaderPair = readonly [string, string]

const POLICY = [
  "default-src 'none'",
  `style-src ${STYLE_SOURCE}`,
  `script-src ${SCRIPT_SOURCE}`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/**
 * The security headers (OWASP ASVS 5.0 §3.4).
 * @param secure true where browsers reach us by https: HSTS is sent only then (RFC 6797 §7.2)
 */
export const pageHeaders = (secure: boolean): readonly HeaderPair[] => [
  ['content-security-policy', POLICY],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=()'],
  ['x-robots-tag', 'noindex'],
  ['cache-control', 'no-store'],
  ...(secure ? [['strict-transport-security', 'max-age=31536000'] as const] : []),
]

// `Connection` may name headers that a proxy drops on its way to the application: after we decided by them, or after we
// wrote them.

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  '',
  'close',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'transfer-encoding',
  'http2-settings',
  'proxy-connection',
])

/**
 * Finds a header that `Connection` asks the proxy to drop (CVE-2021-32813, CVE-2024-45410): whoever names one there
 * wants an identity or forwarded header gone, in any case of letters.
 * @returns its lower-case name, or undefined where only connection options are named. Never throws.
 */
export const droppedByConnection = (connection: string | undefined): string | undefined => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return connection
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .find((token) => !HOP_BY_HOP.has(token))
}

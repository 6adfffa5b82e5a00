// What leaves for an identity provider, and how much of its answer is read. Redirects are not followed, plain http goes
// to this machine only, and nothing goes to link-local addresses, where clouds keep their keys (CVE-2026-41413).
import type { CustomFetch } from 'openid-client'
import { isLocalhost } from './return-to.ts'

const MAX_RESPONSE_BYTES = 1_048_576

/** True for an address of this machine: the only one that may be reached by plain http. */
export const isLoopback = (hostname: string): boolean =>
  isLocalhost(hostname) || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)

/** True where a URL of a provider may be used at all: by us, or by a browser that we send there. */
export const isPermittedUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  if (url.protocol === 'http:') return isLoopback(url.hostname)
  return url.protocol === 'https:' && !isLinkLocal(url.hostname)
}

const isLinkLocal = (hostname: string): boolean =>
  hostname.startsWith('169.254.') || /^\[fe[89ab][0-9a-f]:/.test(hostname)

/** Thrown for a URL or an answer that is refused before it is read; mapped by its code like the library's own. */
class ProviderFetchError extends TypeError {
  readonly code = 'POSTERN_PROVIDER_FETCH_REFUSED'
}

/**
 * Wraps a fetch for one provider.
 * @param fetch the real one
 * @returns a fetch that rejects with {@link ProviderFetchError} for a URL or a size that is not permitted
 */
export const guardedFetch =
  (fetch: typeof globalThis.fetch): CustomFetch =>
  async (url, options) => {
    if (!isPermittedUrl(url))
      throw new ProviderFetchError('the provider names an address that is not permitted')
    const { body, headers, method, signal } = options
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
    const bytes = await readLimited(response)
    return new Response(bytes, { status: response.status, headers: response.headers })
  }

/** Undefined for a status that takes no body (Fetch standard, null body status). */
const readLimited = async (response: Response): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  if (response.body === null) return undefined
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > MAX_RESPONSE_BYTES) throw new ProviderFetchError('the answer of the provider is over 1 MiB')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

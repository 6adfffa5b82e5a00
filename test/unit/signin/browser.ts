// A browser without a screen: a cookie jar that keeps to RFC 6265, manual redirects, Fetch Metadata of a page load.

export interface Shown {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** A host that is served in process. */
export type Serve = (request: {
  readonly method: string
  readonly url: URL
  readonly headers: ReadonlyMap<string, string>
  readonly cookies: readonly string[]
  readonly form: readonly (readonly [string, string])[]
}) => Promise<Response>

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
}

export interface Browser {
  /** One request; cookies are sent and kept, redirects are not followed. */
  readonly get: (url: string, headers?: Readonly<Record<string, string>>) => Promise<Shown>
  readonly post: (
    url: string,
    form: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Shown>
  /** Follows redirects from an answer on, up to one that shows something. `until` stops before a URL is opened. */
  readonly follow: (shown: Shown, until?: (url: string) => boolean) => Promise<Shown>
  readonly visit: (url: string, until?: (url: string) => boolean) => Promise<Shown>
  readonly cookie: (name: string) => string | undefined
  /** Drops all cookies of a site. */
  readonly forget: (url: string) => void
  /** Every cookie of every host. */
  readonly cookies: () => readonly Cookie[]
  /** Cookies whose names begin so, as `name=value`, the oldest first. */
  readonly cookiesOf: (family: string) => readonly string[]
  readonly setCookie: (url: string, line: string) => void
  /** Every URL that was opened, in order. */
  readonly history: readonly string[]
}

const PAGE_LOAD = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

export const makeBrowser = (hosts: ReadonlyMap<string, Serve>): Browser => {
  let jar: readonly Cookie[] = []
  const history: string[] = []

  const keep = (url: URL, line: string): void => {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const attribute = (name: string): string | undefined =>
      attributes
        .find((one) => one.toLowerCase() === name || one.toLowerCase().startsWith(`${name}=`))
        ?.slice(name.length + 1)
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const domain = attribute('domain')
    const secure = attribute('secure') !== undefined
    if (domain !== undefined && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) return
    if (secure && !isTrustworthy(url)) return
    if (name.startsWith('__Host-') && (domain !== undefined || !secure || attribute('path') !== '/')) return
    if (name.startsWith('__Secure-') && !secure) return
    const cookie: Cookie = {
      name,
      value: pair.slice(equals + 1),
      domain: domain ?? url.hostname,
      hostOnly: domain === undefined,
      path: attribute('path') ?? '/',
      secure,
    }
    const isSame = (one: Cookie): boolean =>
      one.name === name && one.domain === cookie.domain && one.path === cookie.path
    const expires = attribute('expires')
    const ended =
      attribute('max-age') === '0' || (expires !== undefined && new Date(expires).getTime() < Date.now())
    // A cookie that is set again keeps its place: the oldest is sent first (RFC 6265 §5.3 step 11, §5.4).
    if (ended) jar = jar.filter((one) => !isSame(one))
    else if (jar.some(isSame)) jar = jar.map((one) => (isSame(one) ? cookie : one))
    else jar = [...jar, cookie]
  }

  const sent = (url: URL): string =>
    jar
      .filter((one) =>
        one.hostOnly ? one.domain === url.hostname : `.${url.hostname}`.endsWith(`.${one.domain}`),
      )
      .filter(
        (one) => url.pathname === one.path || url.pathname.startsWith(`${one.path.replace(/\/$/, '')}/`),
      )
      .filter((one) => !one.secure || isTrustworthy(url))
      .map((one) => `${one.name}=${one.value}`)
      .join('; ')

  const request = async (
    method: string,
    address: string,
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
  ): Promise<Shown> => {
    const url = new URL(address)
    history.push(url.href)
    const cookie = sent(url)
    const serve = hosts.get(url.host)
    const response =
      serve === undefined
        ? await fetch(url, {
            method,
            redirect: 'manual',
            headers: { ...headers, ...(cookie === '' ? {} : { cookie }) },
            ...(method === 'POST' ? { body: new URLSearchParams(form) } : {}),
          })
        : await serve({
            method,
            url,
            headers: new Map(Object.entries(headers)),
            cookies: cookie === '' ? [] : [cookie],
            form: Object.entries(form),
          })
    for (const line of response.headers.getSetCookie()) keep(url, line)
    return { url: url.href, status: response.status, headers: response.headers, body: await response.text() }
  }

  const get: Browser['get'] = (url, headers = PAGE_LOAD) => request('GET', url, {}, headers)
  const follow: Browser['follow'] = async (shown, until) => {
    let now = shown
    for (let hops = 0; hops < 25; hops += 1) {
      const form = submittedForm(now)
      if (form !== undefined) {
        now = await request('POST', form.action, form.fields, PAGE_LOAD)
        continue
      }
      const next = onwardOf(now)
      if (next === undefined || until?.(next) === true) return now
      now = await get(next)
    }
    throw new Error(`going in a circle: ${history.slice(-6).join(' → ')}`)
  }
  return {
    get,
    post: (url, form, headers = { ...PAGE_LOAD, 'sec-fetch-site': 'same-origin' }) =>
      request('POST', url, form, headers),
    follow,
    visit: async (url, until) => follow(await get(url), until),
    cookie: (name) => jar.find((one) => one.name === name)?.value,
    forget: (url) => {
      jar = jar.filter(({ domain }) => domain !== new URL(url).hostname)
    },
    cookies: () => jar,
    cookiesOf: (family) =>
      jar.filter((one) => one.name.startsWith(family)).map((one) => `${one.name}=${one.value}`),
    setCookie: (url, line) => keep(new URL(url), line),
    history,
  }
}

/** Where browsers keep and send `Secure` cookies (Secure Contexts §3.1). */
const isTrustworthy = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || hostname === '127.0.0.1' || hostname.endsWith('.localhost')

/** Where an answer sends a browser by itself: a redirect, or a page that goes on. */
export const onwardOf = (shown: Shown): string | undefined => {
  const location = shown.status >= 300 && shown.status < 400 ? shown.headers.get('location') : null
  return location === null ? refreshIn(shown.body) : new URL(location, shown.url).href
}

/** Where a page goes on by itself. */
export const refreshIn = (body: string): string | undefined =>
  /<meta http-equiv="refresh" content="0; url=([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&')

/** A form that the page submits by itself, as oidc-provider does before it changes the person. */
const submittedForm = (
  shown: Shown,
): { readonly action: string; readonly fields: Readonly<Record<string, string>> } | undefined => {
  const action = /<form method="post" action="([^"]+)"/.exec(shown.body)?.[1]
  if (action === undefined || !shown.body.includes('document.forms[0].submit()')) return undefined
  const inputs = shown.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)
  return { action, fields: Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value])) }
}

import { describe, expect, it } from 'vitest'
import { dialectOf } from '../../../src/proxy/dialect.ts'
import type { ProxySettings, Reading } from '../../../src/proxy/exchange.ts'
import { PROXY_SETTINGS } from './corridor.ts'

const read = (
  target: string,
  rawHeaders: readonly string[],
  settings: Partial<ProxySettings> = {},
  method = 'GET',
) => {
  const dialect = dialectOf(target)
  if (dialect === undefined) throw new Error(`no dialect for ${target}`)
  return dialect.read({ method, target, rawHeaders }, { ...PROXY_SETTINGS, ...settings })
}

const URL_A = 'https://app.example.com/a?q=1'

const nginx = (
  url = URL_A,
  more: readonly string[] = [],
  settings: Partial<ProxySettings> = {},
  query = '',
) => read(`/authz/nginx${query}`, ['X-Original-URL', url, 'X-Original-Method', 'GET', ...more], settings)

const exchange = (reading: Reading) => {
  if (reading.kind !== 'exchange') throw new Error(`refused: ${reading.why}`)
  return reading
}

const refusal = (reading: Reading) =>
  reading.kind === 'refused' ? `${reading.status} ${reading.reason}` : 'read'

describe('dialectOf', () => {
  it.each([
    ['/authz/nginx', 'nginx'],
    ['/authz/nginx?host=a', 'nginx'],
    ['/authz/forward', 'forward'],
    ['/authz/ext', 'ext'],
    ['/authz/ext?a', 'ext'],
    ['/authz/ext/../nginx', 'ext'],
    ['/authz/ext/', 'ext'],
  ])('%s speaks %s', (target, name) => {
    expect(dialectOf(target)?.name).toBe(name)
  })

  it.each([
    '/',
    '/authz',
    '/authz/',
    '/authz/nginx/',
    '/authz/nginx/x',
    '/authz/extra',
    '//authz/nginx',
    '/authz/%6eginx',
    '/authz/NGINX',
    '/x/../authz/nginx',
    '*',
    'http://a/authz/nginx',
    '',
  ])('%s speaks none', (target) => {
    expect(dialectOf(target)).toBeUndefined()
  })
})

describe('an exchange', () => {
  it('keeps the way back as it was asked for, and facts without the query', () => {
    const { facts, target } = exchange(nginx('http://APP.example.com.:8080/a%2Fb?x=/admin#f'))
    expect(facts.host).toBe('app.example.com')
    expect(facts.path.raw).toBe('/a%2Fb')
    expect(target).toEqual({
      scheme: 'http',
      authority: 'APP.example.com.:8080',
      pathAndQuery: '/a%2Fb?x=/admin#f',
    })
  })

  it('takes the external scheme before the reported one', () => {
    expect(exchange(nginx('http://app.example.com/a', [], { externalScheme: 'https' })).target.scheme).toBe(
      'https',
    )
    expect(exchange(nginx('http://app.example.com/a')).target.scheme).toBe('http')
  })

  it('keeps credentials apart from facts', () => {
    const more = [
      'Authorization',
      'Bearer t',
      'Proxy-Authorization',
      'Basic p',
      'X-API-Key',
      'k',
      'Cookie',
      'c=1',
    ]
    const { carried, facts } = exchange(nginx(URL_A, more))
    expect(carried).toEqual({
      authorization: 'Bearer t',
      proxyAuthorization: 'Basic p',
      apiKey: 'k',
      cookies: ['c=1'],
    })
    expect(JSON.stringify(facts)).not.toMatch(/Bearer|Basic|c=1/)
  })

  it('has a request id and a user agent that a log line can take', () => {
    const plain = exchange(nginx(URL_A, ['X-Request-ID', 'abc-1', 'User-Agent', 'x'.repeat(500)]))
    expect([plain.requestId, plain.userAgent?.length]).toEqual(['abc-1', 256])
    expect(exchange(nginx(URL_A, ['X-Request-ID', 'a b'])).requestId).toBeUndefined()
    expect(exchange(nginx(URL_A, ['X-Request-ID', 'x'.repeat(129)])).requestId).toBeUndefined()
  })
})

describe('the served host', () => {
  it('is decided beside the reported one only where it is another', () => {
    const other = exchange(nginx(URL_A, ['X-Postern-Host', 'admin.example.com']))
    expect(other.servedFacts).toEqual({ ...other.facts, host: 'admin.example.com' })
    expect(exchange(nginx(URL_A, ['X-Postern-Host', 'APP.example.com:443'])).servedFacts).toBeUndefined()
  })

  it('is required where the configuration says so', () => {
    const required: Partial<ProxySettings> = { hostHeader: 'required' }
    expect(refusal(nginx(URL_A, [], required))).toBe('400 ERROR_INTEGRATION')
    expect(refusal(nginx(URL_A, ['X-Postern-Host', ''], required))).toBe('400 ERROR_INTEGRATION')
    expect(refusal(nginx(URL_A, ['X-Postern-Host', 'app.example.com'], required))).toBe('read')
  })

  it('is refused where a client could have malformed it', () => {
    expect(refusal(nginx(URL_A, ['X-Postern-Host', 'app.example.com#x']))).toBe('403 DENY_BAD_REQUEST')
  })

  it('must be the asserted one too', () => {
    const served = ['X-Postern-Host', 'admin.example.com']
    expect(refusal(nginx(URL_A, served, {}, '?host=app.example.com'))).toBe('403 DENY_BAD_REQUEST')
    expect(refusal(nginx(URL_A, served, {}, '?host=admin.example.com'))).toBe('403 DENY_BAD_REQUEST')
    expect(refusal(nginx(URL_A, [], {}, '?host=APP.example.com'))).toBe('read')
  })
})

describe('whose fault it is', () => {
  it.each([
    'http://open.example.com#x/admin/y',
    'http://a@app.example.com/',
    'http:///p10',
    'http://app.example.com?x',
    'http://app.example.com?',
    'https://app.example.com:0/',
    'https://app.example.com:99999/',
    'https://app.example.com,open.example.com/',
    'https://app.example.com/%zz',
    'https://app.example.com/../x',
    `https://app.example.com/${'a'.repeat(8192)}`,
  ])('a client made %s', (url) => {
    expect(refusal(nginx(url))).toBe('403 DENY_BAD_REQUEST')
  })

  it.each(['', 'app.example.com/a', 'ftp://app.example.com/a', 'https://app.example.com'])(
    'a configuration made `%s`',
    (url) => {
      expect(refusal(nginx(url))).toBe('400 ERROR_INTEGRATION')
    },
  )

  it.each([
    ['get', '400 ERROR_INTEGRATION'],
    ['GETz', '400 ERROR_INTEGRATION'],
    ['', '400 ERROR_INTEGRATION'],
    ['WEBSOCKET', '403 DENY_BAD_REQUEST'],
    ['TRACE', '405 DENY_BAD_REQUEST'],
    ['FOO', 'read'],
    ['A'.repeat(32), 'read'],
    ['A'.repeat(33), '403 DENY_BAD_REQUEST'],
    [`${'A'.repeat(33)}z`, '400 ERROR_INTEGRATION'],
    ['_GET', '403 DENY_BAD_REQUEST'],
  ])('of the method `%s`', (method, want) => {
    expect(refusal(read('/authz/nginx', ['X-Original-URL', URL_A, 'X-Original-Method', method]))).toBe(want)
  })

  it.each([
    ['X-Forwarded-Host', 'a.example.com, b.example.com', '400 ERROR_INTEGRATION'],
    ['X-Forwarded-Host', 'a.example.com#x', '403 DENY_BAD_REQUEST'],
    ['X-Forwarded-Proto', 'https, http', '400 ERROR_INTEGRATION'],
    ['X-Forwarded-Uri', '*', '403 DENY_BAD_REQUEST'],
    ['X-Forwarded-Uri', '', '400 ERROR_INTEGRATION'],
    ['X-Forwarded-Uri', '/a', 'read'],
  ])('of %s: %s', (name, value, want) => {
    const fields: Record<string, string> = {
      'X-Forwarded-Method': 'GET',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'app.example.com',
      'X-Forwarded-Uri': '/b',
    }
    fields[name] = value
    expect(refusal(read('/authz/forward', Object.entries(fields).flat()))).toBe(want)
  })

  it.each([
    ['/authz/ext', ['Host', 'a.example.com'], '400 ERROR_INTEGRATION'],
    ['/authz/ext?/a', ['Host', 'a.example.com'], '400 ERROR_INTEGRATION'],
    ['/authz/ext/a', [], '400 ERROR_INTEGRATION'],
    ['/authz/ext/a', ['Host', 'a.example.com,b.example.com'], '400 ERROR_INTEGRATION'],
    ['/authz/ext/a', ['Host', 'a.example.com', 'host', 'a.example.com'], '400 ERROR_INTEGRATION'],
    ['/authz/ext/a', ['Host', 'a@b.example.com'], '403 DENY_BAD_REQUEST'],
    ['/authz/ext/../../admin', ['Host', 'a.example.com'], '403 DENY_BAD_REQUEST'],
    ['/authz/ext/a?host=x&unknown=1&unknown=2', ['Host', 'a.example.com'], 'read'],
  ])('of %s with %j', (target, headers, want) => {
    expect(refusal(read(target, headers))).toBe(want)
  })

  it('is told without the value of any header', () => {
    const reading = nginx('https://user:hunter2@app.example.com/', ['Authorization', 's3cret'])
    expect(reading.kind).toBe('refused')
    expect(JSON.stringify(reading)).not.toMatch(/hunter2|s3cret/)
  })
})

describe('the ext dialect', () => {
  it('reads the raw path behind the prefix, nothing decoded and nothing resolved', () => {
    const { facts, target, options } = exchange(
      read('/authz/ext//a%2fb/../c?unauth=401', ['Host', 'app.example.com:443']),
    )
    expect(facts.path.raw).toBe('//a%2fb/../c')
    expect(target.pathAndQuery).toBe('//a%2fb/../c?unauth=401')
    expect(options.unauth).toBeUndefined()
  })
})

describe('a WebSocket handshake', () => {
  const origin = ['Origin', 'https://app.example.com']

  it.each([
    ['Sec-WebSocket-Key', 'eA=='],
    ['Sec-WebSocket-Version', '13'],
    ['Upgrade', 'WebSocket'],
  ])('is told by %s: %s, and keeps its origin', (name, value) => {
    const { facts, manner } = exchange(nginx(URL_A, [name, value, ...origin]))
    expect([facts.method, facts.origin, manner.machine]).toEqual([
      'WEBSOCKET',
      'https://app.example.com',
      true,
    ])
  })

  it('is only a GET: by another method it is refused, and without `Upgrade` it is that method', () => {
    const raw = (more: readonly string[]) => [
      'X-Original-URL',
      URL_A,
      'X-Original-Method',
      'POST',
      ...more,
      ...origin,
    ]
    expect(read('/authz/nginx', raw(['Upgrade', 'websocket']))).toMatchObject({
      kind: 'refused',
      status: 403,
    })
    const { facts } = exchange(read('/authz/nginx', raw(['Sec-WebSocket-Key', 'eA=='])))
    expect([facts.method, facts.origin]).toEqual(['POST', undefined])
  })
})

describe('a change to a protocol that is not decided', () => {
  const asked = {
    nginx: (more: readonly string[]) => nginx(URL_A, more),
    forward: (more: readonly string[]) =>
      read('/authz/forward', [
        'X-Forwarded-Method',
        'GET',
        'X-Forwarded-Proto',
        'https',
        'X-Forwarded-Host',
        'app.example.com',
        'X-Forwarded-Uri',
        '/a',
        ...more,
      ]),
    ext: (more: readonly string[]) => read('/authz/ext/a', ['Host', 'app.example.com', ...more]),
  }

  describe.each(['nginx', 'forward', 'ext'] as const)('asked for through %s', (dialect) => {
    it.each([
      ['Upgrade', 'h2c'],
      ['upgrade', 'H2C'],
      ['Upgrade', 'h2c, websocket'],
      ['Upgrade', 'websocket, h2c'],
      ['Upgrade', 'TLS/1.0'],
      ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
      ['http2-settings', ''],
    ])('is refused: %s: %s', (name, value) => {
      expect(refusal(asked[dialect]([name, value]))).toBe('403 DENY_BAD_REQUEST')
    })

    it.each([
      ['Upgrade', ''],
      ['Upgrade', 'websocket'],
      ['Upgrade-Insecure-Requests', '1'],
      ['Connection', 'Upgrade, HTTP2-Settings'],
    ])('is not what `%s: %s` asks for', (name, value) => {
      expect(refusal(asked[dialect]([name, value]))).toBe('read')
    })
  })
})

describe('a preflight', () => {
  const preflight = (original: string, own: string, more: readonly string[]) =>
    exchange(read('/authz/nginx', ['X-Original-URL', URL_A, 'X-Original-Method', original, ...more], {}, own))
      .facts.preflight
  const both = ['Origin', 'https://ui.example.com', 'Access-Control-Request-Method', 'PUT']

  it('is told by the original method, not by that of the subrequest', () => {
    expect(preflight('OPTIONS', 'GET', both)).toBe(true)
    expect(preflight('GET', 'OPTIONS', both)).toBe(false)
  })

  it('needs both of its headers', () => {
    expect(preflight('OPTIONS', 'GET', both.slice(0, 2))).toBe(false)
    expect(preflight('OPTIONS', 'GET', both.slice(2))).toBe(false)
  })
})

describe("the client's address", () => {
  const clientIp = (header: string | undefined, more: readonly string[]) =>
    exchange(nginx(URL_A, more, { clientIp: { ...PROXY_SETTINGS.clientIp, nginx: header } })).facts.clientIp

  it('comes from the configured header alone', () => {
    const more = ['X-Real-IP', '192.0.2.1', 'X-Forwarded-For', '198.51.100.1']
    expect(clientIp('x-real-ip', more)).toBe('192.0.2.1')
    expect(clientIp(undefined, more)).toBeUndefined()
  })

  it('is the last entry of X-Forwarded-For: the others are what a client wrote', () => {
    expect(clientIp('x-forwarded-for', ['X-Forwarded-For', '10.0.0.1, 10.0.0.2, 198.51.100.1'])).toBe(
      '198.51.100.1',
    )
    expect(clientIp('x-forwarded-for', ['X-Forwarded-For', '10.0.0.1', 'X-Forwarded-For', '::1'])).toBe('::1')
  })

  it.each(['a', '192.0.2.1:80', '10.0.0.1, 192.0.2.1', 'unknown', '', '[::1]'])(
    'is unknown where it is `%s`',
    (value) => {
      expect(clientIp('x-real-ip', ['X-Real-IP', value])).toBeUndefined()
    },
  )
})

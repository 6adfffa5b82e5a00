import { describe, expect, it } from 'vitest'
import {
  isMethod,
  isMethodOfProxies,
  pathOf,
  splitUrl,
  webScheme,
} from '../../../src/proxy/request-target.ts'

describe('splitUrl', () => {
  it.each([
    ['https://app.example.com/a?b#c', 'https', 'app.example.com', '/a?b#c'],
    ['http://app.example.com:8080//a/../b', 'http', 'app.example.com:8080', '//a/../b'],
    ['HTTPS://[::1]:1/', 'https', '[::1]:1', '/'],
    ['wss://app.example.com/ws', 'https', 'app.example.com', '/ws'],
    ['http:///p10', 'http', '', '/p10'],
    ['http://open.example.com#x/admin/y', 'http', 'open.example.com#x', '/admin/y'],
    ['http://open.example.com?x/admin/y', 'http', 'open.example.com?x', '/admin/y'],
    ['http://app.example.com?x', 'http', 'app.example.com?x', ''],
    ['http://app.example.com:8080?', 'http', 'app.example.com:8080?', ''],
    ['http://?x', 'http', '?x', ''],
    ['http://open@app.example.com/', 'http', 'open@app.example.com', '/'],
    ['http://app.example.com\\/x', 'http', 'app.example.com\\', '/x'],
    ['http://a/http://b/c', 'http', 'a', '/http://b/c'],
    ['https://app.example.com/caf\u00e9', 'https', 'app.example.com', '/caf\u00e9'],
  ])('leaves every byte of %s where nginx put it', (url, scheme, authority, pathAndQuery) => {
    expect(splitUrl(url)).toEqual({ scheme, authority, pathAndQuery })
  })

  it.each([
    '',
    '/a',
    'app.example.com/a',
    'ftp://app.example.com/a',
    'https:/app/a',
    'https://app.example.com',
    'ftp://app.example.com?x',
    'app.example.com?x',
    'app.example.com?http://a',
    'https:?//a',
    ' https://a/',
  ])('takes `%s` for no web address', (url) => {
    expect(splitUrl(url)).toBeUndefined()
  })
})

describe('pathOf', () => {
  it.each([
    ['/a?b?c', '/a'],
    ['/a#b?c', '/a#b'],
    ['/a%3fb', '/a%3fb'],
    ['?a', ''],
  ])('cuts %s at the first question mark only', (text, path) => {
    expect(pathOf(text)).toBe(path)
  })
})

describe('webScheme', () => {
  it.each(['https,http', 'javascript', '', 'https ', 'httpss'])('knows no `%s`', (scheme) => {
    expect(webScheme(scheme)).toBeUndefined()
  })

  it('maps the schemes of a WebSocket', () => {
    expect([webScheme('ws'), webScheme('WSS')]).toEqual(['http', 'https'])
  })
})

describe('isMethod', () => {
  it.each(['GET', 'PROPFIND', 'M-SEARCH', 'VERSION-CONTROL'])('takes %s', (method) => {
    expect(isMethod(method)).toBe(true)
  })

  it.each(['', 'get', 'GETz', 'GET ', 'GE T', '-GET', 'GET\n', 'G\u00c9T', 'GET2', 'A'.repeat(33)])(
    'takes no `%s`',
    (method) => {
      expect(isMethod(method)).toBe(false)
    },
  )
})

describe('isMethodOfProxies', () => {
  it.each(['GET', 'A'.repeat(33), '-GET', '_', 'A_B-C'])('takes %s, which NGINX passes on', (method) => {
    expect(isMethodOfProxies(method)).toBe(true)
  })

  it.each(['', 'get', 'GETz', 'GET ', 'GET\n', 'GET2', 'G\u00c9T', `${'A'.repeat(33)}z`])(
    'takes no `%s`, which NGINX refuses',
    (method) => {
      expect(isMethodOfProxies(method)).toBe(false)
    },
  )
})

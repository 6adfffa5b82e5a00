import { describe, expect, it } from 'vitest'
import { mannerOf, type MannerHeaders } from '../../../src/proxy/manner.ts'

const NOTHING: MannerHeaders = {
  accept: undefined,
  contentType: undefined,
  requestedWith: undefined,
  fetchMode: undefined,
  fetchDest: undefined,
}
const PAGE: MannerHeaders = { ...NOTHING, accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

const told = (headers: Partial<MannerHeaders>, method = 'GET'): string => {
  const { navigation, machine, script, document } = mannerOf({ ...NOTHING, ...headers }, method)
  return [navigation && 'navigation', machine && 'machine', script && 'script', document && 'document']
    .filter((word) => word !== false)
    .join(' ')
}

describe('a caller', () => {
  it.each<[string, Partial<MannerHeaders>, string, string]>([
    [
      'by Fetch Metadata',
      { ...PAGE, fetchMode: 'navigate', fetchDest: 'document' },
      'GET',
      'navigation document',
    ],
    ['in a frame', { ...PAGE, fetchMode: 'navigate', fetchDest: 'iframe' }, 'GET', 'navigation'],
    ['of a form', { ...PAGE, fetchMode: 'navigate', fetchDest: 'document' }, 'POST', 'navigation document'],
    ['without Fetch Metadata', PAGE, 'GET', 'navigation'],
    ['without Fetch Metadata, of another method', PAGE, 'DELETE', ''],
    ['that wants anything', { accept: '*/*' }, 'GET', ''],
    ['that wants JSON', { accept: 'application/json' }, 'GET', ''],
    ['that wants both', { accept: 'text/html, application/json' }, 'GET', ''],
    ['that is a fetch', { ...PAGE, fetchMode: 'cors' }, 'GET', 'machine script'],
    [
      'that is an image',
      { accept: 'image/*', fetchMode: 'no-cors', fetchDest: 'image' },
      'GET',
      'machine script',
    ],
    ['that is an XHR', { ...PAGE, requestedWith: 'XMLHttpRequest' }, 'GET', 'machine script'],
    ['of an Android web view', { ...PAGE, requestedWith: 'com.example.app' }, 'GET', 'navigation'],
    ['that says nothing', {}, 'GET', 'machine'],
    ['that navigates and says no more', { fetchMode: 'navigate' }, 'GET', 'navigation'],
    ['that is gRPC', { accept: '*/*', contentType: 'application/grpc-web' }, 'POST', 'machine'],
    ['that is a WebSocket', PAGE, 'WEBSOCKET', 'machine'],
  ])('%s', (_, headers, method, want) => {
    expect(told(headers, method)).toBe(want)
  })
})

import { describe, expect, it } from 'vitest'
import { readDecisionQuery } from '../../../src/proxy/decision-query.ts'

const NONE = { route: undefined, unauth: undefined, xhr: undefined }

describe('the query of a decision URL', () => {
  it.each([
    ['', NONE, undefined],
    ['?', NONE, undefined],
    ['?host=APP.example.com:8443', NONE, 'app.example.com'],
    ['?route=grafana', { ...NONE, route: 'grafana' }, undefined],
    ['?unauth=401&xhr=403', { ...NONE, unauth: 401, xhr: 403 }, undefined],
    ['?xhr=401&unauth=302&host=a', { ...NONE, unauth: 302, xhr: 401 }, 'a'],
  ])('`%s` is read', (query, options, host) => {
    expect(readDecisionQuery(`/authz/nginx${query}`)).toEqual({ kind: 'query', options, host })
  })

  it.each([
    '?Host=a',
    '?rd=x',
    '?host=a&host=a',
    '?xhr=403&xhr=401',
    '?host=',
    '?host',
    '?host=a/b',
    '?host=a%2eb',
    '?route=',
    '?route=a/b',
    '?unauth=200',
    '?unauth=0401',
    '?unauth=',
    '?xhr=302',
    '?&host=a',
    '?host=a&',
    '?host=a#b',
    '?__proto__=1',
    '??host=a',
  ])('`%s` is malformed', (query) => {
    expect(readDecisionQuery(`/authz/nginx${query}`).kind).toBe('malformed')
  })
})

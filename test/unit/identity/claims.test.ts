import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapClaims } from '../../../src/identity/claims.ts'
import type { JsonObject } from '../../../src/identity/strict-json.ts'

const mapping = { groups: 'groups', email: 'email', level: 'lvl', user: 'preferred_username' }
const map = (json: string) => mapClaims(JSON.parse(json) as JsonObject, mapping)

describe('a mapped claim', () => {
  test('is taken under the name that policies use', () => {
    const { claims, cut } = map('{"groups":["dev","ops"],"lvl":3,"preferred_username":"alice","other":1}')
    expect([...claims]).toEqual([
      ['groups', ['dev', 'ops']],
      ['level', 3],
      ['user', 'alice'],
    ])
    expect(cut.size).toBe(0)
  })

  test.each([
    ['a string is one group', '"dev,admins"', ['dev,admins']],
    ['a list of one string with a comma', '["dev,admins"]', ['dev,admins']],
    ['no groups at all', '[]', []],
  ])('groups: %s', (_, value, expected) => {
    const { claims, cut } = map(`{"groups":${value}}`)
    expect(claims.get('groups')).toEqual(expected)
    expect(cut.has('groups')).toBe(false)
  })

  test.each([
    ['a line break in a group', '["dev\\nadmins"]'],
    ['a C1 control', '["dev\\u0085admins"]'],
    ['a line separator', '["dev\\u2028admins"]'],
    ['half a surrogate pair', '["dev\\ud800"]'],
    ['a list in a list', '[["admins"]]'],
    ['an object in a list', '["dev",{"name":"admins"}]'],
    ['an object', '{"admins":true}'],
    ['a number among groups', '["dev",1]'],
    ['a null among groups', '["dev",null]'],
    ['a number', '7'],
    ['true', 'true'],
    ['ten thousand groups', JSON.stringify(Array.from({ length: 10_000 }, (_x, index) => `g${index}`))],
    ['an over-long group', JSON.stringify(['g'.repeat(1025)])],
  ])('groups: %s cuts the claim', (_, value) => {
    const { claims, cut } = map(`{"groups":${value}}`)
    expect(claims.has('groups')).toBe(false)
    expect(cut.has('groups')).toBe(true)
  })

  test.each([
    ['null', 'null', false],
    ['an object', '{}', true],
    ['an infinite number', '1e999', true],
    ['a NUL', '"a\\u0000"', true],
  ])('any: %s is no value', (_, value, isCut) => {
    const { claims, cut } = map(`{"email":${value}}`)
    expect(claims.has('email')).toBe(false)
    expect(cut.has('email')).toBe(isCut)
  })

  test('that is elsewhere is cut, and the others are not', () => {
    const distributed = map('{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{}},"email":"a@b.c"}')
    expect([...distributed.cut]).toEqual(['groups'])
    expect(distributed.claims.get('email')).toBe('a@b.c')
    expect([...map('{"groups":["dev"],"_claim_names":{"groups":"src1"}}').cut]).toEqual(['groups'])
    expect([...map('{"_claim_sources":{},"email":"a@b.c"}').cut]).toEqual(['groups', 'level', 'user'])
    expect([...map('{"_claim_names":7}').cut]).toEqual(['groups', 'email', 'level', 'user'])
    expect([...map('{"hasgroups":true}').cut]).toEqual(['groups'])
    expect([...map('{}').cut]).toEqual([])
  })

  test('never comes from a prototype, and never becomes one', () => {
    const poisoned = map('{"__proto__":{"groups":["admins"],"email":"root@example.com"}}')
    expect(poisoned.claims.size).toBe(0)
    const odd = mapClaims(JSON.parse('{"__proto__":"x"}') as JsonObject, {
      a: '__proto__',
      b: 'constructor',
      c: 'toString',
    })
    expect([...odd.claims]).toEqual([['a', 'x']])
  })

  test('is a whole value or cut, whatever the payload is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { claims, cut } = mapClaims({ groups: value, email: value }, mapping)
        for (const name of ['groups', 'email']) {
          const isThere = Number(claims.has(name)) + Number(cut.has(name))
          expect(isThere).toBe(value === null ? 0 : 1)
        }
      }),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJsonObject } from '../../../src/identity/strict-json.ts'

const read = (text: string) => readJsonObject(Buffer.from(text))

describe('a JSON object', () => {
  test.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"x":{"a":1,"a":2}}', true],
    ['{"x":[{"a":1},{"b":1,"b":2}]}', true],
    ['{"a":1 , "b" : {"a":1}, "c":[{"a":1},{"a":1}]}', false],
    ['{"a":"a\\":","b":"{\\"b\\":1,\\"b\\":2}"}', false],
    ['{"a\\\\":1,"a":2}', false],
    ['{"a" :1,"a"\n:2}', true],
    ['{"__proto__":1,"__proto__":2}', true],
  ])('%s: a key twice: %s', (text, expected) => {
    expect(read(text)).toMatchObject({ kind: 'object', hasDuplicateKeys: expected })
  })

  test('is told apart from everything else', () => {
    for (const text of ['', 'null', '[]', '"a"', '{', '{"a":1}x', "{'a':1}", '{"a":NaN}', '\ufeff{}']) {
      expect(read(text).kind).toBe('not-an-object')
    }
    expect(readJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).kind).toBe('not-an-object')
    expect(read('{}').kind).toBe('object')
  })

  test('has no key twice where JSON itself wrote it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(read(JSON.stringify(value))).toMatchObject({ kind: 'object', hasDuplicateKeys: false })
      }),
    )
  })

  test('has a key twice where one was added to any object in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, pick) => {
        const keys = Object.keys(value)
        const doubled = `{"v":[${JSON.stringify(value).replace(/}$/, '')},${JSON.stringify(keys[pick % keys.length])}:0}]}`
        expect(read(doubled)).toMatchObject({ kind: 'object', hasDuplicateKeys: true })
      }),
    )
  })
})

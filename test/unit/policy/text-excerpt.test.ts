// The line that a complaint is about: the right one, whole, safe for a terminal, and without what must stay hidden.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excerpt, spotAt } from '../../../src/policy/text-excerpt.ts'

describe('the spot of an offset', () => {
  it.each([
    ['a: 1\nbc: 2\n', [5, 7], { line: 2, column: 1, length: 2 }],
    ['a: 1\nbc: 2\n', [9, 10], { line: 2, column: 5, length: 1 }],
    ['a\r\nb\r\nc', [6, 7], { line: 3, column: 1, length: 1 }],
    ['a', [9, 9], { line: 1, column: 2, length: 1 }],
    ['', [0, 1], { line: 1, column: 1, length: 1 }],
    ['a', [-3, 1], { line: 1, column: 1, length: 1 }],
  ] as const)('in %j at %j', (text, range, spot) => {
    expect(spotAt(text, range)).toEqual(spot)
  })
})

describe('an excerpt', () => {
  it('underlines what it is about', () => {
    expect(excerpt('a: 1\nfoo: bar\n', { line: 2, column: 6, length: 3 })).toBe('2 | foo: bar\n  |      ^^^')
  })

  it('shows a secret on the same line as stars, over several lines too', () => {
    expect(excerpt('x: {key: hunter2, b: 1}', { line: 1, column: 19, length: 1 }, [[9, 16]])).toBe(
      '1 | x: {key: *******, b: 1}\n  |                   ^',
    )
    expect(excerpt('k: |\n  a\n  b\nc: d', { line: 2, column: 1, length: 1 }, [[5, 13]])).toBe(
      '2 | ***\n  | ^',
    )
  })

  it('of a long line is a window around the spot', () => {
    const line = `${'a'.repeat(300)}XX${'b'.repeat(300)}`
    const [shown, carets] = excerpt(line, { line: 1, column: 301, length: 2 }).split('\n')
    expect(shown?.length).toBeLessThan(130)
    expect(shown?.slice(carets?.indexOf('^'), (carets?.lastIndexOf('^') ?? 0) + 1)).toBe('XX')
  })

  it('never moves the cursor or turns the text around', () => {
    const [shown] = excerpt('a\u001b[2J\u202eb\u0007\u009b\tc', { line: 1, column: 1, length: 1 }).split('\n')
    expect(shown).toBe('1 | a?[2J?b?? c')
  })

  it('is two lines without control characters, whatever the text and the spot', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: -2, max: 20 }),
        fc.integer({ min: -2, max: 400 }),
        fc.integer({ min: -2, max: 400 }),
        (text, line, column, length) => {
          const lines = excerpt(text, { line, column, length }).split('\n')
          return lines.length === 2 && lines.every((one) => !/\p{Cc}/u.test(one)) && /\^/.test(lines[1] ?? '')
        },
      ),
    )
  })
})

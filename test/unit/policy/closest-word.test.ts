// A suggestion is made where a slip explains the word, and not where it would be a guess.
import { describe, expect, it } from 'vitest'
import { closest, didYouMean } from '../../../src/policy/closest-word.ts'

const WORDS = ['publicUrl', 'policies', 'proxies', 'idle', 'ttl', 'email_domains']

describe('the closest word', () => {
  it.each([
    ['publicURL', 'publicUrl'],
    ['public_url', 'publicUrl'],
    ['polices', 'policies'],
    ['idel', 'idle'],
    ['tll', 'ttl'],
    ['emailDomains', 'email_domains'],
    ['idle', 'idle'],
  ])('to %s is %s', (word, expected) => {
    expect(closest(word, WORDS)).toBe(expected)
  })

  it.each(['', 'x', 'frobnicate', 'idxyz', 'a'.repeat(10_000)])('to %s is none', (word) => {
    expect(closest(word, WORDS)).toBeUndefined()
  })

  it('is the first of two that are equally close', () => {
    expect(closest('bat', ['cat', 'hat'])).toBe('cat')
  })

  it('is asked for as a question, or not at all', () => {
    expect(didYouMean('idel', WORDS)).toBe(' (did you mean `idle`?)')
    expect(didYouMean('frobnicate', WORDS)).toBe('')
  })
})

// Whatever prints a secret prints that it is one.
import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/policy/secret.ts'

const secret = new Secret('hunter2')

describe('a secret', () => {
  it('is handed out to whoever asks by name', () => {
    expect(secret.reveal()).toBe('hunter2')
  })

  it.each([
    ['String', () => String(secret)],
    ['a joined list', () => [secret, secret].join(' ')],
    ['JSON', () => JSON.stringify({ a: [secret] })],
    ['inspect', () => inspect({ a: secret }, { depth: 9, showHidden: true, getters: true })],
    ['console.log', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error', () => inspect(new Error('failed', { cause: secret }))],
    [
      'its keys',
      () =>
        JSON.stringify([
          Object.entries(secret),
          Object.getOwnPropertyNames(secret),
          Object.assign({}, secret),
        ]),
    ],
    ['a clone', () => inspect(structuredClone({ a: secret }))],
  ])('is not shown by %s', (_, print) => {
    expect(print()).not.toContain('hunter2')
  })
})

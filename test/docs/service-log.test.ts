// The table of the service log is the code's: each message that warns or fails is in it with its level, and no other.
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { tableBelow } from './markdown.ts'

const sources = globSync('src/server/*.ts').map((file) => readFileSync(file, 'utf8'))

const written = sources
  .flatMap((text) => [...text.matchAll(/logger\.(warn|error)\(([^']*(?:'PST-\d+'[^']*)?)'([^']+)'/g)])
  .map(([, level = '', , message = '']) => `${level}: ${message.split(';')[0]}`)

const told = tableBelow('docs/operations.md', 'The service log').flatMap(([messages = '', level = '']) =>
  messages.split('`, `').map((message) => `${level}: ${message.replaceAll('`', '').split(';')[0]?.trim()}`),
)

describe('the messages of the service log', () => {
  it('are in the table, with their level', () => {
    expect(written.length).toBeGreaterThan(12)
    expect(told.toSorted()).toEqual([...new Set(written)].toSorted())
  })
})

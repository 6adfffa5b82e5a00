// Nobody is surprised by a date: a rule that ends within a fortnight is told, before it does.
import { describe, expect, it } from 'vitest'
import { endingRules, tellEndingRules } from '../../../src/server/ending-rules.ts'
import type { Logger } from '../../../src/telemetry/logger.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const policy = (until: string, more = ''): string => `apiVersion: postern/v1
route: app
hosts: [app.example.com]
sections:
- path: /
  allow:
  - {id: old, groups: [dev], until: ${until}}
  - {id: in, groups: [sre]}
${more}`

const NOW_MS = Date.parse('2026-11-24T12:00:00Z')

const told = (until: string): readonly unknown[] => {
  const lines: unknown[] = []
  const logger: Logger = {
    info: () => undefined,
    warn: (fields, message) => lines.push({ ...fields, message }),
    error: () => undefined,
  }
  tellEndingRules(logger, loadedTexts({ 'app.yaml': policy(until) }).set, NOW_MS)
  return lines
}

describe('a rule with an end', () => {
  it('is told with its route and its instant from a fortnight before', () => {
    expect(told('2026-12-07')).toEqual([
      {
        route: 'app',
        rule: 'old',
        ends: '2026-12-08T00:00:00.000Z',
        days: 13,
        message: 'a rule ends soon',
      },
    ])
    expect(told('2026-11-24')).toMatchObject([{ days: 0 }])
  })

  it('is not told before, nor when it has ended', () => {
    expect([told('2026-12-08'), told('2026-11-23'), told('2099-01-01')]).toEqual([[], [], []])
  })

  it('counts by its soonest end where two sections have a rule of its name', () => {
    const twice = policy(
      '2026-11-26',
      '- {path: /x, allow: [{id: old, groups: [dev], until: 2026-12-01}, {id: in, groups: [sre]}]}\n',
    )
    const { set } = loadedTexts({ 'app.yaml': twice })
    expect(endingRules(set, NOW_MS)).toMatchObject([{ route: 'app', rule: 'old', inSeconds: 216_000 }])
  })
})

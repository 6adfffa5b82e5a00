// The policy that a reader meets first: people who edit, people who look, programs of the cluster that may come, and a
// health check for everybody. It must load letter by letter, pass its own tests, and leave `check` nothing but coverage.
import { describe, expect, it } from 'vitest'
import { checkPolicies } from '../../../src/policy-file/check.ts'
import { runCases } from '../../../src/rehearse/cases.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const NOW = Date.UTC(2026, 10, 24)
const EXAMPLE = `apiVersion: postern/v1
route: grafana
owner: team-observability
hosts: [grafana.example.com]
accepts: [session, bearer, service-account]
identity: grafana                    # header preset
sections:
- path: /
  deny:
  - {id: no-contractors, groups: [contractors]}
  allow:
  - {id: edit, groups: [sre, platform]}
  - {id: view, groups: [eng], methods: [GET]}
  - {id: query, groups: [eng], methods: [POST], paths: [/api/ds/query]}   # panels query by POST
- path: /api/health
  exact: true
  allow: [{id: probe, anyone: true, methods: [GET], why: "load balancer check, no data", review: 2027-11-30}]
tests:
- {as: {groups: [sre]}, post: /api/dashboards/db, expect: allow edit}
- {as: {groups: [eng]}, post: /api/dashboards/db, expect: deny}
- {as: anonymous, get: /, expect: challenge}
`

describe('the example of Grafana', () => {
  const loaded = loadedTexts({ 'grafana.yaml': EXAMPLE })
  const cases = runCases(loaded, NOW)

  it('passes its own tests', () => {
    expect(cases.map(({ got, failure }) => [got, failure])).toEqual([
      ['allow edit', undefined],
      ['deny', undefined],
      ['challenge edit', undefined],
    ])
  })

  it('leaves nothing to find but rules that no test reaches', () => {
    const codes = checkPolicies(loaded, { nowMs: NOW, sources: undefined, tests: cases }).map(
      ({ code }) => code,
    )
    expect(codes.filter((code) => code !== 'W10')).toEqual([])
    expect(codes.length).toBeGreaterThan(0)
  })

  it('accepts the tokens of service accounts in every section', () => {
    const accepted = loaded.set.routes.get('grafana')?.sections.map(({ accepts }) => accepts)
    expect(accepted).toEqual([
      ['session', 'bearer', 'service-account'],
      ['session', 'bearer', 'service-account'],
    ])
  })
})

// The list of named groups is that of all rules, whatever was known before, and stays itself where nothing changed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedGroups } from '../../../src/policy/named-groups.ts'
import { allSteps } from '../../../src/policy/steps.ts'
import { buildRoute } from '../../support/policy-builder.ts'

const routeOf = (groups: readonly string[], index: number) =>
  buildRoute({
    route: `r${index}`,
    hosts: [`r${index}.example.com`],
    sections: [{ path: '/', allow: { view: [{ kind: 'groups', anyOf: groups }] } }],
  })

const anyGroups = fc.array(fc.array(fc.string({ maxLength: 2 }), { maxLength: 8 }), { maxLength: 8 })

describe('the groups that rules name', () => {
  it('are each named once, sorted, whatever was named before', () => {
    fc.assert(
      fc.property(anyGroups, anyGroups, (lists, before) => {
        const earlier = [...new Set(before.flat())].toSorted()
        const found = allSteps(namedGroups(lists.map(routeOf), earlier))
        expect(found).toEqual([...new Set(lists.flat())].toSorted())
      }),
    )
  })

  it('are the earlier list itself where nothing changed, and another where one went', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `g${index}`)
    const first = allSteps(namedGroups([routeOf(many, 0)], []))
    expect(first).toEqual(many.toSorted())
    expect(allSteps(namedGroups([routeOf(many, 1)], first))).toBe(first)
    expect(allSteps(namedGroups([routeOf(many.slice(1), 2)], first))).toEqual(many.slice(1).toSorted())
  })
})

// The most specific section owns a path: exact before longer before literal before star, whatever the order.
import { describe, expect, it } from 'vitest'
import { buildSectionTree, findSection } from '../../../src/policy/section-tree.ts'
import { buildRoute } from '../../support/policy-builder.ts'

const owner = (paths: readonly string[], path: string): string | undefined => {
  const sections = buildRoute({
    route: 'app',
    hosts: ['app.example.com'],
    sections: paths.map((text) =>
      text.endsWith('!') ? { path: text.slice(0, -1), exact: true, allow: {} } : { path: text, allow: {} },
    ),
  }).sections
  for (const order of [sections, sections.toReversed()]) {
    const found = findSection(buildSectionTree(order), path)
    if (order === sections.toReversed()) expect(found).toBe(findSection(buildSectionTree(sections), path))
    if (order !== sections) return found && found.path.text + (found.path.below ? '' : '!')
  }
  return undefined
}

describe('a path belongs to', () => {
  it.each([
    [['/', '/public'], '/public', '/public'],
    [['/', '/public'], '/public/x', '/public'],
    [['/', '/public'], '/publicx', '/'],
    [['/', '/a/b/c'], '/a/b', '/'],
    [['/a', '/a!'], '/a', '/a!'],
    [['/a', '/a!'], '/a/b', '/a'],
    [['/a/b!', '/a'], '/a/b/c', '/a'],
    [['/*', '/a'], '/a', '/a'],
    [['/*', '/a'], '/b', '/*'],
    [['/*', '/'], '/', '/'],
    [['/a/*/c', '/a/b'], '/a/b/c', '/a/*/c'],
    [['/a/*/c', '/a/b'], '/a/b/d', '/a/b'],
    [['/a/*', '/*/b'], '/a/b', '/a/*'],
    [['/*/b!', '/a'], '/a/b', '/*/b!'],
    [['/a/b!', '/*/b!'], '/a/b', '/a/b!'],
    [['/x'], '/', undefined],
    [['/x!'], '/x/y', undefined],
    [['/*!'], '/', undefined],
    [['/a/*'], '/a', undefined],
    [[], '/', undefined],
  ])('of %j: %s → %s', (paths, path, expected) => {
    expect(owner(paths, path)).toBe(expected)
  })

  it('no star where a segment is empty', () => {
    expect(owner(['/a/*'], '/a//b')).toBeUndefined()
    expect(owner(['/a/*/b'], '/a//b')).toBeUndefined()
  })
})

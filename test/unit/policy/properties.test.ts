// What must hold for every policy, request and caller, not only for those that somebody thought of.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyEntry } from '../../../src/policy-file/schema.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import type { PolicySet } from '../../../src/policy/policy-set.ts'
import { ANONYMOUS, type Principal } from '../../../src/policy/principal.ts'
import { issueSpots, loadTexts } from '../../support/policy-text.ts'
import {
  allViews,
  referenceOutcome,
  type ReferenceOutcome,
  type ReferenceRequest,
} from '../../support/reference-evaluator.ts'
import { denyBody, NOW, plainPath, policy, principal, strangePath } from './arbitrary-policy.ts'

const HOST = 'app.example.com'
const RUNS = { numRuns: 120 }

/** JSON is YAML. */
const compiled = (entries: readonly PolicyEntry[]): PolicySet => {
  const load = loadTexts(
    Object.fromEntries(entries.map((entry) => [`${entry.route}.yaml`, JSON.stringify(entry)])),
  )
  if (load.kind === 'refused') throw new Error(JSON.stringify(load.issues[0]))
  return load.set
}

const factsOf = ({ host, method, path, preflight }: ReferenceRequest): RequestFacts | undefined => {
  const reading = readPath(path)
  if (reading.kind === 'malformed') return undefined
  return {
    host: normalizeHost(host)!,
    method,
    path: reading.path,
    preflight,
    origin: undefined,
    clientIp: undefined,
  }
}

const decide = (
  set: PolicySet,
  request: ReferenceRequest,
  caller: Principal | undefined,
  traced = false,
): Decision | undefined => {
  const facts = factsOf(request)
  if (facts === undefined) return undefined
  const match = matchRoute(set, facts)
  return evaluate(
    match,
    facts,
    (section) =>
      caller !== undefined && section.accepts.includes(caller.credential)
        ? { kind: 'verified', principal: caller }
        : ANONYMOUS,
    NOW,
    traced ? () => undefined : undefined,
  )
}

const outcome = (
  set: PolicySet,
  request: ReferenceRequest,
  caller: Principal | undefined,
): ReferenceOutcome => {
  const decision = decide(set, request, caller)
  if (decision === undefined || decision.outcome === 'indeterminate') return 'deny'
  return decision.outcome === 'challenge' && decision.demand.kind === 'step-up' ? 'step-up' : decision.outcome
}

const STRICTNESS: readonly ReferenceOutcome[] = ['allow', 'step-up', 'challenge', 'deny']
const strictness = (one: ReferenceOutcome): number => STRICTNESS.indexOf(one)

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'WEBSOCKET')
const request = (path: fc.Arbitrary<string>): fc.Arbitrary<ReferenceRequest> =>
  fc.record({
    host: fc.constantFrom(HOST, 'x.example.com', 'other.example.org'),
    method,
    path,
    preflight: fc.boolean(),
  })
const anyPath = fc.oneof(plainPath, strangePath)

/** One file for the host, and perhaps one for every host beside it. */
const folder = fc
  .tuple(policy('one', [HOST], ''), policy('wild', ['*.example.com'], ''), fc.boolean())
  .map(([one, wild, both]): readonly PolicyEntry[] => (both ? [one, wild] : [one]))

describe('the engine', () => {
  const asked = fc.array(fc.tuple(request(anyPath), principal), { minLength: 20, maxLength: 20 })
  const compare = (parameters: fc.Parameters<unknown>): ReadonlyMap<ReferenceOutcome, number> => {
    const seen = new Map<ReferenceOutcome, number>()
    fc.assert(
      fc.property(folder, asked, (entries, questions) => {
        const set = compiled(entries)
        for (const [one, caller] of questions) {
          const expected = referenceOutcome(entries, one, caller, NOW)
          seen.set(expected, (seen.get(expected) ?? 0) + 1)
          expect(outcome(set, one, caller)).toBe(expected)
        }
      }),
      parameters,
    )
    return seen
  }

  it('answers as a slow second reading of the language does', () => {
    compare(RUNS)
  })

  it('is compared where every outcome comes up', () => {
    const seen = compare({ numRuns: 120, seed: 4 })
    expect([...seen.keys()].toSorted()).toEqual(['allow', 'challenge', 'deny', 'step-up'])
  })

  it('answers the same with a trace and without', () => {
    fc.assert(
      fc.property(folder, request(anyPath), principal, (entries, one, caller) => {
        const set = compiled(entries)
        expect(decide(set, one, caller, true)).toEqual(decide(set, one, caller))
      }),
      RUNS,
    )
  })
})

describe('readings of a path', () => {
  it('are those of a second reader', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyPath,
          fc
            .string({
              unit: fc.constantFrom('/', '.', '%', '2', 'e', 'f', '5', 'c', ';', 'A', 'a', '\\'),
              maxLength: 14,
            })
            .map((text) => `/${text}`),
        ),
        (path) => {
          const reading = readPath(path)
          const expected = allViews(path)
          expect(reading.kind === 'malformed' ? undefined : [...reading.path.views].toSorted()).toEqual(
            expected?.toSorted(),
          )
        },
      ),
      { numRuns: 3000 },
    )
  })

  /** Folding takes one slash from the end of a view, so that a second reading may begin with fewer. */
  const bare = (view: string): string => view.replace(/\/+$/, '')

  it('are closed: reading a view again finds no new one', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const reading = readPath(path)
        if (reading.kind === 'malformed') return
        for (const view of reading.path.views.filter((one) => !/#|\/(?:\.{0,2}\/|\.{1,2}$)/.test(one))) {
          const again = readPath(view)
          // A decode may leave a bad escape, which is refused in a raw path and literal in a view.
          if (again.kind === 'read')
            expect(reading.path.views.map(bare)).toEqual(expect.arrayContaining(again.path.views.map(bare)))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('of a plain path are one, however it is folded', () => {
    fc.assert(
      fc.property(plainPath, (path) => {
        const reading = readPath(path)
        expect(reading.kind === 'read' && reading.path.views).toEqual([
          path === '/' ? '/' : path.toLowerCase().replace(/\/$/, ''),
        ])
      }),
    )
  })
})

/** Other spellings of a path that some reader takes for the path itself. */
const spelling = fc.constantFrom<(path: string) => string>(
  (path) => path.replace('a', '%61'),
  (path) => path.replace('b', '%2562'),
  (path) => path.replace(/^\//, '//'),
  (path) => path.replace(/^\//, '/./'),
  (path) => path.replace(/^\//, '/x/../'),
  (path) => path.replace(/^\//, '/x/%2e%2e/'),
  (path) => path.replace(/^\//, '/x/..;v=1/'),
  (path) => path.replace(/(.)\//, '$1%2f'),
  (path) => path.replace(/(.)\//, '$1\\'),
  (path) => path.replace(/(.)\//, '$1;v=1/'),
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `${path}/.`,
)

describe('another spelling', () => {
  it('never gets more than the plain one', () => {
    let widened = 0
    fc.assert(
      fc.property(folder, plainPath, spelling, method, principal, (entries, path, spell, verb, caller) => {
        const set = compiled(entries)
        const ask = (one: string): ReferenceOutcome =>
          outcome(set, { host: HOST, method: verb, path: one, preflight: false }, caller)
        const plain = ask(path)
        if (plain !== 'allow') widened += 1
        expect(strictness(ask(spell(path)))).toBeGreaterThanOrEqual(strictness(plain))
      }),
      { numRuns: 400 },
    )
    expect(widened).toBeGreaterThan(100)
  })
})

describe('policy only tightens', () => {
  it('by one more deny', () => {
    fc.assert(
      fc.property(folder, denyBody('/', false), request(anyPath), principal, (entries, body, one, caller) => {
        const [first, ...rest] = entries
        const root = first!.sections[0]!
        const tighter = {
          ...first!,
          sections: [
            { ...root, deny: [...(root.deny ?? []), { id: 'more', ...body }] },
            ...first!.sections.slice(1),
          ],
        }
        const before = outcome(compiled(entries), one, caller)
        const after = outcome(compiled([tighter, ...rest]), one, caller)
        expect(before !== 'allow' && after === 'allow').toBe(false)
      }),
      RUNS,
    )
  })

  it('by one allow less', () => {
    fc.assert(
      fc.property(folder, request(anyPath), principal, fc.nat(), (entries, one, caller, pick) => {
        const [first, ...rest] = entries
        const sections = first!.sections.map((section) => ({
          ...section,
          allow: section.allow.filter((_, index) => index !== pick % 3),
        }))
        const before = outcome(compiled(entries), one, caller)
        const after = outcome(compiled([{ ...first!, sections }, ...rest]), one, caller)
        expect(before !== 'allow' && after === 'allow').toBe(false)
      }),
      RUNS,
    )
  })

  it('by losing a group that no deny names', () => {
    fc.assert(
      fc.property(
        folder,
        request(anyPath),
        principal,
        fc.constantFrom('g1', 'g2', 'g3'),
        (entries, one, caller, lost) => {
          const named = entries.flatMap((entry) => entry.sections.flatMap((section) => section.deny ?? []))
          fc.pre(
            caller !== undefined &&
              !named.some((rule) => [...(rule.groups ?? []), ...(rule.all_groups ?? [])].includes(lost)),
          )
          const groups = caller.claims.get('groups')
          fc.pre(Array.isArray(groups) && groups.includes(lost))
          const poorer = {
            ...caller,
            claims: new Map([
              ...caller.claims,
              ['groups', (groups as readonly string[]).filter((group) => group !== lost)] as const,
            ]),
          }
          const set = compiled(entries)
          expect(outcome(set, one, caller) !== 'allow' && outcome(set, one, poorer) === 'allow').toBe(false)
        },
      ),
      RUNS,
    )
  })
})

describe('order', () => {
  it('of rules, sections and files changes no outcome', () => {
    fc.assert(
      fc.property(folder, request(anyPath), principal, (entries, one, caller) => {
        const turned = entries.toReversed().map((entry) => ({
          ...entry,
          sections: entry.sections.toReversed().map((section) => ({
            ...section,
            allow: section.allow.toReversed(),
            ...(section.deny === undefined ? {} : { deny: section.deny.toReversed() }),
          })),
        }))
        expect(outcome(compiled(turned), one, caller)).toBe(outcome(compiled(entries), one, caller))
      }),
      RUNS,
    )
  })
})

describe('loading', () => {
  it('refuses an unknown key wherever it stands', () => {
    fc.assert(
      fc.property(
        folder,
        fc.nat(),
        fc.constantFrom('alow', 'Groups', 'group', 'x', 'constructor', 'toString'),
        ([entry], pick, key) => {
          const copy = structuredClone(entry!) as PolicyEntry & Record<string, unknown>
          const rules = copy.sections.flatMap((section) => [...(section.deny ?? []), ...section.allow])
          const places: Record<string, unknown>[] = [copy, ...copy.sections, ...rules]
          places[pick % places.length]![key] = 'x'
          expect(issueSpots(loadTexts({ 'one.yaml': JSON.stringify(copy) }))[0]).toMatch(/^E01 /)
        },
      ),
      RUNS,
    )
  })

  it('gives a set or issues for any text, and never throws', () => {
    const piece = fc.constantFrom(
      'apiVersion: postern/v1\n',
      'route: a\n',
      'hosts: [a.b]\n',
      'sections:\n',
      '- path: /\n',
      '  allow:\n',
      '  - {id: a, groups: [b]}\n',
      '[',
      ']',
      '{',
      '}',
      ': ',
      '- ',
      '"',
      "'",
      '&a ',
      '*a',
      '!!str ',
      '|\n',
      '>\n',
      '#',
      '\n',
      '---\n',
      '? ',
      '<<: ',
      'null',
      '%',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
          fc.string({ unit: 'binary', maxLength: 60 }),
        ),
        (text) => {
          const load = loadTexts({ 'a.yaml': text })
          expect(load.kind === 'loaded' || load.issues.length > 0).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })
})

// Single rules that are well-formed and still wrong: they can never hit, say nothing new, or trust too widely or too long.
import { didYouMean } from '../policy/closest-word.ts'
import { daysLeft } from './calendar.ts'
import { reachFindings } from './check-reach.ts'
import { trustFindings } from './check-trust.ts'
import type { Directory } from './directory.ts'
import { ruleImplies } from './implies.ts'
import type { Neighbours } from './neighbour.ts'
import type { Finding } from './placed.ts'
import { finding, predicateOf } from './rule-finding.ts'
import { ownDenies, writtenRules, type WrittenRule, type WrittenSection } from './written-rule.ts'

const NOTICE_DAYS = 14

/** Never throws. */
export const ruleFindings = (
  sections: readonly WrittenSection[],
  near: Neighbours,
  directory: Directory,
  nowMs: number,
): readonly Finding[] =>
  sections
    .flatMap(writtenRules)
    .flatMap((one) => [
      ...ended(one, nowMs),
      ...reachFindings(one, near),
      ...redundant(one),
      ...unknownGroups(one, directory),
      ...trustFindings(one, near, nowMs),
    ])

const ended = (one: WrittenRule, nowMs: number): readonly Finding[] => {
  const until = predicateOf(one, 'until')
  if (until === undefined) return []
  if (until.atMs <= nowMs)
    return [
      finding(one, ['until'], 'value', 'E03', [
        `\`${one.rule.id}\` ended on ${until.text}`,
        'it allows nobody any more',
        'remove the rule',
      ]),
    ]
  const days = daysLeft(until.atMs, nowMs)
  if (days >= NOTICE_DAYS) return []
  return [
    finding(one, ['until'], 'value', 'W26', [
      `\`${one.rule.id}\` ends in ${days} days`,
      `its last day is ${until.text}`,
      'move its callers to another rule, or extend it with a reason',
    ]),
  ]
}

const redundant = (one: WrittenRule): readonly Finding[] => {
  const { rule, section } = one
  const peers = rule.effect === 'allow' ? section.allow : section.deny
  const isInherited = (index: number): boolean => rule.effect === 'deny' && index >= ownDenies(one).length
  const wider = peers.find(
    (other, index) =>
      other !== rule &&
      ruleImplies(rule, other) &&
      // Of two equal rules the later one is redundant; an inherited deny stands before all of them.
      (!ruleImplies(other, rule) || index < peers.indexOf(rule) || isInherited(index)),
  )
  if (wider === undefined) return []
  return [
    finding(one, ['id'], 'value', 'W04', [
      `\`${rule.id}\` adds nothing to \`${wider.id}\``,
      `whatever it hits, \`${wider.id}\`${wider.from === rule.from ? '' : ` of \`${wider.from}\``} hits too`,
      'remove it, or narrow the other one',
    ]),
  ]
}

const unknownGroups = (one: WrittenRule, directory: Directory): readonly Finding[] => {
  const { groups } = directory
  if (groups === undefined) return []
  return (['groups', 'all_groups'] as const).flatMap((key) =>
    (one.written[key] ?? []).flatMap((group, index) =>
      groups.has(group)
        ? []
        : [
            finding(one, [key, index], 'value', 'E05', [
              `unknown group \`${group}\`${didYouMean(group, groups)}`,
              '`groups` of `directory.yaml` does not list it',
              'correct it, or add it there',
            ]),
          ],
    ),
  )
}

// What lets people in without a credential: too long, too wide, or not looked at again.
import { pathCovers } from '../policy/path-pattern.ts'
import { bypassKind } from '../policy/rule.ts'
import { daysLeft, endMs, parseMoment } from './calendar.ts'
import type { Neighbours } from './neighbour.ts'
import type { Finding } from './placed.ts'
import { finding, predicateOf } from './rule-finding.ts'
import type { WrittenRule } from './written-rule.ts'

const NETWORK_DAYS = 90

/** Never throws. */
export const trustFindings = (one: WrittenRule, near: Neighbours, nowMs: number): readonly Finding[] => {
  if (one.rule.effect === 'deny') return []
  const until = predicateOf(one, 'until')
  const found: Finding[] = []
  if (bypassKind(one.rule) === 'network' && until !== undefined && daysLeft(until.atMs, nowMs) > NETWORK_DAYS)
    found.push(
      finding(one, ['until'], 'value', 'E07', [
        `\`${one.rule.id}\` trusts a network for more than ${NETWORK_DAYS} days`,
        'an address is no identity, and such exceptions stay',
        `end it within ${NETWORK_DAYS} days, and extend it with a reason`,
      ]),
    )
  const review = one.rule.review === undefined ? undefined : parseMoment(one.rule.review)
  if (review !== undefined && endMs(review) <= nowMs)
    found.push(
      finding(one, ['review'], 'value', 'E08', [
        `the review of \`${one.rule.id}\` was due on ${one.rule.review ?? ''}`,
        'a public rule is looked at again; it goes on until somebody does',
        'see that it is still needed, and set the next date',
      ]),
    )
  return [...found, ...publicPrefix(one, near)]
}

const publicPrefix = (one: WrittenRule, near: Neighbours): readonly Finding[] => {
  if (one.written.anyone !== true || one.written.paths !== undefined || !one.section.path.below) return []
  const covered = near(one.route).find(
    (other) =>
      other.section !== one.section &&
      pathCovers(one.section.path, other.section.path) &&
      !other.entry.allow.some((rule) => rule.anyone === true),
  )
  if (covered === undefined) return []
  return [
    finding(one, ['anyone'], 'key', 'E08', [
      `\`${one.rule.id}\` makes \`${one.entry.path}\` public, around \`${covered.entry.path}\``,
      'what is guarded inside a public prefix is one mistyped section away from being public',
      'name the public paths with `paths`, or move the section out',
    ]),
  ]
}

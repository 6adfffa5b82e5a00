// Where a later file takes the place of what an earlier one says, and that decides whom to trust: it loads, for that is
// what several files are for, but not without a word. Nobody finds a second `issuer` by reading the first file.
import type { Complain } from './complaint.ts'
import { originText, pathText, type ConfigIssue, type Path } from './issue.ts'
import type { JoinedSource } from './joined-source.ts'
import type { Layers } from './layers.ts'

/** `'*'` stands for any entry of a list; whatever lies below counts too. */
const TRUSTED: readonly (readonly string[])[] = [
  ['proxies'],
  ['providers', '*', 'issuer'],
  ['providers', '*', 'emailTrusted'],
  ['issuers', '*', 'issuer'],
  ['issuers', '*', 'jwksUri'],
  ['issuers', '*', 'audience'],
  ['audit', 'sink'],
  ['session', 'keys'],
  ['admin'],
]

/**
 * Warns of each such value, at its place in the later file and with the places that it is over.
 * @returns nothing for what says the same again, or what a variable or flag overrides anyway. Never throws.
 */
export const overruledIssues = (
  source: JoinedSource,
  layers: Layers,
  complain: Complain,
): readonly ConfigIssue[] =>
  source.overruled
    .filter(({ path }) => decidesTrust(path) && layers.overriddenBy(path) === undefined)
    .map(({ path, over }) => {
      const places = over.map(originText).join(', ')
      return complain(
        path,
        'value',
        `\`${pathText(path)}\`: this is over ${places}, which says something else`,
      )
    })

const decidesTrust = (path: Path): boolean =>
  TRUSTED.some((known) => isWithin(path, known) || isWithin(known, path))

/** True where a path is another one or lies below it. */
const isWithin = (path: Path, other: Path): boolean =>
  other.every((step, index) => {
    const own = path[index]
    return (
      own === step || (step === '*' && typeof own === 'number') || (own === '*' && typeof step === 'number')
    )
  })

// How paths, hosts and origins of a policy must be written, so that a pattern means one thing on every view of a path.
import { domainToASCII } from 'node:url'
import { parseHostPattern } from '../policy/host-pattern.ts'
import type { Fault } from './issue.ts'

const law = (what: string, why: string, mend: string): Fault => ({ code: 'E20', what, why, mend })

/**
 * Judges the path of a section or a rule.
 * @param text absolute already
 * @param below whether a final `/**` is meant (rules); a section covers what is below it anyway
 * @returns the fault, or undefined; never throws
 */
export const pathFault = (text: string, below: boolean): Fault | undefined => {
  const shown = `\`${text}\``
  if (!below && text.endsWith('/**'))
    return law(
      `${shown} ends in \`/**\``,
      'a section covers what is below it',
      'drop `/**`; use `exact: true` for one path',
    )
  const path = below && text.endsWith('/**') ? text.slice(0, -3) : text
  const segments = path.split('/').slice(1)
  if (/[?#]/.test(path)) return law(`${shown} has a query or fragment`, 'only the path takes part', 'drop it')
  if (/[%\\;]|[^\x21-\x7e]/.test(path))
    return law(
      `${shown} has an escape, \`\\\`, \`;\`, a space or a letter beyond ASCII`,
      'such a path has several spellings, and no pattern would match all of them',
      'use `*` for that segment',
    )
  if (segments.some((segment) => segment === '.' || segment === '..'))
    return law(
      `${shown} has a dot segment`,
      'no request path has one after it is resolved',
      'write the resolved path',
    )
  if (path.includes('//'))
    return law(`${shown} has an empty segment`, 'slashes are merged', 'write one slash')
  if (segments.some((segment) => segment.includes('*') && segment !== '*'))
    return law(
      `${shown} has a \`*\` inside a segment`,
      '`*` is one whole segment',
      'write `*`, or the whole segment',
    )
  if (!/^[A-Za-z0-9_.~!$&'()*+,=:@/-]*$/.test(path))
    return law(
      `${shown} has a character that no plain path has`,
      'it would be escaped in a request',
      'use `*`',
    )
  return undefined
}

/** Judges a host of a route. Never throws. */
export const hostFault = (text: string): Fault | undefined => {
  const shown = `\`${text}\``
  if (text.includes('://') || text.includes('/'))
    return law(
      `${shown} is an address, not a host`,
      'paths and schemes are not part of a host',
      'write the host alone',
    )
  if (/:\d+$/.test(text) && !text.startsWith('['))
    return law(`${shown} has a port`, 'ports are dropped before hosts are compared', 'drop the port')
  if (/[^\x21-\x7e]/.test(text)) {
    const ascii = domainToASCII(text)
    const mend = ascii === '' ? 'write its A-labels' : `write \`${ascii}\``
    return law(`${shown} is not in A-labels`, 'proxies report hosts in ASCII', mend)
  }
  if (text !== text.toLowerCase())
    return law(
      `${shown} has upper-case letters`,
      'hosts are compared in lower case',
      `write \`${text.toLowerCase()}\``,
    )
  if (text.slice(1).includes('*') || text === '*')
    return law(
      `${shown} has a \`*\` that is not its first label`,
      '`*.x` is exactly one label',
      'write `"*.example.com"`',
    )
  return parseHostPattern(text) === undefined
    ? law(`${shown} is no host`, 'it would never be matched', 'write it like `app.example.com`')
    : undefined
}

/** Judges an origin of `origins`. Never throws. */
export const originFault = (text: string): Fault | undefined => {
  const ok = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[1-9]\d{0,4})?$/.test(text)
  const defaultPort = /^https:.*:443$|^http:.*:80$/.test(text)
  if (ok && !defaultPort) return undefined
  return {
    code: 'E16',
    what: `\`${text}\` is no origin`,
    why: 'browsers send scheme, host and a port that is not the default one, in lower case',
    mend: 'write it like `https://app.example.com`',
  }
}

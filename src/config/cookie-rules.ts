// Would a browser take the session cookie? Rules between `publicUrl` and `session`.
import { normalizeHost } from '../policy/host-pattern.ts'
import { error, warning, type Finding } from './finding.ts'
import type { Path } from './issue.ts'
import { parsePublicUrl } from './public-url.ts'
import type { Settings } from './schema.ts'

/** Judges where the session cookie is said to be valid. Never throws. */
export const sessionFindings = ({ session, publicUrl, providers }: Settings): readonly Finding[] => {
  const reading = parsePublicUrl(publicUrl)
  if (reading.kind === 'bad') return []
  const { host, basePath } = reading.url
  if (session.host) return perHostFindings(session, basePath)
  if (session.prefix !== undefined)
    return [error(['session', 'prefix'], 'it counts only with `session.host: true`; leave it out')]
  if (session.domain === undefined)
    return providers.length === 0
      ? []
      : [
          warning(
            ['session'],
            `without \`session.domain\` a session is valid on ${host} alone; name the parent domain of your applications`,
          ),
        ]
  return domainFindings(session.domain, host)
}

const perHostFindings = ({ domain }: Settings['session'], basePath: string): readonly Finding[] => [
  ...(domain === undefined
    ? []
    : [
        error(
          ['session', 'domain'],
          'with `session.host: true` each host has a cookie of its own and none is for a domain; leave one of the two out',
        ),
      ]),
  ...(basePath === ''
    ? []
    : [
        warning(
          ['publicUrl'],
          'an application on this host gets the cookie of sign-in, and with it a session on every host; give sign-in a host of its own',
        ),
      ]),
]

const domainFindings = (domain: string, host: string): readonly Finding[] => {
  const at: Path = ['session', 'domain']
  const name = normalizeHost(domain)
  if (name === undefined || name !== domain)
    return [
      error(at, 'write a domain in lower case without leading dot, port or wildcard, such as `example.com`'),
    ]
  if (host !== name && !host.endsWith(`.${name}`))
    return [
      error(
        at,
        `\`${name}\` is no parent of the host of \`publicUrl\`, \`${host}\`, so no browser would take the cookie`,
      ),
    ]
  return host === name || name.includes('.')
    ? []
    : [
        error(
          at,
          `\`${name}\` is a top-level domain, for which browsers take no cookie; name your own domain below it`,
        ),
      ]
}

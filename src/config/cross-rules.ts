// What no key of the configuration can say alone: rules between keys, and between keys and the secrets they name.
import { sessionFindings } from './cookie-rules.ts'
import { parseDurationMs } from './duration.ts'
import { error, warning, type Finding } from './finding.ts'
import type { Path } from './issue.ts'
import { auditFindings } from './audit-rules.ts'
import { faultOfLogKey, faultOfSessionKey, faultOfSigningKey, faultOfToken } from './key-check.ts'
import { kubernetesFindings } from './kubernetes-rules.ts'
import type { Settings } from './schema.ts'
import type { Secrets } from './secret-source.ts'

/** Judges settings that fit the schema. Never throws. */
export const crossFindings = (settings: Settings, secrets: Secrets): readonly Finding[] => [
  ...sourceFindings(settings),
  ...kubernetesFindings(settings),
  ...sessionFindings(settings),
  ...durationFindings(settings),
  ...listenFindings(settings),
  ...trustFindings(settings),
  ...replicaFindings(settings),
  ...auditFindings(settings),
  ...keyFindings(settings, secrets),
]

const sourceFindings = ({ providers, issuers, admin }: Settings): readonly Finding[] => {
  const ids: readonly (readonly [Path, string])[] = [
    ...providers.map(({ id }, index) => [['providers', index, 'id'], id] as const),
    ...issuers.map(({ id }, index) => [['issuers', index, 'id'], id] as const),
  ]
  const tokenIds = (admin.tokens ?? []).map(
    ({ id }, index) => [['admin', 'tokens', index, 'id'], id] as const,
  )
  return [
    ...repeated(ids, 'ids are unique over `providers` and `issuers`, since policies and the log name them'),
    ...repeated(tokenIds, 'each token needs an id of its own, so that the log can tell who acted'),
    ...audienceFindings(providers, issuers),
  ]
}

const repeated = (entries: readonly (readonly [Path, string])[], why: string): readonly Finding[] =>
  entries
    .filter(([, id], index) => entries.findIndex(([, other]) => other === id) < index)
    .map(([path, id]) => error(path, `\`${id}\` is there already; ${why}`))

/** An ID token names the client as its audience: were that accepted, it would pass for an access token. */
const audienceFindings = (
  providers: Settings['providers'],
  issuers: Settings['issuers'],
): readonly Finding[] =>
  issuers.flatMap(({ audience }, index) =>
    (typeof audience === 'string' ? [audience] : audience)
      .filter((one) => providers.some(({ clientId }) => clientId === one))
      .map((one) =>
        error(
          ['issuers', index, 'audience'],
          `\`${one}\` is the \`clientId\` of a provider too, so its ID tokens would pass as bearer tokens; give the API an audience of its own`,
        ),
      ),
  )

const durationFindings = ({ session, assertion }: Settings): readonly Finding[] => {
  const ms = (text: string): number => parseDurationMs(text) ?? 0
  const found: Finding[] = []
  if (ms(session.idle) > ms(session.absolute))
    found.push(
      error(
        ['session', 'idle'],
        `\`${session.idle}\` is longer than \`session.absolute\`, \`${session.absolute}\`, so it would never end a session`,
      ),
    )
  if (assertion !== undefined && (ms(assertion.lifetime) > 300_000 || ms(assertion.lifetime) < 2000))
    found.push(
      error(
        ['assertion', 'lifetime'],
        `\`${assertion.lifetime}\` is not between \`2s\` and \`5m\`: an assertion cannot be called back`,
      ),
    )
  return found
}

const listenFindings = ({ listen }: Settings): readonly Finding[] => {
  const entries = Object.entries(listen).filter(([, address]) => !address.endsWith(':0'))
  return entries
    .filter(([, address], index) => entries.findIndex(([, other]) => other === address) < index)
    .map(([name, address]) =>
      error(['listen', name], `\`${address}\` is taken by another listener; each needs its own`),
    )
}

const trustFindings = ({ proxies }: Settings): readonly Finding[] =>
  proxies.key === undefined
    ? proxies.trusted.flatMap((network, index) =>
        network.endsWith('/0')
          ? [
              warning(
                ['proxies', 'trusted', index],
                `\`${network}\` trusts every address; share a \`proxies.key\` with your proxy as well`,
              ),
            ]
          : [],
      )
    : []

const replicaFindings = ({ state }: Settings): readonly Finding[] =>
  state.replicas > 1
    ? [
        error(
          ['state', 'replicas'],
          `${state.replicas} replicas cannot share the state of \`kind: memory\`: a session revoked on one would live on the others; run one replica`,
        ),
      ]
    : []

const keyFindings = (settings: Settings, secrets: Secrets): readonly Finding[] => {
  const check = (
    path: Path,
    key: string,
    judge: (text: string) => string | undefined,
  ): readonly Finding[] => {
    const fault = secrets.has(key) ? judge(secrets.get(key)?.reveal() ?? '') : undefined
    return fault === undefined ? [] : [error(path, fault)]
  }
  const { assertion } = settings
  return [
    ...settings.session.keys.flatMap((_, index) =>
      check(['session', 'keys', index], `session.keys[${index}]`, faultOfSessionKey),
    ),
    ...check(['proxies', 'key'], 'proxies.key', faultOfToken),
    ...check(['admin', 'token'], 'admin.token', faultOfToken),
    ...(settings.admin.tokens ?? []).flatMap((_, index) =>
      check(['admin', 'tokens', index], `admin.tokens[${index}]`, faultOfToken),
    ),
    ...check(['audit', 'chain', 'key'], 'audit.chain.key', faultOfLogKey),
    ...(assertion === undefined
      ? []
      : check(['assertion', 'key'], 'assertion.key', (pem) => faultOfSigningKey(pem, assertion.alg))),
  ]
}

// What holds of issuers of kind `kubernetes` alone: their callers are machines, and the API server's own tokens are not
// for anybody else.
import { error, type Finding } from './finding.ts'
import type { Settings } from './schema.ts'

/** Never throws. */
export const kubernetesFindings = ({ issuers }: Settings): readonly Finding[] =>
  issuers.flatMap((issuer, index) =>
    issuer.kind === 'kubernetes'
      ? [...peopleFindings(issuer, index), ...audienceFindings(issuer, index)]
      : [],
  )

type Issuer = Settings['issuers'][number]

const peopleFindings = ({ subjects }: Issuer, index: number): readonly Finding[] =>
  subjects === 'people'
    ? [error(['issuers', index, 'subjects'], 'a service account is no person; leave `subjects` out')]
    : []

/** Every pod holds a token for the API, which may be valid for a year. */
const audienceFindings = ({ issuer, audience }: Issuer, index: number): readonly Finding[] =>
  [audience]
    .flat()
    .filter((one) => one === issuer || one.startsWith('https://kubernetes.default.svc'))
    .map((one) =>
      error(
        ['issuers', index, 'audience'],
        `\`${one}\` is what tokens for the Kubernetes API are for, and every pod has one; take an audience of Postern's own, and project tokens for it`,
      ),
    )

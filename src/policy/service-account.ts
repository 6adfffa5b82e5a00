// The names of Kubernetes service accounts: how a policy writes one, and how a token's subject does.

const NAMESPACE = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const NAME = '(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*'

/** `namespace/name`: a DNS label and a DNS subdomain (RFC 1123), as Kubernetes has them. */
export const SERVICE_ACCOUNT = new RegExp(`^${NAMESPACE}/${NAME}$`)

const SUBJECT = new RegExp(`^system:serviceaccount:(${NAMESPACE}):(${NAME})$`)

/**
 * Reads the subject of a service account's token.
 * @param subject untrusted
 * @returns `namespace/name`; undefined for any other subject. Never throws.
 */
export const serviceAccountOf = (subject: string): string | undefined => {
  const [, namespace, name] = SUBJECT.exec(subject) ?? []
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

/**
 * The subject that the tokens of a service account have.
 * @param account `namespace/name`
 */
export const serviceAccountSubject = (account: string): string =>
  `system:serviceaccount:${account.replace('/', ':')}`

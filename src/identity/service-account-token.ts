// What a token must be beside good to make its bearer a Kubernetes service account: the cluster says so twice, and the
// token is for us alone and not for long. Nothing here asks the cluster whether the account is still there.
import { serviceAccountOf } from '../policy/service-account.ts'
import { audiencesOf } from './bearer-token.ts'
import type { IssuerSource } from './source.ts'
import { isObject, ownValue, type JsonObject } from './strict-json.ts'

export type AccountJudgement =
  | { readonly kind: 'account'; readonly name: string }
  | { readonly kind: 'bad'; readonly why: string }

interface AccountTimes {
  readonly expiresAtSeconds: number
  readonly issuedAtSeconds: number | undefined
}

/**
 * Judges the claims of a token of an issuer of kind `kubernetes`.
 * @param payload untrusted
 * @param subject its `sub`
 * @param times finite numbers
 * @returns the account as `namespace/name`, or what is wrong in words without values. Never throws.
 */
export const judgeAccount = (
  payload: JsonObject,
  subject: string,
  times: AccountTimes,
  source: IssuerSource,
): AccountJudgement => {
  const name = serviceAccountOf(subject)
  if (name === undefined) return bad('its `sub` is no service account')
  if (Object.hasOwn(payload, CLUSTER_CLAIM) && accountInClaim(payload) !== name)
    return bad(`its \`sub\` and its \`${CLUSTER_CLAIM}\` do not name one account`)
  // Whoever else it is for could bring it here.
  if (!audiencesOf(payload).every((audience) => source.audiences.includes(audience)))
    return bad('it is for other audiences too')
  return isLongLived(times, source) ? bad('it is valid for too long') : { kind: 'account', name }
}

/** Bound tokens carry it (Kubernetes, `pkg/serviceaccount/claims.go`). */
const CLUSTER_CLAIM = 'kubernetes.io'

const bad = (why: string): AccountJudgement => ({ kind: 'bad', why })

const accountInClaim = (payload: JsonObject): string | undefined => {
  const claim = ownValue(payload, CLUSTER_CLAIM)
  const account = isObject(claim) ? ownValue(claim, 'serviceaccount') : undefined
  if (!isObject(claim) || !isObject(account)) return undefined
  const namespace = ownValue(claim, 'namespace')
  const name = ownValue(account, 'name')
  return typeof namespace === 'string' && typeof name === 'string' ? `${namespace}/${name}` : undefined
}

/** Both times are of one clock, so there is nothing to allow for. */
const isLongLived = ({ expiresAtSeconds, issuedAtSeconds }: AccountTimes, source: IssuerSource): boolean =>
  source.maxTokenAgeSeconds !== undefined &&
  (issuedAtSeconds === undefined || expiresAtSeconds - issuedAtSeconds > source.maxTokenAgeSeconds)

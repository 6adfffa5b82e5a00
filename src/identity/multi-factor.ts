// What counts as a second factor, by the source's own words or by the default.
import { hasTwoFactors } from '../policy/principal.ts'
import type { IdentitySource } from './source.ts'

/** True where `amr` or `acr` prove what the source calls a second factor. Never throws. */
export const isMultiFactor = (
  source: Pick<IdentitySource, 'mfa'>,
  amr: readonly string[],
  acr: string | undefined,
): boolean => {
  const { mfa } = source
  if (mfa === undefined) return hasTwoFactors(amr)
  return amr.some((method) => mfa.amr.includes(method)) || (acr !== undefined && mfa.acr.includes(acr))
}

// Prepares what an allow tells the application: the identity headers under the names it wants, with a signed assertion.
import type { Prepared, PrepareIdentity } from '../decide/ruling.ts'
import type { Assertion, AssertionSigner } from '../identity/assertion.ts'
import { believes } from '../identity/believed.ts'
import type { IdentitySource } from '../identity/source.ts'
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { Principal } from '../policy/principal.ts'
import type { Route } from '../policy/route.ts'
import { identityHeaders, userOf, type IdentityWarning } from '../proxy/identity-headers.ts'

export interface PreparationDeps {
  readonly sources: readonly IdentitySource[]
  /** Undefined where no assertion is configured. */
  readonly signer: AssertionSigner | undefined
  readonly onWarning: (route: string, warning: IdentityWarning) => void
}

/** Makes the preparation. Asynchronous only while an assertion is being signed. */
export const makePrepareIdentity = (deps: PreparationDeps): PrepareIdentity => {
  const qualifiedRoutes = new WeakMap<Route, boolean>()
  const isQualified = (route: Route): boolean => {
    const known = qualifiedRoutes.get(route) ?? qualifies(route, deps.sources)
    qualifiedRoutes.set(route, known)
    return known
  }
  return (route, _, verified, identity) => {
    const { authentication } = verified
    const principal =
      identity === 'caller' && authentication.kind === 'verified' ? authentication.principal : undefined
    const qualified = isQualified(route)
    const withAssertion = (assertion: Assertion | undefined): Prepared =>
      prepare(deps, route, principal, qualified, assertion)
    if (principal === undefined || deps.signer === undefined || route.identity.assertion === '')
      return withAssertion(undefined)
    const subject = userOf(principal, qualified)
    // A caller whose name is not known gets no assertion: an empty `sub` would be somebody.
    if (subject === '') return withAssertion(undefined)
    const assertion = deps.signer.assert(principal, route.id, subject)
    return assertion instanceof Promise ? assertion.then(withAssertion) : withAssertion(assertion)
  }
}

/**
 * Where a route believes several sources and not each maps `user`, two people could share a name. A source whose kind no
 * section accepts brings nobody: that it is configured must not rename anybody.
 */
const qualifies = (route: Route, sources: readonly IdentitySource[]): boolean => {
  const accepted = new Set(route.sections.flatMap((section) => section.accepts))
  const believed = sources.filter((source) => believes(route, source) && accepted.has(kindOf(source)))
  return believed.length > 1 && !believed.every((source) => Object.hasOwn(source.claims, 'user'))
}

const kindOf = (source: IdentitySource): CredentialKind =>
  source.kind === 'provider' ? 'session' : source.credential

const prepare = (
  deps: PreparationDeps,
  route: Route,
  principal: Principal | undefined,
  qualified: boolean,
  assertion: Assertion | undefined,
): Prepared => {
  const { headers, warnings } = identityHeaders({
    names: route.identity,
    principal,
    assertion: assertion?.token ?? '',
    qualified,
  })
  for (const warning of warnings) deps.onWarning(route.id, warning)
  return {
    headers,
    untilMs: assertion === undefined ? Number.POSITIVE_INFINITY : assertion.renewAtSeconds * 1000,
  }
}

// When the demo's provider asks for a login although somebody is signed in: account choice and step-up.
import type { interactionPolicy } from 'oidc-provider'

/** What a password alone, and a pretended second factor, are called in `acr`. */
export const PASSWORD_ACR = 'urn:example:password'
export const SECOND_FACTOR_ACR = 'urn:example:second-factor'

/** The part of the library that is needed; a value, since it is loaded when the demo starts. */
export interface PromptLibrary {
  readonly interactionPolicy: typeof interactionPolicy
}

/** The library's prompts without consent (everybody trusts the demo), with account choice and wanted `acr_values`. */
export const loginPrompts = ({ interactionPolicy }: PromptLibrary): readonly interactionPolicy.Prompt[] => {
  const prompts = interactionPolicy.base()
  prompts.remove('consent')
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  prompts
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'wanted_acr',
        'a stronger authentication is required',
        ({ oidc }) =>
          wantsSecondFactor(oidc.params?.['acr_values']) &&
          oidc.session?.acr !== SECOND_FACTOR_ACR &&
          oidc.result?.login === undefined,
      ),
    )
  return prompts
}

/** True where `acr_values` (OIDC Core §3.1.2.1) asks for the second factor. */
export const wantsSecondFactor = (acrValues: unknown): boolean =>
  typeof acrValues === 'string' && acrValues.split(' ').includes(SECOND_FACTOR_ACR)

// Who an application of the demo thinks is calling: what the identity headers say, and what the assertion proves.
import type { AssertionVerdict, CheckAssertion } from './assertion-check.ts'

export interface Caller {
  readonly user: string
  readonly email: string
  readonly groups: string
  readonly assertion: AssertionVerdict
  /** The assertion holds and names the user of the header: the header did not come past Postern. */
  readonly isProved: boolean
}

/** Reads the caller of one request; never rejects. */
export const readCaller = async (headers: Headers, check: CheckAssertion): Promise<Caller> => {
  const user = headers.get('x-auth-request-user') ?? ''
  const assertion = await check(headers.get('x-postern-assertion') ?? undefined)
  return {
    user,
    email: headers.get('x-auth-request-email') ?? '',
    groups: headers.get('x-auth-request-groups') ?? '',
    assertion,
    isProved: assertion.kind === 'valid' && assertion.subject === user,
  }
}

/** The verdict in words, for the foot of a page. */
export const proofInWords = ({ user, assertion, isProved }: Caller): string => {
  switch (assertion.kind) {
    case 'valid':
      return isProved
        ? `X-Postern-Assertion is signed by Postern for ${assertion.subject}`
        : `X-Postern-Assertion is for ${assertion.subject}, but the header says ${user}`
    case 'missing':
      return 'there is no X-Postern-Assertion: nothing proves the headers'
    case 'invalid':
      return `X-Postern-Assertion proves nothing: ${assertion.why}`
  }
}

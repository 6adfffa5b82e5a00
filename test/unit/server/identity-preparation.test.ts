// The name under which an application knows somebody changes only where two people could share it.
import { describe, expect, it } from 'vitest'
import type { IssuerSource, ProviderSource } from '../../../src/identity/source.ts'
import type { Route } from '../../../src/policy/route.ts'
import { makePrepareIdentity } from '../../../src/server/identity-preparation.ts'
import { person } from '../../support/policy-builder.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const SHARED = { claims: { email: 'email' }, isDefault: true, emailTrusted: false, mfa: undefined }

const provider = (id: string, claims: ProviderSource['claims'] = SHARED.claims): ProviderSource => ({
  ...SHARED,
  kind: 'provider',
  id,
  issuer: `https://${id}.example.com`,
  clientId: 'postern',
  claims,
})

const issuer = (id: string, credential: IssuerSource['credential'] = 'bearer'): IssuerSource => ({
  ...SHARED,
  kind: 'issuer',
  id,
  issuer: `https://${id}.example.com`,
  audiences: ['postern-ci'],
  credential,
  algorithms: ['RS256'],
  jwksUri: undefined,
  subjects: 'people',
  tokenTypes: ['jwt'],
  maxTokenAgeSeconds: undefined,
})

const routeThat = (accepts: string): Route => {
  const { set } = loadedTexts({
    'app.yaml': `apiVersion: postern/v1
route: app
hosts: [app.example.com]
sections:
- {path: /, allow: [{id: in, groups: [sre]}]}
- {path: /api, accepts: [${accepts}], allow: [{id: all, authenticated: true}]}
`,
  })
  const route = set.routes.get('app')
  if (route === undefined) throw new Error('no route')
  return route
}

/** `X-Auth-Request-User` of ada at `corp`. */
const userAt = async (
  route: Route,
  sources: readonly (ProviderSource | IssuerSource)[],
): Promise<string | undefined> => {
  const prepareIdentity = makePrepareIdentity({ sources, signer: undefined, onWarning: () => undefined })
  const [section] = route.sections
  if (section === undefined) throw new Error('no section')
  const verified = {
    authentication: { kind: 'verified', principal: person('ada', []) },
    consumed: 'cookie',
    revocable: undefined,
    note: undefined,
    foreignAuthorization: false,
  } as const
  const { headers } = await prepareIdentity(route, section, verified, 'caller')
  return headers[headers.indexOf('X-Auth-Request-User') + 1]
}

describe('the user of a route', () => {
  it('is the subject alone where one source can bring one', async () => {
    expect(await userAt(routeThat('session'), [provider('corp')])).toBe('ada')
  })

  it('names its source where a second provider can bring one', async () => {
    expect(await userAt(routeThat('session'), [provider('corp'), provider('partner')])).toBe('corp|ada')
  })

  it('stays as it was where an issuer is added whose tokens no section takes', async () => {
    const sources = [provider('corp'), issuer('ci'), issuer('cluster', 'service-account')]
    expect(await userAt(routeThat('session'), sources)).toBe('ada')
    expect(await userAt(routeThat('session, bearer'), sources)).toBe('corp|ada')
  })

  it('names its source where some section takes the tokens of a cluster', async () => {
    const sources = [provider('corp'), issuer('cluster', 'service-account')]
    expect(await userAt(routeThat('session, bearer'), sources)).toBe('ada')
    expect(await userAt(routeThat('session, service-account'), sources)).toBe('corp|ada')
  })
})

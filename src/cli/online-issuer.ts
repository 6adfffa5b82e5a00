// Asks one issuer of bearer tokens for its keys, by the service's own code.
import type { IssuerConfig } from '../config/config.ts'
import { makeIssuerKeys } from '../identity/issuer-keys.ts'
import { keyPorts } from '../server/compose-identity.ts'
import { otherIssuer, reachFault, strangeAnswer, type Asked } from './online-fault.ts'
import type { HearingFetch } from './online-fetch.ts'
import { keyFault, noKeyFault, type SourceFindings } from './online-provider.ts'

/** Asks it. Never rejects. */
export const askIssuer = async (
  config: IssuerConfig,
  asked: Asked,
  { fetch, heard }: HearingFetch,
): Promise<SourceFindings> => {
  const keys = makeIssuerKeys(config, keyPorts({ fetch }))
  await keys.start()
  keys.stop()
  const { fault } = keys.health()
  if (fault !== undefined) {
    const other = otherIssuer(asked, heard())
    const reached = reachFault(asked, heard())
    if (reached !== undefined) return { faults: [reached], facts: [] }
    if (other !== undefined)
      return {
        faults: [
          {
            code: 'E41',
            what: `\`${asked.id}\` calls itself \`${other}\`, not \`${asked.issuer}\``,
            why: 'its keys are not used: an issuer must be equal to the last character, as it is to `iss`',
            mend: `if its tokens say so, write \`issuer: "${other}"\`; else name its keys in \`jwksUri\``,
          },
        ],
        facts: [],
      }
    const strange = strangeAnswer(heard())
    return { faults: [keyFault(asked, strange ?? fault)], facts: [] }
  }
  const served = keys.serves(config.algorithms)
  const facts = config.jwksUri === undefined ? ['issuer equal'] : ['keys from `jwksUri`']
  return served.length > 0
    ? { faults: [], facts: [...facts, `keys for ${served.join(', ')}`] }
    : { faults: [noKeyFault(asked, config.algorithms)], facts }
}

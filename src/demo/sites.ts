// The two applications behind the proxy, each checking the assertions that are meant for it.
import { startApplication } from './application.ts'
import { makeAssertionCheck, type CheckAssertion } from './assertion-check.ts'
import type { Site } from './front.ts'
import { makeGrafana } from './grafana.ts'
import { fetchJwks } from './jwks.ts'
import { makeWiki } from './wiki.ts'

const PREFERRED_PORTS = { wiki: 4186, grafana: 4187 }

/**
 * Starts both.
 * @param issuer of the assertions: Postern's public address
 * @param publicPort where Postern's keys are, on 127.0.0.1
 * @param onEnd takes what stops each of them
 */
export const startSites = async (
  domain: string,
  issuer: string,
  publicPort: number,
  onEnd: (end: () => Promise<void>) => void,
): Promise<readonly Site[]> => {
  const checkFor = (audience: string): CheckAssertion =>
    makeAssertionCheck({
      fetchKeys: () => fetchJwks(`http://127.0.0.1:${publicPort}/.well-known/jwks.json`),
      issuer,
      audience,
      nowSeconds: () => Date.now() / 1000,
    })
  const wiki = await startApplication(makeWiki(checkFor('wiki')), PREFERRED_PORTS.wiki)
  onEnd(wiki.close)
  const grafana = await startApplication(makeGrafana(checkFor('grafana')), PREFERRED_PORTS.grafana)
  onEnd(grafana.close)
  return [
    { host: `wiki.${domain}`, port: wiki.port },
    { host: `grafana.${domain}`, port: grafana.port },
  ]
}

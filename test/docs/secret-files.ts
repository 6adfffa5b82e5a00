// The secrets that a configuration of the documentation names, made so that it loads.
import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** The files of a configuration's `{file: …}` references, those of the log and the state apart. */
export const secretFilesOf = (configuration: string): readonly string[] =>
  [...configuration.matchAll(/\bfile: ([A-Za-z0-9.-]+\.(?:key|token|secret|pem))\b/g)].map(
    (match) => match[1] ?? '',
  )

/** A secret that fits the name: the same kinds as the page on keys makes. */
export const makeSecret = (file: string): string => {
  if (file.startsWith('audit'))
    return generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey
  if (file.endsWith('.pem'))
    return generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey
  return file.startsWith('session')
    ? `${randomBytes(32).toString('base64')}\n`
    : `${randomBytes(32).toString('hex')}\n`
}

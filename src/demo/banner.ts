// What the demo prints when it is ready: where to look, who to be, what to try, and commands to paste.
import type { Person } from './people.ts'

export interface BannerValues {
  /** `http://wiki.postern.localhost:8080`, without a slash at the end. */
  readonly wikiUrl: string
  readonly grafanaUrl: string
  readonly authUrl: string
  readonly issuer: string
  readonly adminUrl: string
  readonly people: readonly Person[]
  /** One sentence: which proxy stands in front, and why. */
  readonly proxy: string
  readonly configFile: string
  readonly policyFolder: string
  /** How this `postern` is run from the shell, e.g. `npm run -s postern --`. */
  readonly command: string
}

/** The last line of the banner; who waits for the demo waits for it. */
export const READY_LINE = 'Ready. Stop with Ctrl-C; everything it wrote is removed then.'

/** Writes the banner. Pure. The passwords in it live for this run. */
export const banner = (values: BannerValues): string => `
Postern DEMO: everything listens on this machine only, and every key is new.

  Wiki       ${values.wikiUrl}/
  Metrics    ${values.grafanaUrl}/
  Your own   ${values.authUrl}/me
  Provider   ${values.issuer}
  Metrics of Postern itself   ${values.adminUrl}/metrics

  Proxy      ${values.proxy}

Sign in as
${values.people.map(({ username, password, groups }) => `  ${username.padEnd(4)} ${password}   group ${groups.join(', ')}`).join('\n')}

Three things to try
  1. Open ${values.wikiUrl}/runbooks/database as ada. You come back to that page after signing in.
  2. Open ${values.grafanaUrl}/ as cy, and read why the answer is no.
  3. Open the runbook as ben: no. In ${values.policyFolder}/wiki.yaml
     let \`on-call\` be \`groups: [sre, eng]\`, save the file, wait a few seconds for
     \`policies loaded\` below, and reload the page: yes.

The same without a browser
${curlLines(values)
  .map(({ status, line }) => `  # ${status}\n  ${line}`)
  .join('\n')}

Safari does not find names below .localhost; Chrome, Firefox and curl do.
${READY_LINE}
`

interface CurlLine {
  readonly status: string
  readonly line: string
}

const curlLines = ({ grafanaUrl, command, configFile }: BannerValues): readonly CurlLine[] => {
  const ask = `curl -s -o /dev/null -w '%{http_code}\\n' -H 'X-Requested-With: XMLHttpRequest'`
  const url = `${grafanaUrl}/api/search`
  const as = (user: string, group: string): string =>
    `-H "Cookie: $(${command} session mint -c ${configFile} --provider demo --sub ${user} --claim 'groups=["${group}"]')"`
  return [
    { status: '401: nobody is signed in', line: `${ask} ${url}` },
    { status: '200: ada is in sre', line: `${ask} ${as('ada', 'sre')} ${url}` },
    { status: '403: cy is a contractor', line: `${ask} ${as('cy', 'contractors')} ${url}` },
  ]
}

// The policies that the dialect cases and the attack cases assume, as an operator would write them.

const route = (id: string, host: string, sections: string): string =>
  `apiVersion: postern/v1\nroute: ${id}\nowner: team\nhosts: [${host}]\naccepts: [session, bearer]\nsections:\n${sections}`

const SIGNED_IN = '- path: /\n  allow: [{id: all, authenticated: true}]\n'
const ADMIN = '- path: /admin\n  allow: [{id: admins, groups: [admins]}]\n'
const OPEN = (path: string): string =>
  `- path: ${path}\n  allow: [{id: open, anyone: true, why: "open by contract", review: 2099-01-01}]\n`

/** app, open, admin and ro, as test/cases/dialects.jsonl assumes them. */
export const CONTRACT_POLICIES: Readonly<Record<string, string>> = {
  'app.yaml': route(
    'app',
    'app.example.com',
    `${SIGNED_IN}${ADMIN}${OPEN('/public')}` +
      '- path: /api\n  allow:\n  - {id: cors, preflight: true}\n  - {id: all, authenticated: true}\n' +
      '- path: "/.well-known/acme-challenge/*"\n  exact: true\n  allow:\n' +
      '  - {id: acme, anyone: true, methods: [GET], why: "certificate challenges", review: 2099-01-01}\n' +
      '  - {id: all, authenticated: true}\n',
  ),
  'open.yaml': route('open', 'open.example.com', OPEN('/')),
  'admin.yaml': route('admin', 'admin.example.com', '- path: /\n  allow: [{id: admins, groups: [admins]}]\n'),
  'ro.yaml': route(
    'ro',
    'ro.example.com',
    '- path: /\n  allow: [{id: read, groups: [readers], methods: [GET]}]\n',
  ),
}

/** pub, app and secure, as test/cases/attacks.txt assumes them. */
export const P0_POLICIES: Readonly<Record<string, string>> = {
  'pub.yaml': route('pub', 'pub.example.com', OPEN('/')),
  'app.yaml': route('app', 'app.example.com', `${SIGNED_IN}${ADMIN}${OPEN('/public')}`),
  'secure.yaml': route(
    'secure',
    'secure.example.com',
    '- path: /\n  allow: [{id: admins, groups: [admins]}]\n',
  ),
}

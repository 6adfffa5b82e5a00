// The policies that the dialect and attack rows assume, as an operator would write them.

const HEAD = 'apiVersion: postern/v1\nowner: team\naccepts: [session, bearer]\n'

/** Of the dialect rows. */
export const CONTRACT_POLICIES: Readonly<Record<string, string>> = {
  'app.yaml': `${HEAD}route: app
hosts: [app.example.com]
sections:
- {path: /, allow: [{id: all, authenticated: true}]}
- {path: /admin, allow: [{id: admins, groups: [admins]}]}
- {path: /public, allow: [{id: public, anyone: true, why: public, review: 2099-01-01}]}
- {path: /api, allow: [{id: cors, preflight: true}, {id: api, authenticated: true}]}
- path: /.well-known/acme-challenge/*
  exact: true
  allow: [{id: acme, anyone: true, methods: [GET], why: certificates, review: 2099-01-01}, {id: acme-people, authenticated: true}]
`,
  'open.yaml': `${HEAD}route: open
hosts: [open.example.com]
sections: [{path: /, allow: [{id: all, anyone: true, why: public, review: 2099-01-01}]}]
`,
  'admin.yaml': `${HEAD}route: admin
hosts: [admin.example.com]
sections: [{path: /, allow: [{id: admins, groups: [admins]}]}]
`,
  'ro.yaml': `${HEAD}route: ro
hosts: [ro.example.com]
sections: [{path: /, allow: [{id: read, groups: [readers], methods: [GET]}]}]
`,
}

/** Of the attack rows. */
export const ATTACK_POLICIES: Readonly<Record<string, string>> = {
  'pub.yaml': `${HEAD}route: pub
hosts: [pub.example.com]
sections: [{path: /, allow: [{id: all, anyone: true, why: public, review: 2099-01-01}]}]
`,
  'app.yaml': `${HEAD}route: app
hosts: [app.example.com]
sections:
- {path: /, allow: [{id: all, authenticated: true}]}
- {path: /admin, allow: [{id: admins, groups: [admins]}]}
- {path: /public, allow: [{id: public, anyone: true, why: public, review: 2099-01-01}]}
`,
  'secure.yaml': `${HEAD}route: secure
hosts: [secure.example.com]
sections: [{path: /, allow: [{id: admins, groups: [admins]}]}]
`,
}

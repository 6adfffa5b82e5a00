// The policy files of the demo, as text: people are meant to read them, change them and watch.

/** File name → content, for one top-level domain of demo names. */
export const demoPolicies = (domain: string): Readonly<Record<string, string>> => ({
  'wiki.yaml': `# Everybody reads, sre and eng write, and runbooks are for sre.
# Save this file while the demo runs, and wait a few seconds for \`policies loaded\` in its log: then the new text decides.
apiVersion: postern/v1
route: wiki
owner: team-docs
hosts: [wiki.${domain}]
accepts: [session]
echo: [authorization, cookie]
sections:
- path: /
  allow:
  - {id: read, authenticated: true, methods: [GET]}
  - {id: edit, groups: [sre, eng]}
- path: /runbooks
  allow:
  - {id: on-call, groups: [sre]}
tests:
- {as: {groups: [contractors]}, get: /page/onboarding, expect: allow read}
- {as: {groups: [contractors]}, post: /page/onboarding, expect: deny}
- {as: {groups: [eng]}, post: /page/onboarding, expect: allow edit}
- {as: {groups: [sre]}, get: /runbooks/database, expect: allow on-call}
- {as: {groups: [eng]}, get: /runbooks/database, expect: deny}
- {as: anonymous, get: /, expect: challenge}
`,
  'grafana.yaml': `# Dashboards: sre edits, eng looks, contractors stay out whatever else they are.
apiVersion: postern/v1
route: grafana
owner: team-observability
hosts: [grafana.${domain}]
accepts: [session]
echo: [authorization, cookie]
sections:
- path: /
  deny:
  - {id: no-contractors, groups: [contractors]}
  allow:
  - {id: edit, groups: [sre]}
  - {id: view, groups: [eng], methods: [GET]}
  - {id: query, groups: [eng], methods: [POST], paths: [/api/ds/query]}   # panels ask by POST
- path: /admin                        # a password is not enough here
  allow:
  - {id: admin, groups: [sre], mfa: true}
- path: /api/health
  exact: true
  allow: [{id: probe, anyone: true, methods: [GET], why: "load balancer check, no data", review: 2030-12-31}]
tests:
- {as: {groups: [sre]}, post: /api/dashboards/db, expect: allow edit}
- {as: {groups: [eng]}, post: /api/dashboards/db, expect: deny}
- {as: {groups: [eng]}, get: /, expect: allow view}
- {as: {groups: [sre], amr: [pwd]}, get: /admin, expect: step-up}
- {as: {groups: [sre], amr: [pwd, hwk]}, get: /admin, expect: allow admin}
- {as: {groups: [eng]}, post: /api/ds/query, expect: allow query}
- {as: {groups: [contractors]}, get: /, expect: deny}
- {as: anonymous, get: /api/health, expect: allow probe}
`,
  'directory.yaml': `apiVersion: postern/v1
groups: [sre, eng, contractors]
`,
})

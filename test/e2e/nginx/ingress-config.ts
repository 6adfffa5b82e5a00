// What an ingress controller for NGINX makes of one Ingress with the annotations auth-url, auth-signin,
// auth-response-headers and (if wanted) auth-cache-key: the same headers, none of its text.
import type { Front, Site } from '../../../src/demo/front.ts'
import type { NginxPlaces } from '../../../src/demo/nginx-config.ts'

export interface IngressAnnotations {
  /** `auth-signin`, without its query; undefined = not set. */
  readonly signIn: string | undefined
  /** `auth-response-headers`. */
  readonly responseHeaders: readonly string[]
  /** `auth-cache-key`: nginx variables; undefined = no cache. */
  readonly cacheKey: string | undefined
  /** The controller escapes URIs by a script; plain nginx cannot, so these are escaped beforehand. */
  readonly escapedUris?: readonly string[]
}

/** Writes the whole configuration. */
export const ingressConfig =
  (annotations: IngressAnnotations) =>
  (front: Front, { folder, user }: NginxPlaces): string =>
    `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
${user === undefined ? '' : `user ${user};`}
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  proxy_cache_path ${folder}/auth-cache levels=1:2 keys_zone=auth_cache:10m max_size=128m inactive=30m use_temp_path=off;
  map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      '';
  }
  map $request_uri $escaped_uri {
    default $request_uri;
${escapes(annotations)}
  }
  ${front.sites.map((site) => server(front, site, annotations)).join('\n')}
}
`

const server = (front: Front, site: Site, annotations: IngressAnnotations): string => `
  server {
    listen 127.0.0.1:${front.port};
    server_name ${site.host};

    location = /_external-auth {
      internal;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-Proto "";
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header Host 127.0.0.1;
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Sent-From "nginx-ingress-controller";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Auth-Request-Redirect $request_uri;
      # What the ConfigMap key auth-proxy-set-headers adds.
      proxy_set_header X-Postern-Host $host;
      proxy_set_header X-Postern-Key "${front.proxyKey}";
      proxy_set_header Upgrade $http_upgrade;
      proxy_buffer_size 4k;
      proxy_buffers 4 4k;
      proxy_request_buffering on;
      proxy_http_version 1.1;
      proxy_ssl_server_name on;
      proxy_pass_request_headers on;
      client_max_body_size 1m;
${cache(annotations)}
      set $target http://127.0.0.1:${front.decisionPort}/authz/nginx;
      proxy_pass $target;
    }
${signIn(annotations)}
    location / {
      auth_request /_external-auth;
      auth_request_set $auth_cookie $upstream_http_set_cookie;
      add_header Set-Cookie $auth_cookie;
${annotations.responseHeaders
  .map(
    (
      name,
      i,
    ) => `      auth_request_set $authHeader${i} $upstream_http_${name.toLowerCase().replaceAll('-', '_')};
      proxy_set_header '${name}' $authHeader${i};`,
  )
  .join('\n')}
${annotations.signIn === undefined ? '' : '      error_page 401 = @sign-in;'}
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Scheme $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_http_version 1.1;
      proxy_pass http://127.0.0.1:${site.port};
    }
  }`

/** The defaults of auth-cache-duration: a 200 and a 401 are kept for five minutes, unless the answer forbids it. */
const cache = ({ cacheKey }: IngressAnnotations): string =>
  cacheKey === undefined
    ? '      proxy_buffering off;'
    : `      proxy_cache auth_cache;
      proxy_cache_key "${cacheKey}";
      proxy_cache_valid 200 202 401 5m;`

const escapes = ({ escapedUris = [] }: IngressAnnotations): string =>
  escapedUris.map((uri) => `    "${uri}" "${encodeURIComponent(uri)}";`).join('\n')

/** The query has scheme and host as they came and the rest escaped; every 401 goes there, a script's too. */
const signIn = ({ signIn: url }: IngressAnnotations): string =>
  url === undefined
    ? ''
    : `    location @sign-in {
      internal;
      add_header Set-Cookie $auth_cookie;
      return 302 ${url}?rd=$scheme://$http_host$escaped_uri;
    }`

// The nginx configuration of the demo, as text from values. It is the shape that the documentation recommends: one
// internal location that asks, one that sends to sign-in, and every identity header set from the answer alone.
import { FORGEABLE_HEADERS, IDENTITY_HEADERS, type Front, type Site } from './front.ts'

export interface NginxPlaces {
  /** Absolute folder for the pid file and temporary files; no spaces or quotes. */
  readonly folder: string
  /** Whose rights the workers have; undefined where nginx is not started by root and may not choose. */
  readonly user: string | undefined
}

/** Writes the whole `nginx.conf`. Pure. */
export const nginxConfig = (front: Front, places: NginxPlaces): string => `${process(places)}
events {
  worker_connections 512;
}

http {
  access_log off;
  server_tokens off;
${temporaryFolders(places)}

${UPGRADE}

${upstream('postern_decision', front.decisionPort)}
${upstream('postern_public', front.publicPort)}
${front.sites.map((site) => upstream(upstreamName(site), site.port)).join('\n')}

  server {
    listen 127.0.0.1:${front.port} default_server;
    server_name _;
    return 404;
  }

${signInSite(front)}
${front.sites.map((site) => guardedSite(front, site)).join('\n')}
}
`

/** The one change of protocol that is decided (RFC 6455 §4.1): any other would be a tunnel past all decisions. */
const UPGRADE = `  map "$request_method $http_upgrade" $postern_upgrade {
    default            '';
    "~*^GET websocket$" websocket;
  }
  map $postern_upgrade $postern_connection {
    default   '';
    websocket upgrade;
  }`

const process = ({ folder, user }: NginxPlaces): string => `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
${user === undefined ? '' : `user ${user};\n`}`

const temporaryFolders = ({ folder }: NginxPlaces): string =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n')

const upstreamName = (site: Site): string => `app_${site.host.replaceAll(/[^a-z0-9]/g, '_')}`

// Connections are kept: without, setting one up costs more than the whole decision.
const upstream = (name: string, port: number): string => `  upstream ${name} {
    server 127.0.0.1:${port};
    keepalive 32;
    keepalive_timeout 60s;
    keepalive_requests 100000;
  }`

const signInSite = (front: Front): string => `  server {
    listen 127.0.0.1:${front.port};
    server_name ${front.authHost};
    location / {
      proxy_pass http://postern_public;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Postern-Key "";
    }
  }`

const guardedSite = (front: Front, site: Site): string => `  server {
    listen 127.0.0.1:${front.port};
    server_name ${site.host};
${question(front)}
${answered(site)}
${SIGN_IN}
${denied(front)}
  }`

/** The subrequest: everything that decides is set here, everything that a client could claim is removed. */
const question = (front: Front): string => `
    location = /_postern {
      internal;
      proxy_pass http://postern_decision/authz/nginx;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Upgrade $http_upgrade;
${removed(['X-Original-URL', 'X-Original-Method', 'X-Postern-Host', 'X-Postern-Key', ...IDENTITY_HEADERS])}
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Postern-Host $host;
      proxy_set_header X-Postern-Key "${front.proxyKey}";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_intercept_errors off;
      proxy_connect_timeout 1s;
      proxy_read_timeout 5s;
      proxy_buffer_size 16k;
      proxy_buffers 4 16k;
    }`

/** Clears what a client may not say, except the names that are set (or must pass) otherwise. */
const removed = (but: readonly string[]): string =>
  FORGEABLE_HEADERS.filter((name) => !but.includes(name))
    .map((name) => `      proxy_set_header ${name} "";`)
    .join('\n')

/** The application behind the answer. There is no `return` here: it would run before the question. */
const answered = (site: Site): string => `
    location / {
      auth_request /_postern;
${IDENTITY_HEADERS.map(fromAnswer).join('\n')}
      auth_request_set $postern_location $upstream_http_location;
      auth_request_set $postern_set_cookie $upstream_http_set_cookie;
      auth_request_set $postern_decision $upstream_http_x_postern_decision;
      error_page 401 = @postern_signin;
      error_page 403 @postern_denied;

      proxy_pass http://${upstreamName(site)};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $postern_upgrade;
      proxy_set_header Connection $postern_connection;
${removed(['X-Forwarded-Host'])}
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      add_header Set-Cookie $postern_set_cookie always;
    }`

const fromAnswer = (header: string): string => {
  const variable = header.toLowerCase().replaceAll('-', '_')
  return `      auth_request_set $answered_${variable} $upstream_http_${variable};
      proxy_set_header ${header} $answered_${variable};`
}

/** A 401 without a place to sign in stays a 401: scripts and machines must see it. */
const SIGN_IN = `
    location @postern_signin {
      add_header Cache-Control no-store always;
      add_header Set-Cookie $postern_set_cookie always;
      default_type application/problem+json;
      if ($postern_location = "") {
        return 401 '{"type":"about:blank","title":"You are not signed in","status":401}';
      }
      return 302 $postern_location;
    }`

/** The page behind a 403, told by the walk that refused. The status stays 403 whatever its answer is. */
const denied = (front: Front): string => `
    location @postern_denied {
      rewrite ^ /denied? break;
      proxy_pass http://postern_public;
      proxy_method GET;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
      proxy_set_header Host ${front.authHost}:${front.port};
${removed(['X-Original-URL', 'X-Original-Method', 'X-Postern-Decision'])}
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Postern-Decision $postern_decision;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }`

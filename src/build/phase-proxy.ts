// SPDX-License-Identifier: Apache-2.0
/**
 * What a script is told of our proxy, and where its certificate lies: variables that programs read, and files for those
 * that read no variable. Gone when the script ends, so that nothing of it reaches the build. Pure.
 */
import type { TarItem } from './tar-write.js';

export interface PhaseProxy {
  readonly host: string;
  readonly port: number;
  /** The script starts when something listens there: that begins after the container. */
  readonly wait: boolean;
  readonly certificate?: { readonly pem: string; readonly keyStore: Uint8Array };
}

export const PROXY_PORT = 3128;

const DIRECTORY = '/tmp/samesource-proxy';
const CERTIFICATE = `${DIRECTORY}/certificate.pem`;
const KEY_STORE = `${DIRECTORY}/cacerts`;
/** Of every Java, by tradition. */
const PASSWORD = 'changeit';

/** What curl, Git, OpenSSL (Go, Ruby, Python's ssl), requests, pip, Node, npm, cargo, apt and wget read. */
const CERTIFICATE_VARIABLES = [
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'NODE_EXTRA_CA_CERTS',
  'npm_config_cafile',
  'CARGO_HTTP_CAINFO',
];

/** Lines of the wrapper, before the script. */
export function proxyLines({ host, port, wait, certificate }: PhaseProxy): readonly string[] {
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const java = ['http', 'https'].flatMap((scheme) => [
    `-D${scheme}.proxyHost=${host}`,
    `-D${scheme}.proxyPort=${port}`,
  ]);
  if (certificate !== undefined)
    java.push(
      `-Djavax.net.ssl.trustStore=${KEY_STORE}`,
      '-Djavax.net.ssl.trustStoreType=JKS',
      `-Djavax.net.ssl.trustStorePassword=${PASSWORD}`,
    );
  return [
    // curl does not read HTTP_PROXY, others read nothing else
    ...['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].map((name) => `export ${name}=${address}`),
    ...['no_proxy', 'NO_PROXY'].map((name) => `export ${name}=localhost,127.0.0.1,::1`),
    // Java reads no variable of these
    `export JAVA_TOOL_OPTIONS="\${JAVA_TOOL_OPTIONS:+$JAVA_TOOL_OPTIONS }${java.join(' ')}"`,
    ...(certificate === undefined
      ? []
      : [
          ...CERTIFICATE_VARIABLES.map((name) => `export ${name}=${CERTIFICATE}`),
          `export APT_CONFIG=${DIRECTORY}/apt.conf`,
          `export WGETRC=${DIRECTORY}/wgetrc`,
        ]),
    ...(wait ? waitLines(port) : []),
  ];
}

/** With nothing but the shell and `sleep`. Whoever waits in vain is ended from outside. */
function waitLines(port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return [
    'waiting=yes',
    'while test "$waiting" = yes; do',
    '  while read -r _ local _ state _; do',
    `    if test "$local $state" = '0100007F:${hex} 0A'; then waiting=no; fi`,
    '  done < /proc/net/tcp',
    '  if test "$waiting" = yes; then sleep 0.1 2>/dev/null || sleep 1; fi',
    'done',
  ];
}

export const PROXY_CLEAN_UP = `rm -rf ${DIRECTORY}`;

/** Owned by the phase's user, who removes them in the end. */
export function proxyFiles(
  { certificate }: PhaseProxy,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  mtime: number,
): TarItem[] {
  if (certificate === undefined) return [];
  const owned = { uid, gid, mtime };
  const at = (name: string): string => `${DIRECTORY.slice(1)}/${name}`;
  const text = (name: string, content: string): TarItem => ({
    ...owned,
    kind: 'text',
    path: at(name),
    mode: 0o644,
    text: content,
  });
  return [
    { ...owned, kind: 'directory', path: DIRECTORY.slice(1), mode: 0o755 },
    text('certificate.pem', certificate.pem),
    { ...owned, kind: 'text', path: at('cacerts'), mode: 0o644, text: certificate.keyStore },
    text('apt.conf', `Acquire::https::CAInfo "${CERTIFICATE}";\n`),
    text('wgetrc', `ca_certificate = ${CERTIFICATE}\n`),
  ];
}

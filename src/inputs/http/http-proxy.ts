// SPDX-License-Identifier: Apache-2.0
/**
 * The way to a server: directly, or through the proxy of HTTP_PROXY and HTTPS_PROXY, but for the hosts of NO_PROXY.
 * Node 20 knows none of these variables.
 */
import type { Dispatcher } from 'undici';
import { UsageError } from '../../errors.js';

const VARIABLES = {
  httpProxy: ['http_proxy', 'HTTP_PROXY'],
  httpsProxy: ['https_proxy', 'HTTPS_PROXY'],
} as const;

const valueOf = (name: string): string | undefined =>
  process.env[name] === '' ? undefined : process.env[name];

/** Whether either variable is set, for messages about a connection that failed. */
export function hasProxy(): boolean {
  return Object.values(VARIABLES)
    .flat()
    .some((name) => valueOf(name) !== undefined);
}

/** The value may hold a password: messages name the variable. */
function proxyOf(names: readonly [string, string]): string | undefined {
  const name = names.find((one) => valueOf(one) !== undefined);
  const value = name === undefined ? undefined : valueOf(name);
  if (name === undefined || value === undefined) return undefined;
  const address = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    throw new UsageError('bad-proxy', `${name} is not the http or https address of a proxy`, {
      hint: `correct ${name}, or unset it`,
    });
  return address;
}

/**
 * The proxy that leads to this address, where one does. NO_PROXY as `EnvHttpProxyAgent` of undici reads it.
 * @throws UsageError `bad-proxy`
 */
export function proxyFor(url: URL): string | undefined {
  const httpProxy = proxyOf(VARIABLES.httpProxy);
  const proxy = url.protocol === 'https:' ? (proxyOf(VARIABLES.httpsProxy) ?? httpProxy) : httpProxy;
  if (proxy === undefined) return undefined;
  const without = (valueOf('no_proxy') ?? valueOf('NO_PROXY') ?? '')
    .split(/[,\s]+/)
    .filter((one) => one !== '');
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const direct = without.some((entry) => {
    const [, host = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (only !== undefined && only !== port) return false;
    const name = host.toLowerCase();
    return (
      name === '*' ||
      (/^[.*]/.test(name) ? url.hostname.endsWith(name.replace(/^\*/, '')) : url.hostname === name)
    );
  });
  return direct ? undefined : proxy;
}

let made: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

/**
 * Loaded when the first address is asked for, and kept: connections are used again.
 * @throws UsageError `bad-proxy`
 */
export async function dispatcher(): Promise<Dispatcher> {
  const httpProxy = proxyOf(VARIABLES.httpProxy);
  const httpsProxy = proxyOf(VARIABLES.httpsProxy);
  const key = JSON.stringify([httpProxy, httpsProxy]);
  if (made?.key === key) return made.dispatcher;
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  // silence and slowness are judged by whoever asks
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: 64 << 10 };
  made = {
    key,
    dispatcher:
      httpProxy === undefined && httpsProxy === undefined
        ? new Agent(limits)
        : new EnvHttpProxyAgent({
            ...limits,
            // a proxy need not let a tunnel through to port 80
            proxyTunnel: false,
            httpProxy: httpProxy ?? '',
            httpsProxy: httpsProxy ?? '',
          }),
  };
  return made.dispatcher;
}

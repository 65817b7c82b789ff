// SPDX-License-Identifier: Apache-2.0
/** What a failed HTTP exchange means: ours (the network, a busy server) or theirs (the file is gone). RFC 9110. */
import { FailedHere } from '../../errors.js';
import { hasProxy } from './http-proxy.js';

/** A failure of one attempt: whether trying again can help, and what it is called when it does not. */
export interface HttpFailure {
  readonly retry: boolean;
  /** Milliseconds that the server asked us to wait (`Retry-After`). */
  readonly waitMs?: number;
  readonly error: FailedHere;
}

const WITHOUT_RETRY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name does not resolve',
  ECONNREFUSED: 'the connection was refused',
  EACCES: 'this machine does not allow the connection',
  EPERM: 'this machine does not allow the connection',
};
const WITH_RETRY: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'the name server did not answer',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'the server did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  UND_ERR_SOCKET: 'the connection was closed before the end of the file',
  TOO_SLOW: 'the server sends too slowly',
};

/** The chain of causes holds the system's code: `fetch` itself only says "fetch failed" or "terminated". */
function codeOf(error: unknown): { readonly code: string; readonly message: string } {
  let last = { code: '', message: String(error) };
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const inner = at instanceof AggregateError && at.errors[0] instanceof Error ? at.errors[0] : at;
    const code: unknown = Reflect.get(inner, 'code');
    last = { code: typeof code === 'string' ? code : last.code, message: inner.message };
  }
  return last;
}

const isTls = (code: string): boolean =>
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code);

const PROXY_HINT =
  '; HTTP_PROXY or HTTPS_PROXY is set, so check that proxy, or name the host in NO_PROXY to go there directly';

/** For an exception of a request or of reading its body; `at` is where redirects had led. */
export function transportFailure(what: string, url: string, cause: unknown, at = new URL(url)): HttpFailure {
  const { code, message } = codeOf(cause);
  const tls = isTls(code);
  const where = at.origin === new URL(url).origin ? '' : ` (at ${at.origin}, where it redirects to)`;
  const why = tls
    ? `the certificate or TLS answer of ${at.host} was not accepted (${code}: ${message})`
    : (WITHOUT_RETRY[code] ?? WITH_RETRY[code] ?? (code === '' ? message : `${message} (${code})`));
  const hint = tls
    ? `nothing is fetched past a TLS failure: check the clock of this machine and its certificates (NODE_EXTRA_CA_CERTS adds one)${hasProxy() ? PROXY_HINT : ''}`
    : `check that ${at.host} can be reached from this machine, then run it again${hasProxy() ? PROXY_HINT : ''}`;
  return {
    retry: code in WITH_RETRY,
    error: new FailedHere('network', `could not fetch ${what} from ${url}${where}: ${why}`, { cause, hint }),
  };
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value.trim()) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** An allowance that is used up says when there is a new one, in seconds since 1970 (GitHub and others). */
function allowanceMs(header: Header, now: number): number | undefined {
  const reset = header('x-ratelimit-reset') ?? '';
  return header('x-ratelimit-remaining') === '0' && /^\d{1,12}$/.test(reset)
    ? Math.max(0, Number(reset) * 1000 - now)
    : undefined;
}

type Header = (name: string) => string | undefined;

/** For an answer that is neither success nor "gone". */
export function statusFailure(
  what: string,
  url: string,
  { status, header }: { readonly status: number; readonly header: Header },
): HttpFailure {
  const now = Date.now();
  const waitMs = retryAfterMs(header('retry-after'), now) ?? allowanceMs(header, now);
  const wait = waitMs === undefined ? {} : { waitMs };
  if (status === 429 || (status === 403 && waitMs !== undefined)) {
    const when = waitMs === undefined ? 'later' : `in ${Math.ceil(waitMs / 1000)} seconds`;
    const error = new FailedHere(
      'rate-limited',
      `could not fetch ${what} from ${url}: too many requests (status ${status})`,
      {
        hint: `the server limits how often it answers: try again ${when}`,
      },
    );
    return { retry: true, ...wait, error };
  }
  const error = new FailedHere(
    'network',
    `could not fetch ${what} from ${url}: the server answered with status ${status}`,
    {
      hint:
        status >= 500
          ? 'the server has a problem of its own: try again later'
          : 'the server refuses this request',
    },
  );
  return { retry: status >= 500 || status === 408 || status === 425, ...wait, error };
}

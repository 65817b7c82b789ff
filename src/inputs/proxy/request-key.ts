// SPDX-License-Identifier: Apache-2.0
/** What makes two requests the same, on whatever machine, and how an address is shown. Holds no secret of either. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '../../model.js';

/** What an answer may depend on besides the address. */
const DECISIVE = [
  'accept',
  'accept-encoding',
  'git-protocol',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
] as const;

/** In place of a query that a redirect had: it may let somebody in, so that only its digest is kept. */
const RECORDED = 'samesource-recorded';
const RECORDED_QUERY = new RegExp(`\\?${RECORDED}=([0-9a-f]{64})$`);

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** SHA-256 of what was sent along. */
  readonly body?: Sha256;
}

const sha256 = (text: string): Sha256 => createHash('sha256').update(text).digest('hex');

/** Another machine may use another mirror. */
export function withoutMirror(url: string, mirror: string | undefined): string {
  const base = mirror?.replace(/\/+$/, '');
  if (base === undefined || base === '') return url;
  return url === base || url.startsWith(`${base}/`) ? `<archive>${url.slice(base.length)}` : url;
}

export function addressDigest(url: string, mirror: string | undefined): Sha256 {
  return RECORDED_QUERY.exec(url)?.[1] ?? sha256(withoutMirror(url, mirror));
}

export function requestKey({ method, url, headers, body }: Asked, mirror: string | undefined): Sha256 {
  return sha256(
    JSON.stringify([
      method,
      addressDigest(url, mirror),
      DECISIVE.map((name) => headers[name] ?? null),
      body ?? null,
    ]),
  );
}

/** Where a redirect leads, with the digest of the whole address in place of its query. */
export function recordedLocation(location: string, from: string, mirror: string | undefined): string {
  if (!URL.canParse(location, from)) return location;
  const to = new URL(location, from);
  to.username = '';
  to.password = '';
  if (to.search === '') return to.href;
  const digest = addressDigest(withoutFragment(to), mirror);
  to.search = `?${RECORDED}=${digest}`;
  return to.href;
}

function withoutFragment(url: URL): string {
  const plain = new URL(url);
  plain.hash = '';
  return plain.href;
}

/** Cut to what a report can show. */
export function shownUrl(url: string, mirror: string | undefined): string {
  const [address = '', ...query] = withoutMirror(url, mirror).split('?');
  return `${address.slice(0, 2000)}${query.length === 0 ? '' : '?…'}`;
}

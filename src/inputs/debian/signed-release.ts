// SPDX-License-Identifier: Apache-2.0
/**
 * What a suite of a Debian repository signs: `InRelease`, or `Release` with a detached signature. Checked against keys, its
 * name and its date; whoever delivers it is not trusted.
 * https://wiki.debian.org/DebianRepository/Format, section "Release files".
 */
import { promises as fs } from 'node:fs';
import { FailedHere, FormatError } from '../../errors.js';
import type { OnProgress, Sha256 } from '../../model.js';
import { cachedDownload } from '../cache.js';
import { parseRelease, type DebianRelease } from './debian-release.js';
import { mirrorUrl } from './mirror-file.js';
import { verifyClearSigned, verifyDetachedFile, type SignatureCheck } from '../openpgp.js';

export interface Suite {
  /** Address of the repository. */
  readonly mirror: string;
  readonly suite: string;
  /** As messages call it. */
  readonly what: string;
  /** Public keys that may sign. */
  readonly keyring: string;
  /** Of which one must have signed; without them any of the keyring. */
  readonly fingerprints?: readonly string[];
  /** Not a mirror of Debian: it may sign `Release` apart, and has its indexes below the name that was asked for. */
  readonly publisher?: boolean;
  readonly hints: Readonly<Record<'unknown-key' | 'untrusted' | 'old', string>>;
}

export interface ReleaseContext {
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface SignedRelease {
  readonly kind: 'signed';
  readonly release: DebianRelease;
  readonly url: string;
  readonly sha256: Sha256;
  readonly signedBy: readonly string[];
  /** Where its indexes lie: below `dists`. */
  readonly directory: string;
}

const LIMIT = 16 * 2 ** 20;

/**
 * `gone`: there is no such suite.
 * @throws FailedHere `index-signature`, `index-stale`, `mirror-incomplete`, `network` …
 */
export async function readSignedRelease(
  suite: Suite,
  context: ReleaseContext,
): Promise<SignedRelease | { readonly kind: 'gone'; readonly url: string }> {
  const { what, hints } = suite;
  const clear = await fetched(suite, 'InRelease', context);
  const signed =
    clear.kind === 'done'
      ? { ...clear, ...(await verifyClearSigned(clear.path, suite.keyring, context.signal)) }
      : suite.publisher === true
        ? await detached(suite, context)
        : clear;
  if (signed.kind === 'gone') return signed;
  const { check, text, url, sha256 } = signed;
  if (check.kind !== 'good')
    throw new FailedHere(
      'index-signature',
      `${what} is not signed by a key that may sign it: ${check.kind} (${check.detail})`,
      { hint: hints[check.kind === 'unknown-key' ? 'unknown-key' : 'untrusted'] },
    );
  const { fingerprints } = suite;
  if (fingerprints !== undefined && !check.signedBy.some((key) => fingerprints.includes(key)))
    throw new FailedHere(
      'index-signature',
      `${what} is signed by ${check.signedBy.join(', ')}, the recipe expects ${fingerprints.join(' or ')}`,
      { hint: hints['unknown-key'] },
    );
  const release = inOurWords(what, () => parseRelease(text));
  assertRight(suite, release);
  const directory = suite.publisher === true ? suite.suite : release.codename;
  return { kind: 'signed', release, url, sha256, signedBy: check.signedBy, directory };
}

function assertRight({ what, suite, hints }: Suite, release: DebianRelease): void {
  // a mirror could deliver another suite's index, which is signed as well
  if (release.suite !== suite && release.codename !== suite)
    throw new FailedHere(
      'mirror-incomplete',
      `asked for suite ${suite}, the mirror delivers ${release.codename} (${release.suite})`,
    );
  if (release.validUntil !== undefined && Date.parse(release.validUntil) < Date.now())
    throw new FailedHere('index-stale', `${what} of ${release.date} was valid until ${release.validUntil}`, {
      hint: hints.old,
    });
}

type Fetched =
  | { readonly kind: 'done'; readonly path: string; readonly url: string; readonly sha256: Sha256 }
  | { readonly kind: 'gone'; readonly url: string };

async function fetched(suite: Suite, name: string, context: ReleaseContext): Promise<Fetched> {
  const url = mirrorUrl(suite.mirror, `dists/${suite.suite}/${name}`);
  const outcome = await cachedDownload(context.cache, {
    url,
    what: name === 'InRelease' ? suite.what : `${suite.what} (${name})`,
    maxBytes: LIMIT,
    signal: context.signal,
    onProgress: context.onProgress,
    phase: 'facts',
  });
  if (outcome.kind === 'wrong-content') throw new Error('no content was expected');
  return outcome.kind === 'gone' ? { kind: 'gone', url } : { ...outcome, url };
}

async function detached(
  suite: Suite,
  context: ReleaseContext,
): Promise<
  | { readonly kind: 'gone'; readonly url: string }
  | (Extract<Fetched, { kind: 'done' }> & { readonly check: SignatureCheck; readonly text: string })
> {
  const text = await fetched(suite, 'Release', context);
  if (text.kind === 'gone') return text;
  const signature = await fetched(suite, 'Release.gpg', context);
  const check: SignatureCheck =
    signature.kind === 'gone'
      ? { kind: 'unsigned', detail: 'neither InRelease nor Release.gpg' }
      : await verifyDetachedFile(text.path, signature.path, suite.keyring, context.signal);
  return { ...text, check, text: await fs.readFile(text.path, 'utf8') };
}

/** A signed index that we cannot read says nothing about a publisher. */
export function inOurWords<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FailedHere('index-unreadable', `${what} cannot be read: ${cause.code}: ${cause.message}`, {
      cause,
    });
  }
}

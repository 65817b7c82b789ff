// SPDX-License-Identifier: Apache-2.0
/**
 * The files that a site serves for one entry page at one moment: the page, and what it and its files name, of the same
 * origin. Found by a scan of texts (`formats/page-references.ts`): nothing is run, and nobody can say that it is all.
 */
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../errors.js';
import { referencesIn } from '../../formats/page-references.js';
import type { Fetched, FileIdentity, OnProgress } from '../../model.js';
import { cachedDownload, copyOut } from '../cache.js';
import { isPlainPath } from '../debian/debian-release.js';
import { isAnswered } from '../http/is-answered.js';

export interface SiteOptions {
  /** Where the files are put, by the paths of their addresses. */
  readonly directory: string;
  readonly cache: string;
  /** Addresses beside those that the pages name, seen from the entry page. */
  readonly also?: readonly string[];
  readonly limits?: Partial<SiteLimits>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface SiteLimits {
  /** Addresses that are asked for. */
  readonly requests: number;
  readonly fileBytes: number;
  readonly bytes: number;
}

const LIMITS: SiteLimits = { requests: 3000, fileBytes: 64 << 20, bytes: 1 << 30 };

/** `name` is the path of its address, below the site. */
export interface SiteFile extends FileIdentity {
  readonly path: string;
  readonly fetched?: Fetched;
}

export type SiteOutcome =
  | Site
  /** The entry page is not there. */
  | { readonly kind: 'gone' }
  /** A name that nobody can have put there is answered like a file: that a name is answered says nothing. */
  | { readonly kind: 'answers-everything' };

export interface Site {
  readonly kind: 'site';
  readonly files: readonly SiteFile[];
  /** What was named and is not there, in words. */
  readonly notes: readonly string[];
  /** What was named and not asked for, or served and not taken: the files are not all that the site is known to serve. */
  readonly omitted: readonly string[];
  /** A limit ended the search. */
  readonly cut: boolean;
}

const SCANNED = /\.(?:html?|js|mjs|css|json|webmanifest)$/i;
/** Beside the limit of a file: a text is held and scanned as a whole. */
const MAX_TEXT = 32 << 20;

/**
 * @throws UsageError `bad-url`
 * @throws FailedHere `network`, `unreadable-input` (a file above the limit) …
 */
export async function fetchSite(entry: string, options: SiteOptions): Promise<SiteOutcome> {
  if (!URL.canParse(entry)) throw new UsageError('bad-url', `${entry} is no address of a page`);
  const limits = { ...LIMITS, ...options.limits };
  const start = new URL(entry);
  const { origin } = start;
  if (await answersEverything(start, options.signal)) return { kind: 'answers-everything' };
  const queue: URL[] = [start, ...(options.also ?? []).map((one) => new URL(one, start))];
  const seen = new Set(queue.map(addressOf));
  const files = new Map<string, SiteFile>();
  const directories = new Set<string>();
  const notes = new Notes();
  const omitted = new Notes();
  let bytes = 0;
  let cut = false;
  for (let at = 0; at < queue.length; at++) {
    const url = queue[at];
    if (url === undefined) break;
    if (at >= limits.requests || bytes >= limits.bytes) {
      cut = true;
      omitted.add('not asked for because of a limit', url, queue.length - at);
      break;
    }
    const name = nameOf(url);
    if (name === undefined) {
      omitted.add('names no file of its own', url);
      continue;
    }
    const outcome = await cachedDownload(options.cache, {
      url: addressOf(url),
      what: `a file of the site (${url.pathname.slice(0, 200)})`,
      maxBytes: Math.min(limits.fileBytes, Math.max(1, limits.bytes - bytes)),
      signal: options.signal,
      onProgress: options.onProgress,
      phase: 'published',
    });
    if (outcome.kind === 'wrong-content') throw new Error('no content was expected');
    if (outcome.kind === 'gone') {
      if (at === 0) return { kind: 'gone' };
      notes.add('is not there', url);
      continue;
    }
    const strayed = outcome.fetched?.hops.find(({ to }) => new URL(to).origin !== origin);
    if (strayed !== undefined) {
      omitted.add('leads to another host', url);
      continue;
    }
    const known = files.get(name);
    // the page of a directory has two addresses, and a query need not change what is served
    if (known !== undefined && known.sha256 === outcome.sha256) continue;
    if (known !== undefined || directories.has(name) || directoriesOf(name).some((one) => files.has(one))) {
      omitted.add('names no file of its own', url);
      continue;
    }
    const target = path.join(options.directory, name);
    await copyOut(outcome.path, target);
    const { fetched, size, sha256 } = outcome;
    files.set(name, { name, path: target, size, sha256, ...(fetched === undefined ? {} : { fetched }) });
    for (const one of directoriesOf(name)) directories.add(one);
    bytes += size;
    if (!(SCANNED.test(name) && size <= MAX_TEXT)) continue;
    const references = referencesIn(await fs.readFile(target, 'utf8'));
    if (references.cut) {
      cut = true;
      omitted.add('names more files than are looked at', url);
    }
    for (const reference of references.found)
      for (const base of [url, start]) {
        const next = sameOrigin(reference, base, origin);
        // far more than are asked for are not even remembered
        if (next === undefined || seen.has(addressOf(next)) || seen.size > 2 * limits.requests) continue;
        seen.add(addressOf(next));
        queue.push(next);
      }
  }
  return {
    kind: 'site',
    files: [...files.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    notes: notes.list(),
    omitted: omitted.list(),
    cut,
  };
}

/**
 * Whether an address of no file is answered nevertheless. With and without an extension: a page that finds its way by
 * itself is often served for all names that have none.
 */
async function answersEverything(start: URL, signal: AbortSignal | undefined): Promise<boolean> {
  for (const extension of ['.js', '']) {
    const url = addressOf(new URL(`${randomBytes(12).toString('hex')}${extension}`, start));
    if (await isAnswered({ url, what: 'a name that no file of the site has', signal })) return true;
  }
  return false;
}

/** Without its fragment, which no server sees. */
const addressOf = (url: URL): string => `${url.origin}${url.pathname}${url.search}`;

function sameOrigin(reference: string, base: URL, origin: string): URL | undefined {
  // data:, blob:, javascript: and mailto: have another origin
  if (!URL.canParse(reference, base.href)) return undefined;
  const url = new URL(reference, base);
  return url.origin === origin && url.username === '' && url.password === '' ? url : undefined;
}

/** A page that is a directory is its index. */
function nameOf({ pathname }: URL): string | undefined {
  const relative = pathname.slice(1);
  const name = relative === '' || relative.endsWith('/') ? `${relative}index.html` : relative;
  return isPlainPath(name) ? name : undefined;
}

/** The directories of a path. */
function directoriesOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** What hostile pages name can be much: the first of each kind, and a count. */
class Notes {
  readonly #kinds = new Map<string, { readonly first: string; count: number }>();

  add(what: string, url: URL, count = 1): void {
    const known = this.#kinds.get(what);
    if (known === undefined) this.#kinds.set(what, { first: url.pathname.slice(0, 200), count });
    else known.count += count;
  }

  list(): string[] {
    return [...this.#kinds].map(
      ([what, { first, count }]) => `${first}${count === 1 ? '' : ` and ${count - 1} more`} (${what})`,
    );
  }
}

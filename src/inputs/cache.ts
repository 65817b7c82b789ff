// SPDX-License-Identifier: Apache-2.0
/**
 * What was fetched before: files by their SHA-256, small texts by a key. Safe against concurrent runs and crashes
 * (written aside, renamed) and against rot (verified on every read). XDG Base Directory Specification 0.8.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream, promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Fetched, Sha256 } from '../model.js';
import { publishPart, storageFailure, sweepParts, writeAside } from './atomic-file.js';
import { download, type DownloadOutcome, type DownloadRequest } from './http/download.js';
import { sweepKept } from './http/partial-file.js';

const SHA256 = /^[0-9a-f]{64}$/;

/** `$XDG_CACHE_HOME/samesource`, else `~/.cache/samesource`. A relative XDG_CACHE_HOME is to be ignored (section 3). */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment['XDG_CACHE_HOME'];
  const base =
    configured !== undefined && path.isAbsolute(configured) ? configured : path.join(os.homedir(), '.cache');
  return path.join(base, 'samesource');
}

export async function sha256OfFile(
  file: string | Buffer,
): Promise<{ readonly size: number; readonly sha256: Sha256 }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}

/** Where the file with this content lies, or would. */
export function slot(cache: string, sha256: Sha256): string {
  if (!SHA256.test(sha256)) throw new TypeError(`not a SHA-256: ${sha256}`);
  return path.join(cache, 'sha256', sha256.slice(0, 2), sha256);
}

/** The cached file with this content, or nothing; a damaged one is removed. */
export async function fromCache(cache: string, sha256: Sha256): Promise<string | undefined> {
  const file = slot(cache, sha256);
  try {
    // before it is read: whoever makes room now sees that it is used
    const now = new Date();
    await fs.utimes(file, now, now).catch(() => undefined);
    const found = await sha256OfFile(file);
    if (found.sha256 === sha256) return file;
  } catch {
    return undefined;
  }
  await fs.rm(file, { force: true });
  return undefined;
}

/** As a download, but for what it is called where it came from the cache: nothing was fetched for it now. */
export type CachedOutcome =
  | (Omit<Extract<DownloadOutcome, { kind: 'done' }>, 'fetched'> & {
      /** How it came once; unknown when the record of it is gone. */
      readonly fetched?: Fetched;
      readonly cached: boolean;
    })
  | Exclude<DownloadOutcome, { kind: 'done' }>;

/**
 * As `download`, but a file whose digest is known is fetched once, and what arrived before a failure is kept for the next
 * run; on `done`, `path` lies in the cache and is not to be changed: take it out with `copyOut`.
 */
export async function cachedDownload(
  cache: string,
  request: Omit<DownloadRequest, 'target' | 'kept'>,
): Promise<CachedOutcome> {
  const wanted = request.expected?.sha256;
  if (wanted !== undefined) {
    const file = await fromCache(cache, wanted);
    if (file !== undefined) {
      const { size } = await fs.stat(file);
      const origins = await originsOf(cache, wanted);
      const origin = origins.find(({ url }) => url === request.url) ?? origins[0];
      return {
        kind: 'done',
        path: file,
        size,
        sha256: wanted,
        cached: true,
        ...(origin === undefined ? {} : { fetched: { ...origin, digestExpected: true } }),
      };
    }
  }
  const incoming = path.join(cache, 'incoming');
  const partial = path.join(cache, 'partial');
  await fs.mkdir(incoming, { recursive: true }).catch((error: unknown) => {
    throw storageFailure(error, request.what, incoming);
  });
  await sweepParts(incoming);
  await sweepKept(partial);
  const key = createHash('sha256')
    .update(`${request.url}\0${wanted ?? ''}`)
    .digest('hex');
  const target = path.join(incoming, `.download.part-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const outcome = await download({ ...request, target, kept: path.join(partial, key) });
    if (outcome.kind !== 'done') return outcome;
    const file = slot(cache, outcome.sha256);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await publishPart(target, file);
    await noteOrigin(cache, outcome.fetched);
    return { ...outcome, path: file, cached: false };
  } finally {
    await fs.rm(target, { force: true });
  }
}

// ---------------------------------------------------------------- where from

const MAX_ORIGINS = 20;
const originFile = (cache: string, sha256: Sha256): string => path.join(cache, 'origins', `${sha256}.json`);

/** The newest first; what nobody can read says nothing. */
export async function originsOf(cache: string, sha256: Sha256): Promise<readonly Fetched[]> {
  try {
    const list = JSON.parse(await fs.readFile(originFile(cache, sha256), 'utf8')) as unknown;
    return Array.isArray(list) ? list.filter(isFetched) : [];
  } catch {
    return [];
  }
}

export async function forgetOrigins(cache: string, sha256: Sha256): Promise<void> {
  await fs.rm(originFile(cache, sha256), { force: true });
}

function isFetched(value: unknown): value is Fetched {
  const { url, hops, time } = (value ?? {}) as Record<string, unknown>;
  return typeof url === 'string' && typeof time === 'string' && Array.isArray(hops);
}

async function noteOrigin(cache: string, fetched: Fetched): Promise<void> {
  const others = (await originsOf(cache, fetched.sha256)).filter(({ url }) => url !== fetched.url);
  const file = originFile(cache, fetched.sha256);
  try {
    await writeAside(file, (handle) =>
      handle.writeFile(`${JSON.stringify([fetched, ...others].slice(0, MAX_ORIGINS), undefined, 2)}\n`),
    );
  } catch (error) {
    throw storageFailure(error, 'where a cached file came from', file);
  }
}

/** A copy that its owner may change: the cached file stays as it is. */
export async function copyOut(file: string, target: string): Promise<void> {
  await fs.mkdir(path.dirname(target), { recursive: true });
  try {
    await fs.copyFile(file, target, constants.COPYFILE_FICLONE);
    await fs.chmod(target, 0o644);
  } catch (error) {
    throw storageFailure(error, path.basename(target), target);
  }
}

function keyed(cache: string, key: string): string {
  return path.join(cache, 'texts', createHash('sha256').update(key).digest('hex'));
}

/** A text that was derived from cached files, under a key that names all its inputs and the code that derived it. */
export async function recall(cache: string, key: string): Promise<string | undefined> {
  const stored = await fs.readFile(keyed(cache, key), 'utf8').catch(() => undefined);
  if (stored === undefined) return undefined;
  const [digest = '', ...rest] = stored.split('\n');
  const text = rest.join('\n');
  return digest === createHash('sha256').update(text).digest('hex') ? text : undefined;
}

export async function remember(cache: string, key: string, text: string): Promise<void> {
  const file = keyed(cache, key);
  const digest = createHash('sha256').update(text).digest('hex');
  try {
    await writeAside(file, async (handle) => {
      await handle.writeFile(`${digest}\n${text}`);
    });
  } catch (error) {
    throw storageFailure(error, 'a cached text', file);
  }
}

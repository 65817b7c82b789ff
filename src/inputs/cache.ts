// SPDX-License-Identifier: Apache-2.0
/**
 * What was fetched before: files by their SHA-256, small texts by a key. Safe against concurrent runs and crashes
 * (written aside, renamed) and against rot (verified on every read). XDG Base Directory Specification 0.8.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream, promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Sha256 } from '../model.js';
import { publishPart, storageFailure, sweepParts, writeAside } from './atomic-file.js';
import { download, type DownloadOutcome, type DownloadRequest } from './download.js';

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

function slot(cache: string, sha256: Sha256): string {
  if (!SHA256.test(sha256)) throw new TypeError(`not a SHA-256: ${sha256}`);
  return path.join(cache, 'sha256', sha256.slice(0, 2), sha256);
}

/** The cached file with this content, or nothing; a damaged one is removed. */
export async function fromCache(cache: string, sha256: Sha256): Promise<string | undefined> {
  const file = slot(cache, sha256);
  try {
    const found = await sha256OfFile(file);
    if (found.sha256 === sha256) return file;
  } catch {
    return undefined;
  }
  await fs.rm(file, { force: true });
  return undefined;
}

/**
 * As `download`, but a file whose digest is known is fetched once; on `done`, `path` lies in the cache and is not to be
 * changed: take it out with `copyOut`.
 */
export async function cachedDownload(
  cache: string,
  request: Omit<DownloadRequest, 'target'>,
): Promise<DownloadOutcome> {
  const wanted = request.expected?.sha256;
  if (wanted !== undefined) {
    const file = await fromCache(cache, wanted);
    if (file !== undefined)
      return { kind: 'done', path: file, size: (await fs.stat(file)).size, sha256: wanted };
  }
  const incoming = path.join(cache, 'incoming');
  await fs.mkdir(incoming, { recursive: true }).catch((error: unknown) => {
    throw storageFailure(error, request.what, incoming);
  });
  await sweepParts(incoming);
  const target = path.join(
    incoming,
    `.download.part-${process.pid}-${createHash('sha256').update(`${request.url}\0${performance.now()}`).digest('hex').slice(0, 12)}`,
  );
  try {
    const outcome = await download({ ...request, target });
    if (outcome.kind !== 'done') return outcome;
    const file = slot(cache, outcome.sha256);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await publishPart(target, file);
    return { ...outcome, path: file };
  } finally {
    await fs.rm(target, { force: true });
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

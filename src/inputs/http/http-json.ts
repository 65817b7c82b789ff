// SPDX-License-Identifier: Apache-2.0
/** A small JSON answer of a server: fetched like a file, bounded, and read as what somebody else wrote. */
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import type { Fetched } from '../../model.js';
import { storageFailure } from '../atomic-file.js';
import { download, type DownloadRequest } from './download.js';

export type JsonOutcome =
  | { readonly kind: 'done'; readonly value: unknown; readonly fetched: Fetched }
  | { readonly kind: 'gone'; readonly status: 404 | 410 };

const MAX_BYTES = 16 << 20;

/** @throws FailedHere `unreadable-input` for what is no JSON, and what `download` throws */
export async function fetchJson(
  cache: string,
  request: Omit<DownloadRequest, 'target' | 'kept' | 'expected'>,
): Promise<JsonOutcome> {
  const { what, url } = request;
  const name = createHash('sha256').update(url).digest('hex').slice(0, 8);
  const target = path.join(
    cache,
    'incoming',
    `.json.part-${process.pid}-${name}-${randomBytes(6).toString('hex')}`,
  );
  try {
    const outcome = await download({
      maxBytes: MAX_BYTES,
      ...request,
      target,
      headers: { accept: 'application/json', ...request.headers },
    });
    if (outcome.kind === 'gone') return { kind: 'gone', status: outcome.status };
    if (outcome.kind === 'wrong-content') throw new TypeError('nothing was expected');
    const text = await fs.readFile(target, 'utf8');
    return { kind: 'done', value: parsed(text, what, url), fetched: outcome.fetched };
  } catch (error) {
    throw storageFailure(error, what, target);
  } finally {
    await fs.rm(target, { force: true });
  }
}

function parsed(text: string, what: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FailedHere(
      'unreadable-input',
      `${what} at ${url} is no JSON: ${(cause as Error).message.slice(0, 200)}`,
      { cause, hint: 'look at the address with a browser: it may have moved, or ask who you are' },
    );
  }
}

/** `names`: of nested objects and arrays, joined by dots. */
export function fieldOf(value: unknown, names: string): unknown {
  let at = value;
  for (const name of names.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at;
}

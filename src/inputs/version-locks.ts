// SPDX-License-Identifier: Apache-2.0
/** What was resolved once for a version: `<recipes>/locks/<app>/<version>.json`, or below the user's data where that cannot be written. */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { FailedHere } from '../errors.js';
import type { VersionLock } from '../model.js';
import { storageFailure, writeAside } from './atomic-file.js';
import { packageRoot } from './package-files.js';

const MAX_LOCK = 1 << 20;

const lockSchema = z.strictObject({
  schemaVersion: z.literal(1),
  app: z.string(),
  version: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/),
  resolved: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  references: z.array(
    z.strictObject({ reference: z.string(), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
  ),
  toolchain: z.array(
    z.strictObject({ name: z.string(), what: z.string(), file: z.string(), value: z.string() }),
  ),
});

/** In the order in which they are asked, and written to. */
function places(app: string, version: string, own: string | undefined): readonly string[] {
  const data = process.env['XDG_DATA_HOME'];
  const base =
    data !== undefined && path.isAbsolute(data) ? data : path.join(os.homedir(), '.local', 'share');
  return [own ?? path.join(packageRoot(), 'recipes'), path.join(base, 'samesource')].map((directory) =>
    path.join(directory, 'locks', app, `${encodeURIComponent(version)}.json`),
  );
}

/** @throws FailedHere `unreadable-input` for a lock that is none */
export async function readVersionLock(
  app: string,
  version: string,
  own?: string,
): Promise<VersionLock | undefined> {
  for (const file of places(app, version, own)) {
    const text = await fs.readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const parsed = text.length > MAX_LOCK ? undefined : lockSchema.safeParse(asJson(text));
    if (parsed?.success !== true || parsed.data.app !== app || parsed.data.version !== version)
      throw new FailedHere('unreadable-input', `${file} is no lock of ${app} ${version}`, {
        hint: 'remove it: it is written anew',
      });
    return parsed.data;
  }
  return undefined;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The file that was written. @throws FailedHere `disk-full`, `unreadable-input` */
export async function writeVersionLock(lock: VersionLock, own?: string): Promise<string> {
  let failure: unknown;
  for (const file of places(lock.app, lock.version, own))
    try {
      await writeAside(file, async (handle) => {
        await handle.writeFile(`${JSON.stringify(lock, null, 2)}\n`);
      });
      return file;
    } catch (error) {
      failure = error;
    }
  throw storageFailure(failure, `the lock of ${lock.app} ${lock.version}`, 'locks');
}

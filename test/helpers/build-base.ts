// SPDX-License-Identifier: Apache-2.0
/** A small Debian root file system for container tests: made once, then shared by every test file and run of a day. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, renameSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { RootFileSystem } from '../../src/build/executor.js';
import { debianMirror } from '../../src/inputs/debian/debian-mirror.js';
import { runChecked } from '../../src/process.js';

const DAY_MS = 24 * 60 * 60_000;

let made: Promise<RootFileSystem> | undefined;

/** apt and curl on the smallest Debian. */
export const buildBase = (): Promise<RootFileSystem> => (made ??= makeBase());

async function makeBase(): Promise<RootFileSystem> {
  const file = path.join(tmpdir(), `samesource-test-base-2-${userInfo().uid}.tar`);
  if (!existsSync(file) || Date.now() - statSync(file).mtimeMs > DAY_MS) {
    const own = `${file}.${process.pid}`;
    await runChecked(
      'mmdebstrap',
      // one suite only, as the plans of Debian sources: packages of another would not fit its -dev packages
      [
        '--quiet',
        '--variant=apt',
        '--include=curl,ca-certificates',
        '--format=tar',
        'bookworm',
        own,
        `deb ${await debianMirror()} bookworm main`,
      ],
      { timeoutMs: 5 * 60_000 },
    );
    renameSync(own, file);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return { path: file, sha256: hash.digest('hex'), lockSha256: '0'.repeat(64), deviations: [] };
}

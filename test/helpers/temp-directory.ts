// SPDX-License-Identifier: Apache-2.0
/** A directory that one test has to itself. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

export function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

// SPDX-License-Identifier: Apache-2.0
/** Logs are handed on: what lies in the place of one is not followed to anywhere. */
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { readEnds } from '../../src/inputs/read-ends.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('a file is read; a link, a pipe and a directory are no log', async (t) => {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => path.join(directory, name);
  writeFileSync(at('build.log'), 'compiling\n');
  symlinkSync(at('build.log'), at('link.log'));
  execFileSync('mkfifo', [at('pipe.log')]);
  t.is(await readEnds(at('build.log')), 'compiling\n');
  for (const name of ['link.log', 'pipe.log', '.'])
    await t.throwsAsync(readEnds(at(name)), { code: 'unreadable-input' }, name);
  await t.throwsAsync(readEnds(at('gone.log')), { code: 'ENOENT' });
});

// SPDX-License-Identifier: Apache-2.0
/** Names of files that steer a terminal, or that look like options: shown escaped everywhere, and taken for what they are. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { buildZip } from '../helpers/build-zip.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, verify } from '../helpers/transcript.js';

const FILE = buildZip([{ name: 'a.txt', data: 'content' }]);
const OTHER = buildZip([{ name: 'a.txt', data: 'other' }]);
const HOSTILE = 'a\nb\u001b[31m\u001b]0;title\u0007\u007f\u009b31m\u202egpj.apk';
const SHOWN = 'a\\x0ab\\x1b[31m\\x1b]0;title\\x07\\x7f\\x9b31m\\u{202e}gpj.apk';
// control characters and formats, but for line feeds, which end lines of ours
const UNSAFE = /[^\P{C}\n]/u;

test('a file name cannot steer the terminal: inspect, compare, transplant, with and without JSON', async (t) => {
  const cwd = temporaryDirectory(t);
  for (const side of ['p', 'r']) {
    mkdirSync(path.join(cwd, side));
    writeFileSync(path.join(cwd, side, HOSTILE), side === 'p' ? FILE : OTHER);
    writeFileSync(path.join(cwd, side, 'same.apk'), FILE);
  }
  const [p, r, same] = [path.join('p', HOSTILE), path.join('r', HOSTILE), path.join('r', 'same.apk')];
  for (const args of [
    ['inspect', p],
    ['compare', p, r],
    ['compare', 'p', 'r'],
    ['compare', path.join('absent', HOSTILE), r],
    ['transplant', p, r],
    ['transplant', p, same, '-o', HOSTILE],
  ])
    for (const json of [false, true]) {
      const { code, stdout, stderr } = await verify(json ? [...args, '--json'] : args, { cwd });
      t.not(code, 70);
      t.false(UNSAFE.test(stdout), args.join(' '));
      t.false(UNSAFE.test(stderr), args.join(' '));
      if (!json) t.true((stdout + stderr).includes(SHOWN) || args[0] === 'transplant', args.join(' '));
    }
  const inspected = await verify(['inspect', '--json', p], { cwd });
  // the value is the name all the same
  t.true(JSON.stringify(document(t, inspected)).includes('gpj.apk'));
});

test('what follows -- are files, whatever their names begin with', async (t) => {
  const cwd = temporaryDirectory(t);
  for (const name of ['--json', '-x.apk']) writeFileSync(path.join(cwd, name), FILE);
  const inspected = await verify(['inspect', '--', '--json'], { cwd });
  t.is(inspected.code, 0, inspected.stderr);
  t.regex(inspected.stdout, /^--json: /);
  const compared = await verify(['compare', '--quiet', '--', '--json', '-x.apk'], { cwd });
  t.is(compared.code, 0, compared.stderr);
  t.is((await verify(['inspect', '--'], { cwd })).code, 64);
});

// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { asYaml, FDROID } from '../helpers/foreign-recipes.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify } from '../helpers/transcript.js';

function lab(t: ExecutionContext): string {
  const cwd = temporaryDirectory(t);
  mkdirSync(path.join(cwd, 'metadata'));
  writeFileSync(path.join(cwd, 'metadata/com.wire.yml'), asYaml(FDROID['com.wire'] ?? {}));
  return cwd;
}

const IMPORT = ['recipes', 'import', 'fdroiddata', 'metadata/com.wire.yml'];

test('the recipe on standard output, or in a file that was not there; lint accepts it', async (t) => {
  const cwd = lab(t);
  const shown = await verify([...IMPORT, '--app', 'wire-android'], { cwd });
  t.is(shown.code, 0);
  t.regex(
    shown.stdout,
    /^# yaml-language-server: \$schema=\.\/schema\.json\n# Taken over from com\.wire\.yml \(fdroiddata\)/,
  );
  const written = await verify([...IMPORT, '--app', 'wire-android', '-o', 'wire-android.yaml'], { cwd });
  t.is(written.code, 0);
  t.regex(written.stdout, /^wire-android\.yaml: wire-android, \d+ TODOs\n$/);
  t.is(readFileSync(path.join(cwd, 'wire-android.yaml'), 'utf8'), shown.stdout);
  t.is((await verify(['recipes', 'lint', 'wire-android.yaml'], { cwd })).code, 0);
  const again = await verify([...IMPORT, '-o', 'wire-android.yaml', '--json'], { cwd });
  t.is(again.code, 64);
  t.is(errorOf(t, again), 'not-writable');
  t.is(readFileSync(path.join(cwd, 'wire-android.yaml'), 'utf8'), shown.stdout);
});

test('as JSON: name, text and what is lost', async (t) => {
  const { code, stdout, stderr } = await verify([...IMPORT, '--json'], { cwd: lab(t) });
  t.is(code, 0);
  t.like(document(t, { code, stdout, stderr }), { app: 'com-wire' });
});

test('wrong use is told with its code', async (t) => {
  const cwd = lab(t);
  writeFileSync(path.join(cwd, 'metadata/org.example.bad.yml'), 'RepoType: git\n');
  for (const [args, exit, code] of [
    [['recipes', 'import', 'fdroid', 'metadata/com.wire.yml'], 64, 'usage'],
    [['recipes', 'import', 'fdroiddata'], 64, 'usage'],
    [[...IMPORT, '--versions', '0'], 64, 'usage'],
    [[...IMPORT, '--app', 'Wire Android'], 64, 'import-invalid'],
    [['recipes', 'import', 'fdroiddata', 'metadata/org.example.bad.yml'], 64, 'import-invalid'],
    [['recipes', 'import', 'rbtlog', 'metadata/com.wire.yml'], 64, 'import-invalid'],
    [['recipes', 'import', 'rbtlog', 'metadata/org.example.none.yml'], 75, 'unreadable-input'],
  ] as const) {
    const transcript = await verify([...args, '--json'], { cwd });
    t.is(transcript.code, exit, args.join(' '));
    t.false(transcript.stderr.includes('\\x0a'), transcript.stderr);
    t.is(errorOf(t, transcript), code, args.join(' '));
  }
});

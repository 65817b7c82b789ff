// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import JSZip from 'jszip';
import test, { type ExecutionContext } from 'ava';
import { buildZip } from '../helpers/build-zip.js';
import { packageDirectory } from '../helpers/cli.js';
import { document, errorOf, verify } from '../helpers/transcript.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

function zip(word: string, level = 6): Buffer {
  const data = Array.from({ length: 400 }, (_, index) => `${word} ${(index * 7919) % 1009}`).join('\n');
  return buildZip([{ name: 'a.txt', data, level }]);
}

function sides(t: ExecutionContext, published: Buffer, rebuilt: Buffer): string {
  const directory = temporaryDirectory(t);
  writeFileSync(path.join(directory, 'published.zip'), published);
  writeFileSync(path.join(directory, 'rebuilt.zip'), rebuilt);
  return directory;
}

const FILES = ['compare', 'published.zip', 'rebuilt.zip'] as const;

test('equal files: reproducible, exit 0, nothing stored', async (t) => {
  const cwd = sides(t, zip('one'), zip('one'));
  const { code, stdout } = await verify(FILES, { cwd });
  t.is(code, 0);
  t.regex(stdout, /Reproduced/);
  t.deepEqual(readdirSync(cwd), ['published.zip', 'rebuilt.zip']);
});

test('different files: unreproducible, exit 1, the member named', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  const { code, stdout } = await verify(FILES, { cwd });
  t.is(code, 1);
  t.regex(stdout, /Not reproduced/);
  t.regex(stdout, /a\.txt/);
});

test('other compression: 0, with --strict 1', async (t) => {
  const cwd = sides(t, zip('one', 9), zip('one', 1));
  const json = await verify([...FILES, '--json'], { cwd });
  const { statement } = document(t, json) as {
    readonly statement: { readonly verdict: { readonly kind: string } };
  };
  t.is(statement.verdict.kind, 'equivalent');
  t.is(json.code, 0);
  t.is((await verify([...FILES, '--strict'], { cwd })).code, 1);
});

test('--expect turns any verdict into yes or no', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  t.is((await verify([...FILES, '--expect', 'unreproducible'], { cwd })).code, 0);
  t.is((await verify([...FILES, '--expect', 'reproducible'], { cwd })).code, 1);
});

test('--json: the report is all of standard output; --quiet silences the rest', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  const loud = await verify([...FILES, '--json'], { cwd });
  document(t, loud);
  t.regex(loud.stderr, /Not reproduced/);
  const quiet = await verify([...FILES, '--json', '--quiet'], { cwd });
  document(t, quiet);
  t.is(quiet.stderr, '');
});

test('--out stores the report and says where', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  const { code, stdout } = await verify([...FILES, '--out', 'kept'], { cwd });
  t.is(code, 1);
  t.true(
    readdirSync(path.join(cwd, 'kept'), { recursive: true }).some((name) =>
      String(name).endsWith('report.json'),
    ),
  );
  t.regex(stdout, /kept\/reports/);
});

test('two directories are compared file by file', async (t) => {
  const cwd = temporaryDirectory(t);
  for (const side of ['store', 'ours']) {
    mkdirSync(path.join(cwd, side));
    writeFileSync(path.join(cwd, side, 'same.zip'), zip('one'));
  }
  t.is((await verify(['compare', 'store', 'ours'], { cwd })).code, 0);
  writeFileSync(path.join(cwd, 'store', 'only-here.zip'), zip('one'));
  const { code, stdout } = await verify(['compare', 'store', 'ours'], { cwd });
  t.is(code, 1);
  t.regex(stdout, /only-here\.zip/);
});

const FAILING: readonly (readonly [string, readonly string[], number, string])[] = [
  ['the same file given as both sides', ['published.zip', 'published.zip'], 64, 'same-file'],
  ['a file and a directory', ['published.zip', '.'], 64, 'file-and-directory'],
  ['a file that is not there', ['published.zip', 'nowhere.zip'], 75, 'unreadable-input'],
  ['a rule that nobody knows', ['published.zip', 'rebuilt.zip', '--rule', 'everything'], 64, 'unknown-rule'],
  ['a recipe that nobody knows', ['published.zip', 'rebuilt.zip', '--recipe', 'wechat'], 64, 'unknown-app'],
];

for (const [title, args, code, error] of FAILING)
  test(`fails with ${code}: ${title}`, async (t) => {
    const cwd = sides(t, zip('one'), zip('two'));
    const transcript = await verify(['compare', ...args, '--json'], { cwd });
    t.is(transcript.code, code);
    t.is(errorOf(t, transcript), error);
    t.deepEqual(readdirSync(cwd), ['published.zip', 'rebuilt.zip']);
  });

test('an app bundle is not what users get: no verdict over it', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  writeFileSync(path.join(cwd, 'app.aab'), zip('one'));
  const transcript = await verify(['compare', 'published.zip', 'app.aab', '--json'], { cwd });
  t.is(errorOf(t, transcript), 'app-bundle');
  t.is(transcript.code, 64);
  writeFileSync(path.join(cwd, 'uploaded.aab'), zip('one'));
  t.is((await verify(['compare', 'uploaded.aab', 'app.aab'], { cwd })).code, 0);
});

test('--evidence: all findings in one archive, with a stored report or without, never over another file', async (t) => {
  const cwd = sides(t, zip('one'), zip('two'));
  t.is((await verify([...FILES, '--evidence', 'evidence.zip'], { cwd })).code, 1);
  t.deepEqual(readdirSync(cwd), ['evidence.zip', 'published.zip', 'rebuilt.zip']);
  const archive = await JSZip.loadAsync(readFileSync(path.join(cwd, 'evidence.zip')));
  t.true(Object.keys(archive.files).includes('pairs/0001/findings.jsonl'));
  const again = await verify([...FILES, '--evidence', 'evidence.zip', '--out', '.', '--json'], { cwd });
  t.is(errorOf(t, again), 'evidence-exists');
  t.is(again.code, 64);
  t.false(readdirSync(cwd).includes('reports'));
  t.is((await verify([...FILES, '--evidence', 'more.zip', '--out', '.'], { cwd })).code, 1);
  t.true(readdirSync(cwd).includes('more.zip'));
});

test('--recipe with --release: its signers, its package, its version code', async (t) => {
  const published = path.join(packageDirectory, 'demo/published');
  const compare = (...more: readonly string[]) =>
    verify(['compare', path.join(published, 'app.apk'), path.join(published, 'tampered-dex.apk'), ...more], {
      cwd: temporaryDirectory(t),
    });
  t.is((await compare('--recipe', 'demo', '--release', '1.0.0')).code, 1);
  t.is((await compare('--recipe', 'demo', '--release', '1.0.0', '--expect', 'unreproducible')).code, 0);
  t.is((await compare('--recipe', 'telegram-android', '--release', '10.14.5')).code, 3);
  for (const [code, ...more] of [
    ['unknown-version', '--recipe', 'demo', '--release', '2'],
    ['no-recipe', '--release', '1.0.0'],
    ['no-recipe', '--channel', 'demo'],
    ['usage', '--expect', 'reproduceable'],
  ] as const) {
    const refused = await compare(...more, '--json');
    t.is(errorOf(t, refused), code);
    t.is(refused.code, 64);
  }
});

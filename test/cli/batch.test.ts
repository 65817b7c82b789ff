// SPDX-License-Identifier: Apache-2.0
/** Many apps, as their user runs them: processes of their own, real builds without a container. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { BatchResult } from '../../src/index.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { appRecipe, scratchPackage, type ScratchPackage } from '../helpers/scratch-package.js';

const build = 'echo built > result.txt';

function listOf(scratch: ScratchPackage, text: string): string {
  writeFileSync(path.join(scratch.work, 'apps.yaml'), text);
  return 'apps.yaml';
}

function published(scratch: ScratchPackage, name: string, text: string): string {
  writeFileSync(path.join(scratch.work, name), text);
  return name;
}

async function batch(
  t: ExecutionContext,
  scratch: ScratchPackage,
  ...more: readonly string[]
): Promise<{ readonly code: number | null; readonly result: BatchResult; readonly stderr: string }> {
  const { code, stdout, stderr } = await scratch.run(['batch', 'apps.yaml', '--json', ...more]);
  t.notRegex(stderr, /\[bug\]|^\s+at /m);
  return { code, result: JSON.parse(stdout) as BatchResult, stderr };
}

const brief = ({ rows }: BatchResult): readonly string[] =>
  rows.map(({ app, version, state, verdict, failure, worse }) =>
    [
      app,
      version,
      state,
      verdict ?? (failure && 'code' in failure ? failure.code : failure?.failure),
      ...(worse ? ['worse'] : []),
    ].join(' '),
  );

/** Directories of reports below `reports/`. */
const reportsOf = ({ work }: ScratchPackage): readonly string[] =>
  readdirSync(path.join(work, 'reports'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('report.json'))
    .map((name) => path.dirname(name))
    .sort();

test('a list is checked, then only what changed; what fails here or cannot be does not stop the rest', async (t) => {
  const scratch = scratchPackage(t, {
    one: appRecipe({ app: 'one', build }),
    two: appRecipe({ app: 'two', build }),
    broken: appRecipe({ app: 'broken', build: 'exit 3' }),
  });
  published(scratch, 'same.txt', 'built\n');
  published(scratch, 'other.txt', 'bilt\n');
  const rows = `  - { app: one, published: same.txt }
  - { app: two, published: other.txt }
  - { app: broken, published: same.txt }
`;
  listOf(scratch, `apps:\n  - { app: one, version: 9.9.9 }\n${rows}`);
  const first = await batch(t, scratch, '-j', '2');
  t.deepEqual(brief(first.result), [
    'one 9.9.9 refused unknown-version',
    'one 1.0.0 new reproducible',
    'two 1.0.0 new unreproducible',
    'broken 1.0.0 new unbuildable',
  ]);
  t.is(first.code, 64);
  // the table comes before anything is built
  t.regex(first.stderr, /^app +version +channel[^]*^one +1\.0\.0 +own +to build +local +16 MiB[^]*begins/m);
  const reports = reportsOf(scratch);
  t.is(reports.length, 3);
  t.deepEqual(scratch.left(), []);

  const again = await batch(t, scratch);
  t.deepEqual(brief(again.result).slice(1), [
    'one 1.0.0 same reproducible',
    'two 1.0.0 same unreproducible',
    'broken 1.0.0 same unbuildable',
  ]);
  t.deepEqual(reportsOf(scratch), reports);
  t.notRegex(again.stderr, /… build/);

  published(scratch, 'same.txt', 'replaced\n');
  listOf(scratch, `apps:\n${rows}`);
  const worse = await batch(t, scratch);
  t.is(worse.code, 1);
  t.deepEqual(brief(worse.result)[0], 'one 1.0.0 changed unreproducible worse');
  t.is(reportsOf(scratch).length, 5);

  const digest = worse.result.rows[1]?.statementSha256 ?? '';
  const expected = (which: string): string =>
    `apps: [{ app: two, published: other.txt, expect: unreproducible@${which} }]\n`;
  t.is(digest.length, 64);
  listOf(scratch, expected('0'.repeat(64)));
  const red = await scratch.run(['batch', 'apps.yaml', '--markdown', '--quiet']);
  t.is(red.code, 1);
  t.regex(
    red.stdout,
    /^\| app \| version \|.*\n\| --- .*\n\| two \| 1\\\.0\.0 \| own \| same, worse \| unreproducible \|/,
  );
  t.regex(red.stdout, /expected unreproducible with statement 0{64}/);
});

test('killed, it goes on: nothing finished is done again or lost; a second one is refused while one runs', async (t) => {
  const gate = path.join(temporaryDirectory(t), 'gate');
  const scratch = scratchPackage(t, {
    one: appRecipe({ app: 'one', build }),
    two: appRecipe({ app: 'two', build: `while ! test -e ${gate}; do sleep 0.2; done; ${build}` }),
  });
  published(scratch, 'same.txt', 'built\n');
  listOf(scratch, 'apps:\n  - { app: one, published: same.txt }\n  - { app: two, published: same.txt }\n');
  const running = scratch.start(['batch', 'apps.yaml']);
  await running.said(/two 1\.0\.0 .*… build/);
  const second = await scratch.run(['batch', 'apps.yaml', '--json']);
  t.is(second.code, 64);
  t.regex(
    second.stderr,
    new RegExp(`^error \\[batch-running\\] process ${running.child.pid ?? 0} works on this list`, 'm'),
  );
  running.child.kill('SIGKILL');
  await running.ended;
  const before = reportsOf(scratch);
  t.is(before.length, 1);
  writeFileSync(gate, '');
  const { code, result, stderr } = await batch(t, scratch);
  t.is(code, 0, stderr);
  t.true(result.resumed);
  t.deepEqual(brief(result), ['one 1.0.0 new reproducible', 'two 1.0.0 new reproducible']);
  t.notRegex(stderr, /^ +one .*… build/m);
  t.is(reportsOf(scratch).length, 2);
  const until = Date.now() + 30_000;
  while (scratch.left().length > 0 && Date.now() < until) await sleep(200);
  t.deepEqual(scratch.left(), []);
  t.deepEqual(readdirSync(path.join(scratch.work, 'batch')), ['apps.json']);
  // a damaged journal loses nothing
  writeFileSync(path.join(scratch.work, 'batch/apps.json'), '{"schemaVersion":1,"tas');
  const damaged = await batch(t, scratch);
  t.regex(damaged.stderr, /the journal was damaged and lies in .*apps\.json\.damaged-/);
  t.deepEqual(brief(damaged.result), ['one 1.0.0 same reproducible', 'two 1.0.0 same reproducible']);
  t.is(reportsOf(scratch).length, 2);
});

test('--since last: every version that came out since, none without it', async (t) => {
  const of = (...versions: readonly string[]): string =>
    appRecipe({
      app: 'one',
      build,
      resolve: `{ kind: bundled, tag: 'v{version}', versions: [${versions.map((version) => `{ version: '${version}', build: 1 }`).join(', ')}] }`,
    });
  const scratch = scratchPackage(t, { one: of('1.0.0') });
  const recipe = path.join(scratch.root, 'recipes/one.yaml');
  published(scratch, 'same.txt', 'built\n');
  listOf(scratch, 'apps: [{ app: one, version: 1.x, published: same.txt }]\n');
  t.deepEqual(brief((await batch(t, scratch, '--since', 'last')).result), ['one 1.0.0 new reproducible']);
  writeFileSync(recipe, of('1.0.0', '1.1.0', '1.2.0', '2.0.0'));
  t.deepEqual(brief((await batch(t, scratch, '--since', 'last')).result), [
    'one 1.1.0 new reproducible',
    'one 1.2.0 new reproducible',
  ]);
  writeFileSync(recipe, of('1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0'));
  t.deepEqual(brief((await batch(t, scratch)).result), ['one 1.4.0 new reproducible']);
});

test('what is wrong with a list is said before anything is done', async (t) => {
  const scratch = scratchPackage(t, {});
  for (const [text, code, says] of [
    ['apps:\n  - app: nobody\n', 'list-invalid', /apps\.yaml:2:10 apps\[0\]\.app: there is no recipe/],
    ['apps: [', 'list-invalid', /apps\.yaml:1:8: not valid YAML/],
    // a line for each, and none that the list could have written itself
    [
      'apps:\n  - app: "no\\nerror [body]"\n  - app: other\n',
      'list-invalid',
      /^error .*apps\.yaml:2:10 apps\[0\]\.app: .*"no\\\\nerror \[body\]".*\n {2}apps\.yaml:3:10 apps\[1\]\.app: /m,
    ],
  ] as const) {
    listOf(scratch, text);
    const { code: exit, stderr } = await scratch.run(['batch', 'apps.yaml']);
    t.is(exit, 64);
    t.regex(stderr, new RegExp(`^error \\[${code}\\]`, 'm'));
    t.regex(stderr, says);
  }
  const missing = await scratch.run(['batch', 'nothing.yaml', '--json']);
  t.is(missing.code, 75);
  t.regex(missing.stderr, /^error \[unreadable-input\]/m);
  mkdirSync(path.join(scratch.work, 'sub'));
  t.false(existsSync(path.join(scratch.work, 'batch')));
});

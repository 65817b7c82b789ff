// SPDX-License-Identifier: Apache-2.0
/** docs/operating.md: its commands, one after the other, with an app that takes seconds. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { packageDirectory } from '../helpers/cli.js';
import { hasEngine } from '../helpers/engines.js';
import { contained, keptIn } from '../helpers/kept.js';
import { appRecipe } from '../helpers/scratch-package.js';

const PAGE = readFileSync(path.join(packageDirectory, 'docs/operating.md'), 'utf8');

/** Up to the section of another walk. */
const COMMANDS = [...PAGE.matchAll(/^```\n([^`]*)```$/gm)]
  .flatMap(([, block = '']) => block.trim().split('\n'))
  .filter((line) => / RUN\b|--keep|^verify runs$|recipes-of-mine/.test(line));

/** Exit code and what is said, in the order of the page. */
const EXPECTED: readonly (readonly [RegExp, number, RegExp])[] = [
  [/--keep failed$/, 2, /look inside/],
  [/^verify runs$/, 0, /unbuildable, prepare: succeeded, build: failed;/],
  [/^verify shell RUN --command 'cat half.o'$/, 0, /^half$/m],
  [/^verify shell RUN --command 'echo built > result.txt'$/, 0, /^$/],
  [/--from compare$/, 75, /^No verdict[^]*the same bytes/],
  [/^verify recipes lint/, 0, /./],
  [/^verify plan/, 0, /contained 1\.0\.0/],
  [/^verify weechat 3\.8-1 --recipes recipes-of-mine$/, 0, /\[reproducible\]/],
  [/^verify runs --remove RUN$/, 0, /removed/],
];

/** As a shell would, of the quotes that the page uses. */
const words = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

test('the walk from a first failure to a clean run', async (t) => {
  t.deepEqual(
    COMMANDS.map((line, at) => EXPECTED[at]?.[0].test(line)),
    EXPECTED.map(() => true),
  );
  if (!hasEngine(t, 'docker')) return;
  const image = '{ kind: lock, name: tiny }';
  const scratch = contained(t, { prepare: 'true', build: 'echo half > half.o\nexit 3' });
  const file = path.join(scratch.work, 'published.txt');
  writeFileSync(file, 'built\n');
  mkdirSync(path.join(scratch.work, 'recipes-of-mine'));
  const fixed = appRecipe({ app: 'contained', image, prepare: 'true', build: 'echo built > result.txt' });
  writeFileSync(path.join(scratch.work, 'recipes-of-mine/contained.yaml'), fixed);
  let run = '';
  for (const [at, line] of COMMANDS.entries()) {
    const args = words(line.replaceAll('weechat 3.8-1', 'contained 1.0.0').replaceAll('weechat', 'contained'))
      .slice(1)
      .map((word) => (word === 'RUN' ? run : word));
    const builds = /^verify (?:weechat|plan)/.test(line);
    const more = builds && !line.startsWith('verify plan') ? ['--published', file, '--engine', 'docker'] : [];
    const { code, stdout, stderr } = await scratch.run([...args, ...more]);
    const [, expected = null, says = /./] = EXPECTED[at] ?? [];
    t.is(code, expected, `${line}\n${stderr}`);
    t.regex(stdout, says, line);
    run = keptIn(scratch)[0] ?? '';
    if (!line.startsWith('verify plan')) continue;
    const other = await scratch.run(['resume', run, '--from', 'build', '--recipes', 'recipes-of-mine']);
    t.is(other.code, 64);
    t.regex(other.stderr, /^error \[plan-changed\]/m);
  }
  t.deepEqual(keptIn(scratch), []);
});

test('every code of a run that cannot be taken up stands on the page', (t) => {
  const source = ['kept-run', 'kept-runs', 'resume', 'same-plan', 'shell', 'keep-run'].map((name) =>
    readFileSync(path.join(packageDirectory, `src/operations/${name}.ts`), 'utf8'),
  );
  const codes = source.flatMap((text) =>
    [...text.matchAll(/new (?:UsageError|FailedHere)\(\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
  );
  t.true(codes.length > 5);
  for (const code of new Set(codes)) t.regex(PAGE, new RegExp(`^\\| \`${code}\` `, 'm'));
});

// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { COMMAND_WORDS } from '../../src/cli/commands/index.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import { COMMAND_NAMES } from '../../src/recipe/lint.js';
import { errorOf, MAIN, verify } from '../helpers/transcript.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('--help names every command', async (t) => {
  const { code, stdout, stderr } = await verify(['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const word of COMMAND_WORDS) t.regex(stdout, new RegExp(`^  verify ${word}\\b.*  +\\S`, 'm'));
});

for (const word of COMMAND_WORDS)
  test(`${word} --help describes every option and gives examples that use them`, async (t) => {
    const { code, stdout, stderr } = await verify([word, '--help']);
    t.is(code, 0);
    t.is(stderr, '');
    t.regex(stdout, new RegExp(`^verify ${word}\\b`));
    const options = [...stdout.matchAll(/^ +(?:-\w, )?--([a-z-]+)( .*)$/gm)].map(
      ([, name = '', rest = '']) => ({
        name,
        rest,
      }),
    );
    for (const { name, rest } of options) t.regex(rest, /^ +[^[\s]/, `--${name} has no description`);
    const examples = [...(stdout.split('\nExamples:\n')[1] ?? '').matchAll(/^ +(verify .*)$/gm)];
    t.true(examples.length >= 2, 'two examples');
    for (const [, example = ''] of examples)
      for (const [, option = ''] of example.matchAll(/ --([a-z-]+)/g))
        t.true(
          options.some(({ name }) => name === option),
          `${example}: --${option} is no option of it`,
        );
  });

test('a recipe cannot take the name of a command', (t) => {
  const names: readonly string[] = COMMAND_NAMES;
  for (const word of COMMAND_WORDS) t.true(names.includes(word), word);
});

test('--version is the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  t.like(await verify(['--version']), { code: 0, stdout: `${version}\n` });
});

const WRONG: readonly (readonly [string, readonly string[], string, RegExp])[] = [
  ['no word at all', [], 'usage', /--help/],
  ['a misspelt option', ['compare', 'a', 'b', '--strickt'], 'unknown-option', /did you mean --strict\?/],
  [
    'a misspelt negated option',
    ['compare', 'a', 'b', '--no-strickt'],
    'unknown-option',
    /did you mean --strict\?/,
  ],
  [
    'an option of another command',
    ['plan', 'demo', '1.0.0', '--check'],
    'unknown-option',
    /verify plan --help/,
  ],
  ['an argument too many', ['transplant', 'a', 'b', 'c'], 'unknown-argument', /verify transplant --help/],
  ['an option twice', ['compare', 'a', 'b', '--out', 'x', '--out', 'y'], 'usage', /verify compare --help/],
  ['a rebuilt file too many', ['compare', 'a', 'b', 'c'], 'usage', /verify compare --help/],
  ['an argument too few', ['compare', 'a'], 'usage', /verify compare --help/],
  ['a value outside of the choices', ['report', 'x', '--format', 'htlm'], 'usage', /verify report --help/],
  ['a size that is none', ['compare', 'a', 'b', '--max-member', 'much'], 'usage', /verify compare --help/],
];

for (const [title, args, code, hint] of WRONG) {
  test(`usage: ${title}`, async (t) => {
    const transcript = await verify(args);
    t.is(transcript.code, 64);
    t.is(transcript.stdout, '');
    t.regex(transcript.stderr, new RegExp(`^error \\[${code}\\] .*\\n  .*\\n$`));
    t.regex(transcript.stderr, hint);
  });
  test(`usage: ${title}, as JSON`, async (t) => {
    const transcript = await verify([...args, '--json']);
    t.is(transcript.code, 64);
    t.is(errorOf(t, transcript), code);
  });
}

test('the word verify in front of an app or a command changes nothing', async (t) => {
  for (const words of [
    ['recipes', 'demo'],
    ['compare', 'a'],
    ['plan', 'demo', '1.0.0', '--json'],
  ]) {
    t.deepEqual(await verify(['verify', ...words]), await verify(words));
  }
  // alone it is a name like any other
  t.is((await verify(['verify'])).code, 64);
});

test('every rule and every file that is named counts', async (t) => {
  const none = await verify([
    'compare',
    MAIN,
    path.join(packageRoot(), 'package.json'),
    '--rule',
    'nothing',
    '--rule',
    'play',
  ]);
  t.is(none.code, 64);
  t.regex(none.stderr, /nothing/);
  const unknown = await verify(['clean', 'nothing', 'builds']);
  t.is(unknown.code, 64);
  t.regex(unknown.stderr, /nothing/);
});

test('a misspelt command is answered with the one that was meant', async (t) => {
  const transcript = await verify(['comapre', 'a']);
  t.is(transcript.code, 64);
  t.regex(transcript.stderr, /did you mean compare\?/);
});

test('on a terminal errors are red, with NO_COLOR they are not', (t) => {
  const typescript = path.join(temporaryDirectory(t), 'typescript');
  if (!need(t, 'script')) return;
  const onTerminal = (env: Readonly<Record<string, string>>): string =>
    execFileSync('script', ['-qc', `'${process.execPath}' '${MAIN}' recipes nobody`, typescript], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env },
    });
  t.true(onTerminal({}).includes('\u001b['));
  const plain = onTerminal({ NO_COLOR: '1' });
  t.regex(plain, /error \[unknown-app\]/);
  t.false(plain.replaceAll('\r\u001b[K', '').includes('\u001b['));
});

test('a closed pipe is not an error', (t) => {
  const said = execFileSync(
    'sh',
    ['-c', `'${process.execPath}' '${MAIN}' plan telegram-android 10.x --json 2>&1 | head -c 1`],
    { encoding: 'utf8' },
  );
  t.is(said.length, 1);
});

for (const stream of ['stdout', 'stderr'] as const)
  test(`nobody reads ${stream}: the exit code is still that of the verdict`, async (t) => {
    const cwd = temporaryDirectory(t);
    const child = spawn(process.execPath, [MAIN, 'demo', '--tampered'], {
      cwd,
      env: { ...process.env, XDG_CACHE_HOME: path.join(cwd, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child[stream].destroy();
    child[stream === 'stdout' ? 'stderr' : 'stdout'].resume();
    t.is(await new Promise((resolve) => child.on('close', resolve)), 1);
  });

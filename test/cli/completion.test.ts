// SPDX-License-Identifier: Apache-2.0
/** In real shells: what is offered at a place of the line. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { COMMAND_WORDS } from '../../src/cli/commands/index.js';
import { MAIN, verify } from '../helpers/transcript.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type Shell = 'bash' | 'zsh';

/** Each shell's own completion function is called as the shell would, with the line cut into words. */
const ASK: Readonly<Record<Shell, string>> = {
  bash: `eval "$(verify completion bash)"
complete -p verify samesource >/dev/null || exit 9
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_samesource_completion
printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `autoload -U compinit && compinit -u -D
eval "$(verify completion zsh)"
[[ $_comps[verify] = _samesource_completion && $_comps[samesource] = _samesource_completion ]] || exit 9
_describe() { print -rl -- "\${(@P)2}" }
_default() { print -r -- '<files>' }
words=("$@"); CURRENT=$#
_samesource_completion`,
};

function offered(t: ExecutionContext, shell: Shell, ...words: readonly string[]): readonly string[] {
  const directory = temporaryDirectory(t);
  const program = path.join(directory, 'verify');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(program, 0o755);
  const args =
    shell === 'bash' ? ['--norc', '-c', ASK.bash, 'bash', ...words] : ['-f', '-c', ASK.zsh, 'zsh', ...words];
  const said = execFileSync(shell, args, {
    encoding: 'utf8',
    cwd: directory,
    // the login shell is another one than the one in use
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      SHELL: shell === 'bash' ? '/bin/zsh' : '/bin/bash',
      HOME: directory,
    },
  });
  t.false(existsSync(path.join(directory, 'attempts')));
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (shell === 'zsh' ? (line.split(':')[0] ?? '') : line));
}

for (const shell of ['bash', 'zsh'] as const) {
  test(`${shell}: commands and apps as first word`, (t) => {
    if (!need(t, shell)) return;
    const first = offered(t, shell, 'verify', '');
    for (const word of [...COMMAND_WORDS, 'weechat', 'telegram-android']) t.true(first.includes(word), word);
    t.false(first.some((word) => word.startsWith('$') || word.startsWith('-')));
  });
  test(`${shell}: apps where a command takes one, options after a dash, choices after their option`, (t) => {
    if (!need(t, shell)) return;
    t.true(offered(t, shell, 'verify', 'plan', 'tele').includes('telegram-android'));
    t.false(offered(t, shell, 'verify', 'plan', 'tele').includes('compare'));
    t.true(offered(t, shell, 'verify', 'recipes', 'l').includes('lint'));
    t.true(offered(t, shell, 'verify', 'compare', '--recipe', 'w').includes('weechat'));
    t.true(offered(t, shell, 'verify', 'compare', '--str').includes('--strict'));
    t.true(offered(t, shell, 'verify', 'report', '--format', 'b').includes('brief'));
  });
  test(`${shell}: files where a file is meant`, (t) => {
    if (!need(t, shell)) return;
    t.deepEqual(offered(t, shell, 'verify', 'compare', ''), shell === 'zsh' ? ['<files>'] : []);
  });
}

test('asking does not run the command', async (t) => {
  for (const line of [
    ['recipes', ''],
    ['doctor', ''],
    ['compare', 'a', 'b', '-'],
  ]) {
    const { code, stderr } = await verify(['--get-yargs-completions', 'verify', ...line]);
    t.is(code, 0);
    t.is(stderr, '');
  }
});

test('fails: a shell that we do not know', async (t) => {
  const { code, stdout, stderr } = await verify(['completion', 'tcsh']);
  t.is(code, 64);
  t.is(stdout, '');
  t.regex(stderr, /^error \[usage\] .*"bash", "zsh"/);
});

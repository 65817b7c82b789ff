// SPDX-License-Identifier: Apache-2.0
/** The timer and the workflow that are shipped: as their documentation has it, and with commands that there are. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../src/inputs/package-files.js';
import { need } from '../helpers/need.js';
import { verify } from '../helpers/transcript.js';

const CONTRIB = path.join(packageRoot(), 'contrib');
const read = (file: string): string => readFileSync(path.join(CONTRIB, file), 'utf8');

// systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5), systemd.timer(5)
const KEYS: Readonly<Record<string, readonly string[]>> = {
  Unit: ['Description', 'Documentation', 'Wants', 'After'],
  Service: [
    'Type',
    'User',
    'StateDirectory',
    'CacheDirectory',
    'WorkingDirectory',
    'Environment',
    'ExecStartPre',
    'ExecStart',
    'KillMode',
    'TimeoutStartSec',
    'TimeoutStopSec',
    'Nice',
    'IOSchedulingClass',
    'PrivateTmp',
    'ProtectSystem',
    'ProtectHome',
    'NoNewPrivileges',
  ],
  Timer: ['OnCalendar', 'RandomizedDelaySec', 'Persistent'],
  Install: ['WantedBy'],
};

/** [section, key, value]; anything that is no comment, section or assignment is an error. */
function unit(text: string): readonly (readonly [string, string, string])[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const head = /^\[(\w+)\]$/.exec(line)?.[1];
    if (head !== undefined) section = head;
    if (head !== undefined) return [];
    const [, key = '', value = ''] = /^([A-Za-z]+)=(\S.*)$/.exec(line) ?? [];
    if (key === '') throw new Error(`no assignment: ${line}`);
    return [[section, key, value] as const];
  });
}

for (const file of ['samesource-batch.service', 'samesource-batch.timer'])
  test(`${file} has only what systemd knows`, (t) => {
    const lines = unit(read(`systemd/${file}`));
    for (const [section, key] of lines) t.true(KEYS[section]?.includes(key), `[${section}] ${key}`);
    t.true(lines.length > 4);
  });

test('systemd itself has nothing to say about the units', (t) => {
  if (!need(t, 'systemd-analyze')) return;
  const files = readdirSync(path.join(CONTRIB, 'systemd')).map((name) => path.join(CONTRIB, 'systemd', name));
  const said = execFileSync('systemd-analyze', ['verify', '--man=no', ...files], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  t.is(said, '');
});

test('the commands of the units and of the workflow are commands of this program', async (t) => {
  const started = unit(read('systemd/samesource-batch.service'))
    .filter(([, key]) => key.startsWith('ExecStart'))
    .map(([, , value]) => value);
  t.is(started.length, 2);
  const commands = [...started, ...read('github/verify-apps.yml').split('\n')].flatMap(
    (line) => /(?:samesource|main\.js) ((?:batch|doctor) .*)$/.exec(line)?.[1] ?? [],
  );
  t.is(commands.length, 3);
  for (const command of commands) {
    const [word = '', ...rest] = command.split(' ');
    const { stdout } = await verify([word, '--help']);
    for (const option of rest.filter((one) => one.startsWith('--')))
      t.regex(stdout, new RegExp(`^ .*${option} `, 'm'), command);
  }
});

// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
const step = z.union([
  z.strictObject({
    name: z.string().optional(),
    if: z.string().optional(),
    uses: z.string().regex(/^[\w.-]+\/[\w./-]+@v\d+$/),
    with: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  }),
  z.strictObject({
    name: z.string().optional(),
    env: z.record(z.string(), z.string()).optional(),
    // what a matrix says must not become a part of a script
    run: z.string().refine((script) => !script.includes('${{'), 'an expression in a script'),
  }),
]);
const workflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    schedule: z.array(z.strictObject({ cron: z.string().regex(/^(?:[\d*,/-]+ ){4}[\d*,/-]+$/) })),
    workflow_dispatch: z.null(),
  }),
  permissions: z.strictObject({ contents: z.literal('read') }),
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(
    z.string().regex(/^[a-z_][\w-]*$/i),
    z.strictObject({
      name: z.string(),
      'runs-on': z.string(),
      'timeout-minutes': z.number().int().max(360),
      strategy: z.strictObject({
        'fail-fast': z.boolean(),
        'max-parallel': z.number().int(),
        matrix: z.strictObject({
          include: z.array(z.strictObject({ app: z.string(), version: z.string() })),
        }),
      }),
      steps: z.array(step),
    }),
  ),
});

test('the workflow is as its documentation has it, and its apps have recipes', (t) => {
  const checked = workflow.safeParse(parse(read('github/verify-apps.yml')));
  t.is(checked.error?.message, undefined);
  const apps = Object.values(checked.data?.jobs ?? {}).flatMap(({ strategy }) => strategy.matrix.include);
  t.true(apps.length >= 2);
  const recipes = readdirSync(path.join(packageRoot(), 'recipes'));
  for (const { app } of apps) t.true(recipes.includes(`${app}.yaml`), app);
});

test('both go into the package', (t) => {
  const { files } = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
  };
  t.true(files.includes('contrib'));
});

// SPDX-License-Identifier: Apache-2.0
/** The journal of a run that may be kept: what cannot be written costs the run nothing but its being kept. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { KeepRun, keptRequest } from '../../src/operations/keep-run.js';
import { readKept, readKeptRun } from '../../src/operations/kept-run.js';
import { EMPTY_INVENTORY } from '../helpers/build-request.js';
import { localPlan, world } from '../helpers/local-plan.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const FROZEN = {
  image: 'localhost/an-image:latest',
  imageId: 'sha256:1',
  account: { uid: 0, gid: 0, home: '/root' },
  inventory: EMPTY_INVENTORY,
  environment: {
    executor: 'docker',
    packages: [],
    kernel: 'Linux',
    cpuCount: 1,
    architecture: 'x64',
    commands: [],
  },
  deviations: [],
  logs: [],
  fetched: [],
  seconds: 1,
} as const;
const BEGUN = { phase: 'prepare', attempt: 1, container: 'c', arguments: ['--name', 'c'] } as const;

async function begun(t: ExecutionContext, policy: 'failed' | 'always') {
  const notes: string[] = [];
  const directory = path.join(temporaryDirectory(t), '20261129t101500-3f9a2c');
  mkdirSync(directory);
  const run = new KeepRun(
    {
      policy,
      operation: 'verify',
      planned: { plan: localPlan(world(t)), facts: [] },
      request: { app: 'demo', version: '1.0.0' },
    },
    { onProgress: (event) => event.kind === 'note' && notes.push(event.text) },
  );
  await run.begin(directory);
  return { run, directory, notes };
}

test('what is written is read again; a failed run stays, a good one only with `always`', async (t) => {
  for (const [policy, good, stays] of [
    ['failed', false, true],
    ['failed', true, false],
    ['always', true, true],
  ] as const) {
    const { run, directory } = await begun(t, policy);
    await run.engine('podman');
    await run.began(BEGUN);
    await run.prepared(FROZEN);
    await run.began({ ...BEGUN, phase: 'build' });
    mkdirSync(path.join(directory, 'source'));
    t.is(await run.end({ good, outcome: 'some-end' }), stays);
    if (!stays) continue;
    const kept = await readKeptRun(directory);
    t.like(kept, { engine: 'podman', end: { outcome: 'some-end' }, frozen: { imageId: 'sha256:1' } });
    t.deepEqual(
      kept.phases.map(({ phase, ended }) => [phase, ended?.outcome]),
      [
        ['prepare', 'succeeded'],
        ['build', 'some-end'],
      ],
    );
    t.like(await readKept(directory, 'prepared.json', kept.frozen?.sha256 ?? ''), { seconds: 1 });
    t.throws(() => readFileSync(path.join(directory, 'source')), { code: 'ENOENT' });
    writeFileSync(path.join(directory, 'prepared.json'), '{}');
    await t.throwsAsync(readKept(directory, 'prepared.json', kept.frozen?.sha256 ?? ''), {
      code: 'kept-run-damaged',
    });
  }
});

test('a folder that cannot be written to: no error, a note, and nothing stays', async (t) => {
  const { run, directory, notes } = await begun(t, 'always');
  await run.began(BEGUN);
  rmSync(directory, { recursive: true });
  writeFileSync(directory, 'no directory');
  await run.prepared(FROZEN);
  await run.built(1, { kind: 'environment-gone', url: 'https://example.org/', status: 404 });
  t.false(await run.end({ good: true, outcome: 'reproducible' }));
  t.is(notes.length, 1);
  t.regex(notes[0] ?? '', /^this run could not be kept: /);
});

test('a run in which no phase began is not kept', async (t) => {
  const { run, notes } = await begun(t, 'always');
  t.false(await run.end({ good: false, outcome: 'network' }));
  t.deepEqual(notes, []);
});

test('a request is kept for another directory to start from', (t) => {
  const kept = keptRequest(
    { app: 'a', version: '1', published: 'p.apk', source: 'tree', serial: 'x' },
    'published',
  );
  t.deepEqual(kept, {
    app: 'a',
    version: '1',
    published: path.resolve('p.apk'),
    source: path.resolve('tree'),
    serial: 'x',
  });
  const remote = keptRequest({ app: 'a', version: '1', source: 'https://example.org/a.git' });
  t.is(remote['source'], 'https://example.org/a.git');
});

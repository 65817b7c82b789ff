// SPDX-License-Identifier: Apache-2.0
/** Which executor is chosen, and what its absence is called. */
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { chooseExecutor } from '../../src/build/executors.js';
import { FailedHere, UsageError } from '../../src/errors.js';
import type { ImagePlan } from '../../src/model.js';
import { TEST_DEPENDENCIES } from '../helpers/build-request.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const LOCK: ImagePlan = { kind: 'lock', name: 'test', sha256: '0'.repeat(64), packages: 1 };
const NONE: ImagePlan = { kind: 'none' };

/** Programs that stand in for the engines: `undefined` is one that is not installed. */
async function withEngines<Result>(
  directory: string,
  scripts: { readonly docker?: string; readonly podman?: string },
  work: () => Promise<Result>,
): Promise<Result> {
  for (const [name, script] of Object.entries(scripts)) {
    const file = path.join(directory, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  const before = process.env['PATH'];
  process.env['PATH'] = directory;
  try {
    return await work();
  } finally {
    process.env['PATH'] = before;
  }
}

const DEAD = 'echo "Cannot connect to the Docker daemon. Is it running?" >&2; exit 1';
const DENIED =
  'echo "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2; exit 1';

test.serial('docker if its daemon answers, else podman', async (t) => {
  const choose = () => chooseExecutor({ image: LOCK }, TEST_DEPENDENCIES);
  const both = { docker: 'echo 28.0', podman: 'echo 5.0' };
  t.is((await withEngines(temporaryDirectory(t), both, choose)).kind, 'docker');
  t.is((await withEngines(temporaryDirectory(t), { ...both, docker: DEAD }, choose)).kind, 'podman');
  t.is((await withEngines(temporaryDirectory(t), { podman: 'echo 5.0' }, choose)).kind, 'podman');
});

test.serial('none: what to install, what to start, who may', async (t) => {
  const choose = () =>
    t.throwsAsync(chooseExecutor({ image: LOCK }, TEST_DEPENDENCIES), { instanceOf: FailedHere });
  const absent = await withEngines(temporaryDirectory(t), {}, choose);
  t.is(absent?.code, 'no-engine');
  t.regex(absent?.hint ?? '', /apt-get install docker\.io.*apt-get install podman/);
  const dead = await withEngines(temporaryDirectory(t), { docker: DEAD }, choose);
  t.regex(dead?.hint ?? '', /systemctl start docker/);
  const denied = await withEngines(temporaryDirectory(t), { docker: DENIED }, choose);
  t.is(denied?.code, 'no-engine');
  t.regex(denied?.message ?? '', /may not use it/);
  t.regex(denied?.hint ?? '', /group docker/);
});

test.serial('local only for plans without an image, or when asked for; as root only when told', async (t) => {
  t.is((await chooseExecutor({ image: NONE }, TEST_DEPENDENCIES)).kind, 'local');
  t.is((await chooseExecutor({ image: NONE, engine: 'local' }, TEST_DEPENDENCIES)).kind, 'local');
  const docker = await t.throwsAsync(chooseExecutor({ image: NONE, engine: 'docker' }, TEST_DEPENDENCIES), {
    instanceOf: UsageError,
  });
  t.is(docker?.code, 'engine-without-image');
  const asked = { image: LOCK, engine: 'local' } as const;
  t.is((await chooseExecutor({ ...asked, allowLocalAsRoot: true }, TEST_DEPENDENCIES)).kind, 'local');
  const before = process.getuid;
  t.teardown(() => {
    process.getuid = before as () => number;
  });
  process.getuid = () => 0;
  const root = await t.throwsAsync(chooseExecutor(asked, TEST_DEPENDENCIES), { instanceOf: UsageError });
  t.is(root?.code, 'local-as-root');
  process.getuid = () => 1000;
  t.is((await chooseExecutor(asked, TEST_DEPENDENCIES)).kind, 'local');
});

test.serial('a plan with an unknown image', async (t) => {
  const image = { kind: 'unresolved', reference: 'gradle:7' } as const;
  const error = await t.throwsAsync(chooseExecutor({ image }, TEST_DEPENDENCIES), { instanceOf: FailedHere });
  t.is(error?.code, 'plan-unresolved');
});

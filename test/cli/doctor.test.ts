// SPDX-License-Identifier: Apache-2.0
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Diagnosis } from '../../src/index.js';
import { KNOWN_TOOLS } from '../../src/known-tools.js';
import { document, verify } from '../helpers/transcript.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

/** A PATH with nothing but node and these programs, each a shell script. */
function pathWith(t: ExecutionContext, programs: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory(t);
  symlinkSync(process.execPath, path.join(directory, 'node'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(directory, name), 0o755);
  }
  return directory;
}

const GIT = { git: 'echo git version 2.0.0' };

async function diagnose(
  t: ExecutionContext,
  programs: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly diagnosis: Diagnosis }> {
  const transcript = await verify(['doctor', '--json', '--quiet'], { env: { PATH: pathWith(t, programs) } });
  t.is(transcript.stderr, '');
  return { code: transcript.code, diagnosis: document(t, transcript) as Diagnosis };
}

test('a bare machine with git: each missing thing with what it enables and what installs it', async (t) => {
  const { code, stdout } = await verify(['doctor'], { env: { PATH: pathWith(t, GIT) } });
  t.is(code, 0);
  t.regex(stdout, /^git +git version 2\.0\.0$/m);
  for (const [name, { enables, install }] of Object.entries(KNOWN_TOOLS))
    if (name !== 'git')
      t.true(
        stdout
          .split('\n')
          .some(
            (line) =>
              line.startsWith(name) && line.includes(`missing; enables ${enables}`) && line.endsWith(install),
          ),
        name,
      );
  t.regex(stdout, /^memory +\d+ of \d+ MiB free$/m);
  t.regex(stdout, /^cache +\d+ MiB free in /m);
  t.regex(stdout, /no container engine answers/);
});

test('fails: without git', async (t) => {
  const { code, diagnosis } = await diagnose(t, {});
  t.is(code, 75);
  t.false(diagnosis.healthy);
  t.like(
    diagnosis.tools.find(({ name }) => name === 'git'),
    {
      essential: true,
      state: { kind: 'missing', install: 'apt-get install git' },
    },
  );
});

const ENGINES: readonly (readonly [string, string, Diagnosis['engines'][number]['state']['kind'], RegExp])[] =
  [
    ['docker', 'echo 28.0.0', 'reachable', /^$/],
    [
      'docker',
      'echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1',
      'not-running',
      /systemctl start docker/,
    ],
    [
      'docker',
      'echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1',
      'no-permission',
      /group docker/,
    ],
    ['docker', 'echo "something new" >&2; exit 1', 'broken', /docker info/],
    ['podman', 'echo 4.3.1', 'reachable', /^$/],
    [
      'podman',
      'echo "Error: default OCI runtime \\"crun\\" not found" >&2; exit 125',
      'broken',
      /podman info/,
    ],
  ];

for (const [engine, script, kind, fix] of ENGINES)
  test(`${engine} is ${kind}: ${script}`, async (t) => {
    const { code, diagnosis } = await diagnose(t, { ...GIT, [engine]: script });
    t.is(code, 0);
    const found = diagnosis.engines.find(({ name }) => name === engine);
    t.is(found?.state.kind, kind);
    t.regex(found?.fix ?? '', fix);
  });

test('each program is asked for its version in its own way', async (t) => {
  const { diagnosis } = await diagnose(t, {
    ...GIT,
    ssh: 'test "$1" = -V && echo OpenSSH_9.2 >&2',
    openssl: 'test "$1" = version && echo OpenSSL 3.0.0',
  });
  const versions = diagnosis.tools.flatMap(({ name, state }) =>
    state.kind === 'present' ? [`${name}: ${state.version}`] : [],
  );
  t.deepEqual(versions, ['git: git version 2.0.0', 'ssh: OpenSSH_9.2', 'openssl: OpenSSL 3.0.0']);
});

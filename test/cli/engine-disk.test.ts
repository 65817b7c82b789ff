// SPDX-License-Identifier: Apache-2.0
/** The disk of the engine is full, at each step of a run: our failure with a hint, nothing left, never a verdict. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { hasEngine } from '../helpers/engines.js';
import { contained } from '../helpers/kept.js';
import { hasTool, without } from '../helpers/need.js';

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  /** Containers, images and networks that the engine holds afterwards. */
  readonly held: readonly string[];
}

/** A store of Podman in memory, in a mount namespace that is gone with the process. */
const IN_A_SMALL_STORE = `
mount -t tmpfs -o "size=$1m" none "$2" || exit 99
shift 2
"$@"
code=$?
{
  podman ps --all --format '{{.Names}}' &&
  podman images --format '{{.Repository}}' &&
  podman network ls --format '{{.Name}}' || echo samesource-cannot-be-listed
} > "$HELD"
exit "$code"
`;

async function run(
  t: ExecutionContext,
  mib: number,
  scripts: { readonly prepare?: string; readonly build: string },
  engine: 'podman' | 'local' = 'podman',
): Promise<Ended> {
  const scratch = contained(t, scripts);
  writeFileSync(path.join(scratch.work, 'result.txt'), 'built\n');
  const [store, configuration, held] = ['store', 'storage.conf', 'held'].map((name) =>
    path.join(scratch.work, '..', name),
  ) as [string, string, string];
  mkdirSync(store);
  writeFileSync(
    configuration,
    `[storage]\ndriver = "overlay"\ngraphroot = "${store}/graph"\nrunroot = "${path.dirname(store)}/run"\n`,
  );
  // without a container it is the disk of the work tree
  const small = engine === 'podman' ? store : scratch.temporary;
  const main = path.join(scratch.root, 'dist/bin/main.js');
  const verify = [
    'contained',
    '1.0.0',
    '--published',
    'result.txt',
    '--no-confirm',
    '--engine',
    engine,
    ...(engine === 'local' ? ['--allow-local-as-root'] : []),
  ];
  const child = spawn(
    'unshare',
    ['--mount', 'sh', '-c', IN_A_SMALL_STORE, 'sh', String(mib), small, process.execPath, main, ...verify],
    {
      cwd: scratch.work,
      env: {
        ...process.env,
        NO_COLOR: '1',
        XDG_CACHE_HOME: scratch.cacheHome,
        TMPDIR: scratch.temporary,
        CONTAINERS_STORAGE_CONF: configuration,
        HELD: held,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  t.deepEqual(scratch.left(), []);
  t.deepEqual(
    scratch.written().filter((name) => name.startsWith('reports/')),
    [],
  );
  return {
    code,
    stderr,
    held: readFileSync(held, 'utf8')
      .split('\n')
      .filter((name) => name.includes('samesource-') && !name.includes('samesource-base-')),
  };
}

/** A file of ten MiB, from a shell and `cat` alone, with five more for a moment. */
const TEN_MIB = `
k=0123456789abcdef0123456789abcdef; k=$k$k$k$k$k$k$k$k$k$k; printf '%s' "$k$k$k$k$k$k$k$k" > a
for i in 1 2 3 4 5 6; do cat a a > b; rm a; cat b b > a; rm b; done`;

const CASES = {
  'the import of the base image': { mib: 2, build: 'true' },
  'prepare, which says so': { prepare: 'cat /dev/zero > big', build: 'true' },
  'prepare, which hides it and fails': { prepare: 'cat /dev/zero > big 2> /dev/null', build: 'true' },
  'prepare, which hides it and goes on': {
    prepare: 'cat /dev/zero > big 2> /dev/null || true',
    build: 'echo built > result.txt',
  },
  'what is frozen of it': { mib: 22, prepare: TEN_MIB, build: 'echo built > result.txt' },
  'build, which says so': { build: 'cat /dev/zero > big' },
  'build, which hides it and fails': { build: 'cat /dev/zero > big 2> /dev/null || exit 3' },
  'build, which hides it and goes on': {
    build: 'cat /dev/zero > big 2> /dev/null || :\necho built > result.txt 2> /dev/null || :',
  },
} as const satisfies Record<
  string,
  { readonly mib?: number; readonly prepare?: string; readonly build: string }
>;

function needsPodman(t: ExecutionContext): boolean {
  if (!hasTool('unshare') || process.getuid?.() !== 0) return without(t, 'unshare, as root');
  return hasEngine(t, 'podman');
}

for (const [title, { mib = 24, ...scripts }] of Object.entries<{
  readonly mib?: number;
  readonly prepare?: string;
  readonly build: string;
}>(CASES))
  test.serial(`full at: ${title}`, async (t) => {
    if (!needsPodman(t)) return;
    const { code, stderr, held } = await run(t, mib, scripts);
    t.is(code, 75, stderr);
    t.regex(stderr, /^error \[disk-full\]/m);
    t.regex(stderr, /^ +free some space where the engine keeps its containers/m);
    t.deepEqual(held, []);
  });

for (const build of [
  'cat /dev/zero > big 2> /dev/null || exit 3',
  'cat /dev/zero > big 2> /dev/null || :\necho built > result.txt 2> /dev/null || :',
])
  test.serial(`full without a container: ${build.split('\n').length} lines`, async (t) => {
    if (!needsPodman(t)) return;
    const { code, stderr } = await run(t, 32, { build }, 'local');
    t.is(code, 75, stderr);
    t.regex(stderr, /^error \[disk-full\]/m);
  });

// SPDX-License-Identifier: Apache-2.0
/** A whole plan of a made-up app that is built without a container from a repository in a directory of the test. */
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { cacheDirectory } from '../../src/inputs/cache.js';
import type { BuildPlan, ComparePlan, Plan } from '../../src/model.js';
import { verifyPlan, type VerifyRequest, type VerifyResult } from '../../src/operations/verify.js';
import { checkReport } from '../../src/report/check.js';
import { GitRepository } from './git-repository.js';
import { temporaryDirectory } from './temp-directory.js';

export interface World {
  readonly directory: string;
  readonly upstream: GitRepository;
  readonly commit: string;
}

/** The source of `chat` 1.0: its build script is what a test gives the plan. */
export function world(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): World {
  const directory = temporaryDirectory(t);
  const upstream = new GitRepository(path.join(directory, 'upstream'));
  const commit = upstream.commit('chat 1.0', {
    'version.txt': 'name=1.0\n',
    'text.txt': 'hello\n',
    ...files,
  });
  upstream.git('tag', 'v1.0');
  return { directory, upstream, commit };
}

export interface LocalPlan {
  readonly script?: string;
  readonly source?: Partial<Extract<BuildPlan['source'], { kind: 'git' }>>;
  readonly outputs?: BuildPlan['outputs'];
  readonly compare?: Partial<ComparePlan>;
  readonly deviations?: Plan['deviations'];
}

export function localPlan({ upstream, commit }: World, more: LocalPlan = {}): Plan {
  const target = { app: 'chat', version: '1.0', channel: 'website' };
  const build: BuildPlan = {
    app: 'chat',
    version: '1.0',
    source: {
      kind: 'git',
      repository: upstream.directory,
      commit,
      ref: 'v1.0',
      fullHistory: false,
      submodules: false,
      lfs: false,
      assertions: [{ file: 'version.txt', pattern: '^name=(.*)$', expected: '1.0', what: 'version-name' }],
      ...more.source,
    },
    environment: {
      image: { kind: 'none' },
      user: 'builder',
      directory: '/build/chat',
      locale: 'C.UTF-8',
      timeZone: 'UTC',
      sourceDateEpoch: 'commit',
      variables: {},
      memoryMiB: 64,
      diskMiB: 16,
      minutes: 1,
      cpus: 1,
    },
    phases: [
      {
        name: 'build',
        user: 'builder',
        network: false,
        script: more.script ?? 'mkdir out; cp text.txt out/chat.bin',
      },
    ],
    outputs: more.outputs ?? [{ id: 'chat', path: 'out/chat.bin' }],
  };
  const compare: ComparePlan = {
    target,
    builtBy: 'publisher',
    signers: [],
    acquisition: { kind: 'handed-over', how: 'ask for it' },
    pairs: [{ published: 'chat.bin', output: 'chat' }],
    notPublished: [],
    rules: [],
    ...more.compare,
  };
  return {
    schemaVersion: 1,
    target,
    build,
    buildDigest: digestOf(build),
    compare,
    compareDigest: digestOf(compare),
    recipe: { app: 'chat', sha256: '0'.repeat(64) },
    deviations: more.deviations ?? [],
    unresolved: [],
    skipped: [],
    expected: { minutes: 1, diskMiB: 16, memoryMiB: 64 },
    carried: [],
    toolchain: [],
    references: [],
    unconfirmed: [],
    knownResults: [],
  };
}

/** Runs the pipeline. Whatever comes of it, the report agrees with itself and names no place of this machine. */
export async function verified(
  t: ExecutionContext,
  { upstream }: World,
  plan: Plan,
  request: Omit<VerifyRequest, 'app' | 'version' | 'channel'>,
): Promise<VerifyResult['report']> {
  const { report } = await verifyPlan(plan, request);
  const checked = checkReport(report);
  t.deepEqual(checked.kind === 'inconsistent' ? checked.problems : [], []);
  // the plans of tests name their repositories by path
  const texts = JSON.stringify(report).replaceAll(upstream.directory, 'https://example.org/chat');
  t.false(texts.includes(cacheDirectory()), 'a report names the cache');
  t.notRegex(texts, /\/samesource-[A-Za-z0-9]{6}\//);
  return report;
}

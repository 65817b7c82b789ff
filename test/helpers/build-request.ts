// SPDX-License-Identifier: Apache-2.0
/** Requests to executors with plans as small as a test needs, and what an engine still holds afterwards. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { ExecutorDependencies } from '../../src/build/container.js';
import type { PrepareRequest } from '../../src/build/executor.js';
import type { BuildPlan, EnvironmentPlan, InputInventory, PhasePlan } from '../../src/model.js';
import { buildBase } from './build-base.js';
import { hasTool } from './need.js';
import { temporaryDirectory } from './temp-directory.js';

export const EMPTY_INVENTORY: InputInventory = {
  treeSha256: '0'.repeat(64),
  files: 0,
  bySha256: new Map(),
  byAllocatedSections: new Map(),
  linkable: [],
  linkableInto: new Map(),
  unopened: { count: 0, shown: [] },
};

export const COMMIT_TIME = 1_700_000_000;

export interface SmallPlan {
  readonly prepare?: string;
  /** Of the prepare phase. */
  readonly hosts?: readonly string[];
  readonly certificate?: true;
  readonly build?: string;
  readonly buildNetwork?: boolean;
  readonly user?: string;
  readonly environment?: Partial<EnvironmentPlan>;
  readonly outputs?: readonly string[];
  readonly source?: BuildPlan['source'];
}

export function smallPlan(plan: SmallPlan): BuildPlan {
  const user = plan.user ?? 'root';
  const phases: PhasePlan[] = [
    ...(plan.prepare === undefined
      ? []
      : [
          {
            name: 'prepare',
            user: 'root',
            network: true,
            ...(plan.hosts === undefined ? {} : { hosts: plan.hosts }),
            ...(plan.certificate === undefined ? {} : { certificate: plan.certificate }),
            script: plan.prepare,
          } as const,
        ]),
    { name: 'build', user, network: plan.buildNetwork ?? false, script: plan.build ?? 'true' },
  ];
  return {
    app: 'test',
    version: '1',
    source: plan.source ?? {
      kind: 'git',
      repository: 'https://example.invalid/test',
      commit: '0'.repeat(40),
      fullHistory: false,
      submodules: false,
      lfs: false,
      assertions: [],
    },
    environment: {
      image: { kind: 'lock', name: 'test', sha256: '0'.repeat(64), packages: 1 },
      user,
      directory: '/build/app',
      locale: 'C.UTF-8',
      timeZone: 'UTC',
      sourceDateEpoch: 'commit',
      variables: {},
      memoryMiB: 512,
      diskMiB: 512,
      minutes: 2,
      cpus: 1,
      ...plan.environment,
    },
    phases,
    outputs: (plan.outputs ?? []).map((file) => ({ id: path.posix.basename(file), path: file })),
  };
}

let count = 0;

export function requestFor(
  t: ExecutionContext,
  plan: BuildPlan,
  files: Readonly<Record<string, string>> = { 'hello.txt': 'hello\n' },
): PrepareRequest {
  const directory = temporaryDirectory(t);
  const tree = path.join(directory, 'tree');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  return {
    plan,
    ...(plan.source.kind === 'debian' ? {} : { source: { directory: tree, commitTime: COMMIT_TIME } }),
    directory,
    cache: path.join(directory, 'cache'),
    packageRoot: directory,
    run: `test-${process.pid}-${++count}`,
  };
}

/** The real base; inventories that only read their stream to its end. */
export const TEST_DEPENDENCIES: ExecutorDependencies = {
  rootFileSystem: () => buildBase(),
  async takeInventory(exported) {
    let size = 0;
    for await (const chunk of exported) size += chunk.length;
    return { ...EMPTY_INVENTORY, files: size };
  },
  takeInventoryOfDirectory: () => Promise.resolve(EMPTY_INVENTORY),
};

/** True when the engine answers. Else as `need`: skipped here, a failure under CI=true. */
export function needEngine(t: ExecutionContext, engine: 'docker' | 'podman'): boolean {
  let why = `skipped: needs ${engine} and mmdebstrap`;
  if (hasTool('mmdebstrap') && hasTool(engine)) {
    try {
      execFileSync(engine, ['ps', '--quiet'], { stdio: 'pipe' });
      return true;
    } catch (error) {
      why = `skipped: ${engine} does not answer: ${String(error)}`;
    }
  }
  if (process.env['CI'] === 'true') t.fail(why);
  else {
    t.log(why);
    t.pass();
  }
  return false;
}

/** Containers, images, networks and volumes of a run that are still there. */
export function leftovers(engine: 'docker' | 'podman', run: string): string[] {
  const list = (args: readonly string[]): string[] =>
    execFileSync(engine, args, { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(`samesource-${run}-`));
  return [
    ...list(['ps', '--all', '--format', '{{.Names}}']),
    ...list(['images', '--format', '{{.Repository}}:{{.Tag}}']),
    ...list(['network', 'ls', '--format', '{{.Name}}']),
    ...list(['volume', 'ls', '--format', '{{.Name}}']),
  ];
}

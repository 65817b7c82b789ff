// SPDX-License-Identifier: Apache-2.0
/** The plan of a made-up app, as a report records it. */
import { digestOf } from '../../src/canonical-json.js';
import type { BuildPlan, ComparePlan } from '../../src/model.js';
import type { PlanRecord } from '../../src/report/types.js';

export const COMMIT = '1'.repeat(40);
export const REPOSITORY = 'https://example.org/demo.git';

export function aPlan(
  more: { readonly build?: Partial<BuildPlan>; readonly compare?: Partial<ComparePlan> } = {},
): PlanRecord {
  const build: BuildPlan = {
    app: 'demo',
    version: '1.0',
    source: {
      kind: 'git',
      repository: REPOSITORY,
      commit: COMMIT,
      ref: 'v1.0',
      fullHistory: false,
      submodules: true,
      lfs: true,
      assertions: [],
    },
    environment: {
      image: { kind: 'lock', name: 'debian-12', sha256: '3'.repeat(64), packages: 120 },
      user: 'builder',
      directory: '/build/demo',
      locale: 'C.UTF-8',
      timeZone: 'UTC',
      sourceDateEpoch: 'commit',
      variables: {},
      memoryMiB: 2048,
      diskMiB: 4096,
      minutes: 10,
      cpus: 2,
    },
    phases: [
      { name: 'prepare', user: 'root', network: true, script: './fetch' },
      { name: 'build', user: 'builder', network: false, script: './gradlew assembleRelease' },
    ],
    outputs: [{ id: 'apk', path: 'build/app-unsigned.apk' }],
    ...more.build,
  };
  const compare: ComparePlan = {
    target: { app: 'demo', version: '1.0', channel: 'website' },
    builtBy: 'publisher',
    signers: [],
    acquisition: { kind: 'handed-over', how: 'download it' },
    pairs: [{ published: 'app.apk', output: 'apk' }],
    notPublished: [{ pattern: '*-dbgsym.deb', reason: 'symbols' }],
    rules: [],
    ...more.compare,
  };
  return {
    recipeSha256: '4'.repeat(64),
    buildDigest: digestOf(build),
    compareDigest: digestOf(compare),
    build,
    compare,
  };
}

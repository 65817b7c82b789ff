// SPDX-License-Identifier: Apache-2.0
/** Reports of real comparisons, for tests of what is made from them. */
import { variedDeparture } from '../../src/pipeline/varied-departure.js';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BufferSource } from '../../src/bytes.js';
import { compareSources } from '../../src/compare/compare.js';
import type { EnvironmentRecord } from '../../src/model.js';
import { assembleReport, type ReportInput } from '../../src/report/assemble.js';
import type { Report } from '../../src/report/types.js';
import { aPlan, COMMIT, REPOSITORY } from './a-plan.js';
import { aRun } from './a-run.js';
import { buildZip } from './build-zip.js';

const DEMO = path.resolve(import.meta.dirname, '../../../demo');

/** Compares the two as one pair and reports it. */
export async function reportOf(
  published: Buffer,
  rebuilt: Buffer,
  more: Partial<ReportInput> = {},
): Promise<Report> {
  const pair = await compareSources(new BufferSource(published), new BufferSource(rebuilt), {
    publishedName: 'app.apk',
    rebuiltName: 'app-unsigned.apk',
  });
  return assembleReport({
    published: [pair.published],
    rebuilt: [pair.rebuilt],
    comparison: {
      pairs: [pair],
      unpairedPublished: [],
      notObtained: [],
      unpairedRebuilt: [],
      notPublished: [],
    },
    run: aRun(),
    ...more,
  });
}

const members = (text: string, level: number) => [
  { name: 'AndroidManifest.xml', data: 'manifest', level },
  { name: 'classes.dex', data: 'code '.repeat(500), level },
  { name: 'assets/inner.zip', data: buildZip([{ name: 'a', data: text, method: 0 }]), method: 0 },
  { name: 'res/text', data: text.repeat(50), level },
];

export const SOURCE = {
  kind: 'git',
  repository: REPOSITORY,
  commit: COMMIT,
  tag: 'v1.0',
  tagSignedBy: 'A'.repeat(40),
  treeSha256: '2'.repeat(64),
  from: 'upstream',
  submodules: [{ path: 'third_party/zlib', url: 'https://example.org/zlib.git', commit: '5'.repeat(40) }],
  lfs: [{ path: 'assets/big.bin', sha256: '6'.repeat(64), size: 1_000_000 }],
} as const satisfies ReportInput['source'];

const ENVIRONMENT: EnvironmentRecord = {
  executor: 'docker',
  engineVersion: '28.0.1',
  image: { name: 'debian-12', rootfsSha256: '7'.repeat(64), lockSha256: '3'.repeat(64) },
  packages: [
    { name: 'gcc-12', version: '12.2.0-14', architecture: 'amd64' },
    { name: 'libc6', version: '2.36-9', architecture: 'amd64' },
  ],
  kernel: 'Linux 6.1.0',
  cpuCount: 2,
  architecture: 'x86_64',
  commands: ['sh -eu -c ./fetch', 'sh -eu -c "./gradlew assembleRelease"'],
};

const TARGET = { app: 'demo', version: '1.0', channel: 'website' } as const;

/** With everything that a report can say beside its comparison. */
export const FULL: Partial<ReportInput> = {
  target: TARGET,
  builtBy: 'publisher',
  source: SOURCE,
  plan: aPlan(),
  linkable: ['lib/libz.a'],
  origins: [
    { kind: 'carried', member: 'lib/libold.so', from: 'prebuilt/libold.so', by: 'bytes' },
    { kind: 'built', member: 'classes.dex', mayContain: [] },
    { kind: 'built', member: 'lib/libnew.so', mayContain: ['lib/libz.a'] },
  ],
  carried: [{ path: 'tools/x.jar', note: 'a compiler' }],
  deviations: [
    { code: 'jdk', what: 'another JDK', reason: 'theirs is not stated', canChangeOutput: 'unknown' },
  ],
  publisherEnvironment: [{ file: 'app.apk', from: 'elf-comment', fact: 'GCC 12.2.0' }],
  knownResults: [
    {
      by: 'others',
      version: '1.0',
      channel: 'fdroid',
      result: 'reproducible',
      url: 'https://example.org/result',
    },
  ],
  run: aRun({
    builds: 2,
    standing: 'confirmed',
    missingTools: ['apksigner'],
    environment: ENVIRONMENT,
    tools: [{ name: 'zstd', version: '1.5.4' }],
    logs: [{ phase: 'build', name: 'build-1.log', sha256: '8'.repeat(64), truncatedBytes: 12 }],
    supersedes: '9'.repeat(64),
  }),
};

/** The demo's published file against what its source gives: signed, made again by transplant. */
async function signed(more: Partial<ReportInput> = {}): Promise<Report> {
  const directory = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
  try {
    const source = path.join(directory, 'source');
    cpSync(path.join(DEMO, 'source'), source, { recursive: true });
    execFileSync(process.execPath, ['build.mjs'], { cwd: source, env: {} });
    return await reportOf(
      readFileSync(path.join(DEMO, 'published', 'app.apk')),
      readFileSync(path.join(source, 'build', 'app-unsigned.apk')),
      more,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function excluded(): Promise<Report> {
  const pair = await compareSources(
    new BufferSource(
      buildZip([...members('x', 9), { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 }]),
    ),
    new BufferSource(buildZip(members('x', 9))),
    { publishedName: 'app.apk', rebuiltName: 'app-unsigned.apk', rules: ['play-stamp-cert'] },
  );
  const use = { rule: 'play', reason: 'delivered by the store', reference: 'https://example.org' } as const;
  return assembleReport({
    ...FULL,
    plan: aPlan({ compare: { rules: [use] } }),
    published: [],
    rebuilt: [],
    comparison: {
      pairs: [pair],
      unpairedPublished: [],
      notObtained: [],
      unpairedRebuilt: [],
      notPublished: [{ name: 'demo-dbgsym.deb', reason: 'symbols' }],
    },
    run: aRun({ builds: 1, matchingBuilds: 1 }),
  });
}

/** At least one of every verdict kind. */
export const REPORTS = {
  equal: async () => await reportOf(buildZip(members('x', 9)), buildZip(members('x', 9))),
  signed: async () =>
    await signed({
      ...FULL,
      deviations: [],
      run: aRun({ builds: 2, matchingBuilds: 1, unstableMembers: ['app.apk > x'] }),
    }),
  packed: async () => await reportOf(buildZip(members('x', 9)), buildZip(members('x', 1))),
  excluded,
  different: async () => await reportOf(buildZip(members('hello', 9)), buildZip(members('hallo', 1)), FULL),
  unstable: async () =>
    await reportOf(buildZip(members('hello', 9)), buildZip(members('hallo', 1)), {
      run: aRun({ builds: 2, standing: 'unstable', unstableMembers: ['app.apk > res/text'] }),
    }),
  varied: async () =>
    await reportOf(buildZip(members('hello', 9)), buildZip(members('hallo', 1)), {
      run: aRun({
        builds: 2,
        standing: 'confirmed',
        variations: [
          { varied: ['cpus'], outcome: 'not-possible', detail: 'a container of docker has one CPU here' },
          { varied: ['host-name', 'time-zone'], outcome: 'differs', members: ['app.apk > res/text', 'b'] },
          { varied: ['host-name'], outcome: 'failed', detail: 'it ended with exit code 3' },
          { varied: ['time-zone'], outcome: 'same' },
        ],
      }),
    }),
  'matched varied': async () =>
    await reportOf(buildZip(members('x', 9)), buildZip(members('x', 9)), {
      deviations: [variedDeparture(['time-zone'])],
      run: aRun({
        builds: 2,
        matchingBuilds: 1,
        variations: [
          { varied: ['time-zone'], outcome: 'differs', members: ['app.apk > res/text'], reported: true },
        ],
      }),
    }),
  unpaired: async () =>
    await reportOf(buildZip([...members('x', 9), { name: 'more', data: 'y' }]), buildZip(members('x', 9))),
  plain: async () => await reportOf(Buffer.from('one'), Buffer.from('other')),
  'artifact in inputs': async () =>
    await reportOf(buildZip(members('x', 9)), buildZip(members('x', 9)), {
      ...FULL,
      unverifiable: [{ code: 'artifact-in-inputs', detail: 'app.apk is source/release/app.apk' }],
      run: aRun({ builds: 1 }),
    }),
  'no source': () =>
    Promise.resolve(
      assembleReport({
        target: TARGET,
        published: [],
        rebuilt: [],
        unverifiable: [{ code: 'no-source', detail: 'none is published' }],
        run: aRun(),
      }),
    ),
  unbuildable: () =>
    Promise.resolve(
      assembleReport({
        ...FULL,
        published: [{ name: 'app.apk', size: 3, sha256: 'b'.repeat(64) }],
        rebuilt: [],
        origins: [],
        buildFailure: { phase: 'build', exitCode: 2, firstError: ['main.c:3: error: no rule', '    x = y'] },
        run: aRun({ builds: 1, environment: ENVIRONMENT, failureTail: ['make: *** [all] Error 1'] }),
      }),
    ),
  'not authentic': () =>
    Promise.resolve(
      assembleReport({
        target: TARGET,
        published: [{ name: 'app.apk', size: 3, sha256: 'b'.repeat(64) }],
        rebuilt: [],
        notAuthentic: [{ code: 'signature-invalid', detail: 'v2 digest' }],
        run: aRun(),
      }),
    ),
} as const satisfies Record<string, () => Promise<Report>>;

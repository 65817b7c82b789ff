// SPDX-License-Identifier: Apache-2.0
/** Reports of real comparisons, for tests of what is made from them. */
import { BufferSource } from '../../src/bytes.js';
import { compareSources } from '../../src/compare/compare.js';
import { assembleReport, type ReportInput } from '../../src/report/assemble.js';
import type { Report } from '../../src/report/types.js';
import { aRun } from './a-run.js';
import { buildZip } from './build-zip.js';

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
    comparison: { pairs: [pair], unpairedPublished: [], notObtained: [], unpairedRebuilt: [] },
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

/** With everything that a report can say beside its comparison. */
const FULL: Partial<ReportInput> = {
  target: { app: 'demo', version: '1.0', channel: 'website' },
  builtBy: 'publisher',
  source: {
    kind: 'git',
    repository: 'https://example.org/demo.git',
    commit: '1'.repeat(40),
    tag: 'v1.0',
    treeSha256: '2'.repeat(64),
    from: 'upstream',
    submodules: [],
    lfs: [],
  },
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
  run: aRun({ builds: 2, standing: 'confirmed', missingTools: ['apksigner'] }),
};

export const REPORTS = {
  equal: async () => await reportOf(buildZip(members('x', 9)), buildZip(members('x', 9))),
  packed: async () => await reportOf(buildZip(members('x', 9)), buildZip(members('x', 1))),
  different: async () => await reportOf(buildZip(members('hello', 9)), buildZip(members('hallo', 1)), FULL),
  unpaired: async () =>
    await reportOf(buildZip([...members('x', 9), { name: 'more', data: 'y' }]), buildZip(members('x', 9))),
  plain: async () => await reportOf(Buffer.from('one'), Buffer.from('other')),
  'no source': () =>
    Promise.resolve(
      assembleReport({
        published: [],
        rebuilt: [],
        unverifiable: [{ code: 'no-source', detail: 'none is published' }],
        run: aRun(),
      }),
    ),
  unbuildable: () =>
    Promise.resolve(
      assembleReport({
        published: [],
        rebuilt: [],
        buildFailure: { phase: 'build', exitCode: 2, firstError: ['error: no rule'] },
        run: aRun({ builds: 1 }),
      }),
    ),
  'not authentic': () =>
    Promise.resolve(
      assembleReport({
        published: [],
        rebuilt: [],
        notAuthentic: [{ code: 'signature-invalid', detail: 'v2 digest' }],
        run: aRun(),
      }),
    ),
} as const satisfies Record<string, () => Promise<Report>>;

// SPDX-License-Identifier: Apache-2.0
/** A report in which every text of others tries to be more than a text. */
import type { Difference } from '../../src/compare/types.js';
import type { Note, Report } from '../../src/report/types.js';
import { reportOf, SOURCE } from './a-report.js';
import { aRun } from './a-run.js';
import { buildZip } from './build-zip.js';

export const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  "' onmouseover='alert(3)",
  '</title></style><script>alert(4)</script>',
  'javascript:alert(5)',
  'assets/\u202egpj.exe',
  'assets/a\u0000b\u001b[31m\u0085c',
  'assets/\u200b\ufeff\u2028x',
  '<svg onload=alert(6)>.so',
  '&lt;b&gt;',
] as const;

export async function hostileReport(): Promise<Report> {
  const zip = (data: string): Buffer =>
    buildZip(HOSTILE.map((name) => ({ name, data: `${name} ${data} <script>alert(7)</script>\n` })));
  const [one] = HOSTILE;
  const all = HOSTILE.join(' ');
  const report = await reportOf(zip('one'), zip('other'), {
    target: { app: 'demo', version: one, channel: one },
    source: {
      ...SOURCE,
      tag: all,
      repository: 'javascript:alert(9)//',
      submodules: [{ path: all, url: all, commit: all }],
    },
    deviations: [{ code: 'x', what: all, reason: '\u202e', canChangeOutput: 'unknown' }],
    carried: [{ path: all, note: '</li></ul><script>alert(8)</script>', reference: 'javascript:alert(10)' }],
    origins: [{ kind: 'carried', member: all, from: all, by: 'bytes' }],
    linkable: [all],
    publisherEnvironment: [{ file: all, from: 'elf-comment', fact: all }],
    knownResults: [
      { by: all, version: all, channel: all, result: all, reason: all, url: 'javascript:alert(11)' },
    ],
    buildFailure: { phase: 'build', exitCode: 1, firstError: HOSTILE },
    run: aRun({
      builds: 2,
      standing: 'unstable',
      unstableMembers: HOSTILE,
      variations: [
        { varied: ['cpus'], outcome: 'differs', members: HOSTILE },
        { varied: ['host-name'], outcome: 'failed', detail: all },
      ],
      failureTail: HOSTILE,
      missingTools: HOSTILE,
      tools: HOSTILE.map((name) => ({ name, version: name })),
      logs: [{ phase: 'build', name: all, sha256: 'a'.repeat(64), truncatedBytes: 1 }],
      environment: {
        executor: 'docker',
        engineVersion: all,
        image: { name: all, digest: all },
        packages: HOSTILE.map((name) => ({ name, version: name, architecture: name })),
        kernel: all,
        cpuCount: 1,
        architecture: all,
        commands: HOSTILE,
      },
    }),
  });
  const pair = report.statement.comparison?.pairs[0];
  if (pair === undefined) throw new Error('no pair');
  return {
    ...report,
    statement: {
      ...report.statement,
      comparison: {
        pairs: [{ ...pair, differences: [...pair.differences, ...hostileFindings(all)] }],
        unpairedPublished: [{ name: all, size: 1, sha256: all }],
        notObtained: [all],
        unpairedRebuilt: [{ name: all, size: 1, sha256: all }],
        notPublished: [{ name: all, reason: all }],
      },
    },
  };
}

/** Of every kind, with evidence that no comparison of ours would write. */
function hostileFindings(all: string): Difference[] {
  const cause = { kind: 'build-id', evidence: all } as const;
  const at = { publishedOffset: 0, publishedLength: 1, rebuiltOffset: 0, rebuiltLength: 1 };
  return [
    { kind: 'only-published', path: [all], size: 1, cause },
    { kind: 'only-rebuilt', path: [all], size: 1, cause },
    { kind: 'field', path: [all], field: all, published: all, rebuilt: all, owner: 'different', cause },
    { kind: 'bytes', path: [all], ...at, publishedHex: all, rebuiltHex: `3c${all}`, cause },
    {
      kind: 'text',
      path: [all],
      patch: HOSTILE.map((name) => `+${name}\n-${name}\n ${name}`).join('\n'),
      cutLines: 3,
      cause,
    },
    { kind: 'section', path: [all], section: all, differentBytes: 1, cause },
    { kind: 'hidden', path: [all], side: 'published', region: all, offset: 0, length: 1, hex: all },
    { kind: 'unread', path: [all], code: all, detail: all },
    { kind: 'malformed', path: [all], side: 'rebuilt', code: all, offset: 0, detail: all },
    { kind: 'order', path: [all], moved: 1, detail: all },
  ];
}

export const HOSTILE_NOTE: Note = {
  schemaVersion: 1,
  kind: 'vendor-response',
  statementSha256: 'a'.repeat(64),
  date: '2026-01-01',
  by: '<img src=x onerror=alert(12)>',
  text: '</div><script>alert(13)</script>\u202e',
  url: 'javascript:alert(14)',
};

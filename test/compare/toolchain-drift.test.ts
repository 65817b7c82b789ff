// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { FileEvidence } from '../../src/compare/publisher-evidence.js';
import type { EvidenceKind } from '../../src/compare/types.js';
import { toolchainDrift } from '../../src/compare/toolchain-drift.js';

const file = (from: EvidenceKind, value: string, name = 'a.deb'): FileEvidence => ({
  file: name,
  facts: [{ from, value, members: 1 }],
  beyond: new Map(),
  unread: [],
});

test('the same tools on both sides are no drift, however often they are named', (t) => {
  const gcc = 'GCC: (Debian 12.2.0-14) 12.2.0';
  const published = [file('elf-comment', gcc), file('elf-comment', gcc, 'b.deb')];
  t.deepEqual(toolchainDrift(published, [file('elf-comment', gcc)]), []);
});

test('another compiler is named with both sides', (t) => {
  const [drift, ...more] = toolchainDrift(
    [file('elf-comment', 'GCC: (Debian 12.2.0-14) 12.2.0')],
    [file('elf-comment', 'GCC: (Debian 12.2.0-14+deb12u1) 12.2.0')],
  );
  t.deepEqual(more, []);
  t.like(drift, { code: 'toolchain-drift', canChangeOutput: 'yes' });
  t.regex(
    drift?.what ?? '',
    /GCC: \(Debian 12\.2\.0-14\) 12\.2\.0.*GCC: \(Debian 12\.2\.0-14\+deb12u1\) 12\.2\.0/,
  );
});

test('other bounds of libraries are drift of build dependencies', (t) => {
  const [drift] = toolchainDrift([file('depends', 'libc6 (>= 2.33)')], [file('depends', 'libc6 (>= 2.34)')]);
  t.like(drift, { code: 'build-dependency-drift', canChangeOutput: 'yes' });
});

test('what names neither tool nor library is no drift', (t) => {
  t.deepEqual(toolchainDrift([file('elf-note', 'build id 01')], [file('elf-note', 'build id 02')]), []);
});

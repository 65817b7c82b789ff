// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { toolchainDrift } from '../../src/compare/toolchain-drift.js';

const fact = (from: string, text: string) => ({ file: 'a.deb', from, fact: text });

test('the same tools on both sides are no drift, however often they are named', (t) => {
  const gcc = fact('elf-comment', 'GCC: (Debian 12.2.0-14) 12.2.0');
  t.deepEqual(toolchainDrift([gcc, { ...gcc, file: 'b.deb' }], [gcc]), []);
});

test('another compiler is named with both sides', (t) => {
  const [drift, ...more] = toolchainDrift(
    [fact('elf-comment', 'GCC: (Debian 12.2.0-14) 12.2.0')],
    [fact('elf-comment', 'GCC: (Debian 12.2.0-14+deb12u1) 12.2.0')],
  );
  t.deepEqual(more, []);
  t.like(drift, { code: 'toolchain-drift', canChangeOutput: 'yes' });
  t.regex(
    drift?.what ?? '',
    /GCC: \(Debian 12\.2\.0-14\) 12\.2\.0.*GCC: \(Debian 12\.2\.0-14\+deb12u1\) 12\.2\.0/,
  );
});

test('what names no tool is no drift', (t) => {
  t.deepEqual(toolchainDrift([fact('depends', 'libc6 (>= 2.34)')], [fact('depends', 'libc6 (>= 2.36)')]), []);
});

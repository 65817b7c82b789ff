// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { prepareRelease, release } from '../../../src/compare/decode/release.js';

test('a large buffer is empty once released', async (t) => {
  await prepareRelease();
  const bytes = Buffer.alloc(1 << 20, 1);
  release(bytes);
  t.is(bytes.length, 0);
});

test('what shares its memory with others is left alone', async (t) => {
  await prepareRelease();
  const memory = Buffer.alloc(1 << 20, 1);
  release(memory.subarray(10));
  const pooled = Buffer.from('pooled');
  release(pooled);
  t.is(memory[20], 1);
  t.is(pooled.toString(), 'pooled');
});

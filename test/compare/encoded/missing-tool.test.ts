// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';

test.serial(
  'without its decoder a stream is unread, never equal, and the report says which tool is missing',
  async (t) => {
    if (!need(t, 'xz')) return;
    const make = (level: string, text: string): Buffer => execFileSync('xz', ['-c', level], { input: text });
    const text = 'the same content\n'.repeat(500);
    const published = make('-9', text);
    const pairs = [
      [published, make('-0', text)],
      [published, make('-9', text.replace('same', 'Same'))],
    ] as const;
    const before = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      for (const [a, b] of pairs) {
        const { verdict, pair } = await compareBuffers(a, b);
        t.is(verdict.kind, 'unverifiable');
        t.true(pair.differences.some((found) => found.kind === 'unread' && found.code === 'missing-tool'));
      }
      t.is((await compareBuffers(published, published)).verdict.kind, 'reproducible');
    } finally {
      process.env['PATH'] = before;
    }
  },
);

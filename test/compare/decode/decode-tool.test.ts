// SPDX-License-Identifier: Apache-2.0
/** What was decoded a moment ago is told again without the tool: the same for the same bytes, and for no others. */
import { execFileSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { ContentSink } from '../../../src/compare/decode/content-sink.js';
import { decodeWithTool, type DecodeEnd } from '../../../src/compare/decode/decode-tool.js';
import { oneFileWalk } from '../../../src/compare/one-file.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const packed = (text: string): Buffer => execFileSync('xz', ['--stdout'], { input: text });

async function decoded(
  t: ExecutionContext,
  bytes: Buffer,
  maxBytes: number,
  args: readonly string[] = ['--decompress', '--stdout'],
): Promise<{ readonly end: DecodeEnd; readonly text: string }> {
  const walk = oneFileWalk({ temporaryDirectory: temporaryDirectory(t) });
  const sink = new ContentSink(walk);
  try {
    const end = await decodeWithTool(walk, 'xz', args, new BufferSource(bytes), maxBytes, sink);
    const content = sink.finish();
    t.true(walk.decoders.has('xz'));
    return { end, text: content.read(0, content.size).toString() };
  } finally {
    sink.close();
    await walk.close();
  }
}

test('the same bytes again: the same content, within the limit of this time and with the arguments of this time', async (t) => {
  const text = 'control'.repeat(1000);
  const bytes = packed(text);
  for (let times = 0; times < 3; times++)
    t.deepEqual(await decoded(t, bytes, text.length), { end: { kind: 'decoded' }, text });
  const { end } = await decoded(t, bytes, text.length - 1);
  t.deepEqual(end, { kind: 'failed', code: 'larger-than-stated' });
  t.deepEqual((await decoded(t, bytes, 1 << 20, ['--robot', '--list', '-'])).end.kind, 'failed');
});

test('one changed byte is another stream, however often the good one was read', async (t) => {
  const bytes = packed('a'.repeat(5000) + 'b'.repeat(5000));
  t.is((await decoded(t, bytes, 10_000)).end.kind, 'decoded');
  for (const at of [0, 8, 30, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    t.deepEqual((await decoded(t, other, 10_000)).end, { kind: 'failed', code: 'invalid-xz' }, `${at}`);
  }
});

test('many streams one after the other, small and large: each its own content', async (t) => {
  const texts = Array.from({ length: 40 }, (_, n) => `${n}`.repeat(n % 7 === 0 ? 1_500_000 : 1000 + n));
  const streams = texts.map(packed);
  for (let times = 0; times < 2; times++)
    for (const [n, stream] of streams.entries())
      t.true((await decoded(t, stream, 1 << 22)).text === texts[n], `${n}`);
});

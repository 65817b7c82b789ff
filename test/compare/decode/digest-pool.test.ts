// SPDX-License-Identifier: Apache-2.0
/** Digests of entries: here or on threads, held or streamed, once each. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import test from 'ava';
import { BufferSource, FileSource } from '../../../src/bytes.js';
import type { DigestJob } from '../../../src/compare/decode/digest-entry.js';
import { digestContents } from '../../../src/compare/decode/digest-pool.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

interface Packed {
  readonly bytes: Buffer;
  readonly jobs: readonly DigestJob[];
  readonly expected: ReadonlyMap<number, string>;
}

function pack(contents: readonly Buffer[], method = 8): Packed {
  const parts = contents.map((content) => (method === 8 ? deflateRawSync(content, { level: 1 }) : content));
  let offset = 0;
  const jobs = parts.map((part, entry): DigestJob => {
    const job = {
      entry,
      offset,
      length: part.length,
      size: contents[entry]?.length ?? 0,
      method,
      algorithms: ['sha256', 'sha1'],
    };
    offset += part.length;
    return job;
  });
  const hex = (content: Buffer): string =>
    ['sha256', 'sha1'].map((algorithm) => createHash(algorithm).update(content).digest('hex')).join();
  return {
    bytes: Buffer.concat(parts),
    jobs,
    expected: new Map(contents.map((content, entry) => [entry, hex(content)])),
  };
}

const contents = [
  Buffer.alloc(0),
  Buffer.from('small'),
  // more than is held
  Buffer.concat([randomBytes(1 << 20), Buffer.alloc(17 << 20, 'x')]),
  ...Array.from({ length: 40 }, (_, at) => randomBytes(200_000 + at)),
];

for (const method of [0, 8])
  test(`from a file on threads and from memory, method ${method}`, async (t) => {
    const { bytes, jobs, expected } = pack(contents, method);
    const file = path.join(temporaryDirectory(t), 'file');
    writeFileSync(file, bytes);
    const source = FileSource.open(file);
    try {
      for (const from of [source, new BufferSource(bytes)]) {
        const digests = digestContents(from, [...jobs].reverse());
        const found = await digests.result();
        t.is(found.size, expected.size);
        for (const [entry, list] of found) t.is(String(list), expected.get(entry) ?? '');
        await digests.close();
      }
    } finally {
      source.close();
    }
  });

test('what is taken out is not digested unless nobody puts it back', async (t) => {
  const { bytes, jobs, expected } = pack(contents.slice(0, 2));
  const digests = digestContents(new BufferSource(bytes), jobs);
  t.deepEqual(digests.take(1), ['sha256', 'sha1']);
  t.is(digests.take(1), undefined);
  t.is(digests.take(77), undefined);
  t.deepEqual(digests.take(0), ['sha256', 'sha1']);
  digests.put(1, ['put', 'back']);
  const found = await digests.result();
  t.deepEqual(found.get(1), ['put', 'back']);
  t.is(String(found.get(0)), expected.get(0) ?? '');
});

test('what cannot be read has a code', async (t) => {
  const { bytes, jobs } = pack([Buffer.from('some content'), Buffer.alloc(17 << 20)]);
  const [small, large] = jobs;
  if (small === undefined || large === undefined) return t.fail();
  const cases: readonly (readonly [DigestJob, string])[] = [
    [{ ...small, size: small.size - 1 }, 'other-size-than-stated'],
    [{ ...small, size: small.size + 1 }, 'other-size-than-stated'],
    [{ ...small, size: small.length * 1033 }, 'other-size-than-stated'],
    [{ ...small, length: small.length - 2 }, 'invalid-deflate'],
    [{ ...small, method: 0 }, 'other-size-than-stated'],
    [{ ...small, method: 12 }, 'unknown-method'],
    [{ ...large, size: large.size - 1 }, 'other-size-than-stated'],
    [{ ...large, size: large.size + 1 }, 'other-size-than-stated'],
    [{ ...large, offset: large.offset + 1, length: large.length - 1 }, 'invalid-deflate'],
  ];
  for (const [job, code] of cases) {
    const found = await digestContents(new BufferSource(bytes), [job]).result();
    t.is(found.get(job.entry), code, JSON.stringify(job));
  }
});

test('closed before it is done, it leaves no thread', async (t) => {
  const { bytes, jobs } = pack(contents);
  const file = path.join(temporaryDirectory(t), 'file');
  writeFileSync(file, bytes);
  const source = FileSource.open(file);
  const digests = digestContents(source, jobs);
  await digests.close();
  await t.throwsAsync(digests.result(), { message: 'digest pool: a thread has ended' });
  source.close();
});

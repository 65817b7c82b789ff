// SPDX-License-Identifier: Apache-2.0
/** What every reader of a structure must hold: regions without gap or overlap, and no other error than its own. */
import type { ExecutionContext } from 'ava';
import { BufferSource, type ByteSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { untiled, type Region } from '../../src/formats/region.js';

export type RegionReader = (source: ByteSource) => Iterable<Region>;

export function assertTiled(t: ExecutionContext, bytes: Uint8Array, read: RegionReader): readonly Region[] {
  const regions = [...read(new BufferSource(bytes))];
  t.is(untiled(regions, 0, bytes.length), undefined, 'the regions tile the input');
  return regions;
}

/** Reads damaged input: it is either tiled all the same or refused by a FormatError of `format` inside of the input. */
export function assertTiledOrRefused(
  t: ExecutionContext,
  bytes: Uint8Array,
  read: RegionReader,
  format: string,
): string | undefined {
  try {
    const regions = [...read(new BufferSource(bytes))];
    if (untiled(regions, 0, bytes.length) !== undefined)
      t.fail(`not tiled at ${untiled(regions, 0, bytes.length)}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.format !== format) t.fail(`${error.code} instead of a code of ${format}: ${error.message}`);
    if (error.offset < 0 || error.offset > bytes.length)
      t.fail(`${error.code} at ${error.offset} of ${bytes.length}`);
    return error.code;
  }
}

/** Every truncation, and every byte replaced by some others. */
export function assertHardened(t: ExecutionContext, bytes: Buffer, read: RegionReader, format: string): void {
  for (let size = 0; size < bytes.length; size++)
    assertTiledOrRefused(t, bytes.subarray(0, size), read, format);
  for (let at = 0; at < bytes.length; at++)
    for (const value of [0, 0x20, 0x2f, 0x39, 0x7f, 0x80, 0xff, (bytes[at] ?? 0) ^ 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = value;
      assertTiledOrRefused(t, damaged, read, format);
    }
  t.pass();
}

export function assertRefused(
  t: ExecutionContext,
  bytes: Uint8Array,
  read: RegionReader,
  code: string,
): void {
  const format = code.slice(0, code.indexOf('/'));
  t.is(assertTiledOrRefused(t, bytes, read, format), code);
}

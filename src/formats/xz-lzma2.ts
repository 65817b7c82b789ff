// SPDX-License-Identifier: Apache-2.0
/**
 * The chunks of LZMA2 data: where they end and how much they decode to, without decoding them.
 * https://tukaani.org/xz/xz-file-format.txt (section 5.3.1); chunks as in the public domain LZMA SDK, `Lzma2Dec.c`:
 *
 *     00                           end
 *     01 U U                       stored, the dictionary is reset; U + 1 bytes
 *     02 U U                       stored
 *     100xxxxx U U C C             LZMA: (x, U, U) + 1 decoded from C + 1 bytes
 *     101xxxxx U U C C             the same, the state is reset
 *     110xxxxx U U C C P           the same, the state is reset, with new properties P
 *     111xxxxx U U C C P           the same, the dictionary is reset, too
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

/** A chunk can hold a single byte; those of real encoders hold 64 KiB and more. */
const MAX_CHUNKS = 1 << 23;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('xz', code, offset, message);
}

/** @throws FormatError `xz/lzma2-chunk`, `xz/truncated`, `xz/too-many-chunks` */
export function walkLzma2(
  source: ByteSource,
  start: number,
): { readonly size: number; readonly decodedSize: number } {
  let at = start;
  let decodedSize = 0;
  let needsDictionary = true;
  let needsProperties = true;
  for (let chunks = 0; ; chunks++) {
    if (chunks === MAX_CHUNKS) fail('too-many-chunks', at, `more than ${MAX_CHUNKS} chunks in a block`);
    if (at >= source.size) fail('truncated', source.size, 'the data of a block do not end');
    const header = source.read(at, Math.min(6, source.size - at));
    const control = header[0] ?? 0;
    if (control === 0) return { size: at + 1 - start, decodedSize };
    if (control > 2 && control < 0x80) fail('lzma2-chunk', at, `control byte 0x${control.toString(16)}`);
    const lzma = control >= 0x80;
    const newProperties = control >= 0xc0;
    const headerSize = newProperties ? 6 : lzma ? 5 : 3;
    if (header.length < headerSize)
      fail('truncated', at, 'the data of a block end within the header of a chunk');

    if (control === 1 || control >= 0xe0) {
      needsDictionary = false;
      needsProperties = true;
    }
    if (newProperties) needsProperties = false;
    if (needsDictionary || (lzma && needsProperties))
      fail('lzma2-chunk', at, `control byte 0x${control.toString(16)} without dictionary or properties`);
    if (newProperties) {
      // (pb · 5 + lp) · 9 + lc, with lc + lp at most 4
      const properties = header[5] ?? 0;
      if (properties > 224 || (properties % 9) + (Math.floor(properties / 9) % 5) > 4)
        fail('lzma2-chunk', at + 5, `properties 0x${properties.toString(16)}`);
    }
    decodedSize += header.readUInt16BE(1) + 1 + (lzma ? (control & 0x1f) * 65_536 : 0);
    at += headerSize + (lzma ? header.readUInt16BE(3) : header.readUInt16BE(1)) + 1;
  }
}

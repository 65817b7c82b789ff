// SPDX-License-Identifier: Apache-2.0
/** gzip: header fields stand for themselves, level hint, checksum and size follow the content (RFC 1952). */
import { FormatError } from '../../errors.js';
import { gzipIssues, readGzip } from '../../formats/gzip.js';
import { inflateChunks } from '../decode/inflate.js';
import type { Encoding } from './encoding.js';

export const gzip: Encoding = {
  format: 'gzip',
  extension: '.gz',
  recognizes: (source) => source.size >= 3 && source.read(0, 3).toString('hex') === '1f8b08',
  read(source) {
    const member = readGzip(source);
    const { payload } = member;
    return {
      regions: member.regions,
      statedSize: member.decodedSize,
      issues: () => gzipIssues(member, source.size),
      decode: async (_walk, bytes, maxBytes, sink) => {
        try {
          const chunks = inflateChunks(bytes, payload.offset, payload.size, maxBytes);
          for (let step = await chunks.next(); ; step = await chunks.next()) {
            if (step.done !== true) sink.push(step.value);
            else
              return step.value.crc32 === member.crc32
                ? { kind: 'decoded' }
                : { kind: 'failed', code: 'gzip/crc32' };
          }
        } catch (error) {
          if (error instanceof FormatError) return { kind: 'failed', code: error.code };
          throw error;
        }
      },
    };
  },
  following: new Set(['gzip/extra-flags', 'gzip/crc32', 'gzip/size']),
};

// SPDX-License-Identifier: Apache-2.0
/** xz: every field but the magic numbers says how the content is encoded, and all of them are verified by reading. */
import { readXz, xzIssues } from '../../formats/xz.js';
import { decodeWithTool } from '../decode/decode-tool.js';
import type { Encoding } from './encoding.js';

// without a memory limit a few bytes of header may ask for 4 GiB of dictionary
const ARGUMENTS = [
  '--decompress',
  '--stdout',
  '--format=xz',
  '--single-stream',
  '--memlimit=1GiB',
  '--quiet',
];

export const xz: Encoding = {
  format: 'xz',
  extension: '.xz',
  recognizes: (source) => source.size >= 6 && source.read(0, 6).toString('hex') === 'fd377a585a00',
  read(source) {
    const stream = readXz(source);
    return {
      regions: stream.regions,
      statedSize: stream.decodedSize,
      issues: () => xzIssues(stream, source.size),
      decode: (walk, bytes, maxBytes, sink) => decodeWithTool(walk, 'xz', ARGUMENTS, bytes, maxBytes, sink),
    };
  },
  following: new Set([
    'xz/stream-flags',
    'xz/header-crc32',
    'xz/block-header-size',
    'xz/block-flags',
    'xz/compressed-size',
    'xz/uncompressed-size',
    'xz/filters',
    'xz/header-padding',
    'xz/block-header-crc32',
    'xz/block-padding',
    'xz/check',
    'xz/index-indicator',
    'xz/index-count',
    'xz/index-records',
    'xz/index-padding',
    'xz/index-crc32',
    'xz/footer-crc32',
    'xz/backward-size',
    'xz/footer-flags',
  ]),
};

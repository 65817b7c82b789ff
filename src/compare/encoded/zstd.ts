// SPDX-License-Identifier: Apache-2.0
/** Zstandard: window, sizes and checksum follow the content; a dictionary does not (RFC 8878). */
import { SliceSource } from '../../bytes.js';
import { readZstd, zstdIssues } from '../../formats/zstd.js';
import { decodeWithTool } from '../decode/decode-tool.js';
import type { Encoding } from './encoding.js';

const ARGUMENTS = ['--decompress', '--stdout', '--no-progress', '--quiet', '--memory=1024MB'];

export const zstd: Encoding = {
  format: 'zstd',
  extension: '.zst',
  recognizes: (source) => source.size >= 4 && source.read(0, 4).toString('hex') === '28b52ffd',
  read(source) {
    const frame = readZstd(source);
    return {
      regions: frame.regions,
      statedSize: frame.contentSize,
      issues: (decodedSize) => zstdIssues(frame, source.size, decodedSize),
      // the tool would decode what follows the frame as well
      decode: (walk, bytes, maxBytes, sink) =>
        decodeWithTool(walk, 'zstd', ARGUMENTS, new SliceSource(bytes, 0, frame.size), maxBytes, sink),
    };
  },
  following: new Set(['zstd/descriptor', 'zstd/window', 'zstd/content-size', 'zstd/checksum']),
};

// SPDX-License-Identifier: Apache-2.0
/** What a format brings along whose file is one encoded stream: its fields, its room, its decoder. */
import type { ByteSource } from '../../bytes.js';
import type { Region } from '../../formats/region.js';
import type { ContentSink } from '../decode/content-sink.js';
import type { DecodeEnd } from '../decode/decode-tool.js';
import type { Walk } from '../walk.js';

export interface EncodedStream {
  /** Tile the whole source. Those of kind `<format>/data` together are the leaf that the decoder reads. */
  readonly regions: readonly Region[];
  /** Of the content; absent where the format need not say. */
  readonly statedSize: number | undefined;
  /** What an encoder nobody named must not leave behind; the argument is the size that decoding gave. */
  readonly issues: (decodedSize: number) => readonly string[];
  /** Into the sink; verifies what the stream states about its content. */
  readonly decode: (
    walk: Walk,
    source: ByteSource,
    maxBytes: number,
    sink: ContentSink,
  ) => Promise<DecodeEnd>;
}

export interface Encoding {
  readonly format: string;
  /** Of the file name, so that `data.tar.xz` holds `data.tar`. */
  readonly extension: string;
  recognizes(source: ByteSource): boolean;
  /** @throws FormatError when the bytes are not exactly such a stream */
  read(source: ByteSource): EncodedStream;
  /**
   * Fields that say how the content is encoded, and those derived from it, all verified by reading and decoding; they
   * follow the content. Any other that is unequal is `different`.
   */
  readonly following: ReadonlySet<string>;
}

// SPDX-License-Identifier: Apache-2.0
/** A body that a server packed although it was asked not to: unpacked within a bound. RFC 9110, section 8.4. */
import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { FailedHere } from '../../errors.js';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** What a server packs on its way shrinks to a tenth of its size, not to a thousandth: the rest is a bomb. */
const MAX_RATIO = 100;
const FREE = 1 << 20;

const isPlain = (coding: string | undefined): boolean =>
  coding === undefined || coding.trim() === '' || coding.trim().toLowerCase() === 'identity';

/** Whether the bytes that arrive are those of the file. */
export { isPlain as isPlainCoding };

/** @throws FailedHere `network` for a coding that nobody asked for, `unreadable-input` for a bomb */
export function decoded(
  body: AsyncIterable<Uint8Array>,
  coding: string | undefined,
  what: string,
): AsyncIterable<Uint8Array> {
  if (isPlain(coding)) return body;
  const name = (coding ?? '').trim().toLowerCase();
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name]?.() : undefined;
  if (decoder === undefined)
    throw new FailedHere(
      'network',
      `the server sends ${what} as ${JSON.stringify(name.slice(0, 40))}, which was not asked for and is not read`,
    );
  return unpacked(body, decoder, name, what);
}

async function* unpacked(
  body: AsyncIterable<Uint8Array>,
  decoder: Transform,
  name: string,
  what: string,
): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let size = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      packed += chunk.byteLength;
      yield chunk;
    }
  };
  const source = Readable.from(counted(), { objectMode: false });
  source.on('error', (error) => decoder.destroy(error)).pipe(decoder);
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > packed * MAX_RATIO + FREE)
        throw new FailedHere(
          'unreadable-input',
          `${what} unpacks from ${packed} to more than ${size - 1} bytes (${name}), which is over the limit of ${MAX_RATIO} to one`,
        );
      yield chunk;
    }
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (typeof code === 'string' && /^(?:Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR__)/.test(code))
      throw new FailedHere('network', `the server sends ${what} as ${name}, which it is not (${code})`);
    throw error;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

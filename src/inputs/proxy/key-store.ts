// SPDX-License-Identifier: Apache-2.0
/** A Java key store with one trusted certificate, in the format that every version of Java reads (sun.security.provider.JavaKeyStore). */
import { createHash } from 'node:crypto';

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

export const KEY_STORE_PASSWORD = 'changeit';

export function keyStore(certificate: Uint8Array, alias: string): Buffer {
  const body = Buffer.concat([
    u32(MAGIC),
    u32(VERSION),
    u32(1),
    u32(TRUSTED_CERTIFICATE),
    utf(alias),
    Buffer.alloc(8), // when it was made: 1970
    utf('X.509'),
    u32(certificate.length),
    certificate,
  ]);
  const digest = createHash('sha1')
    .update(Buffer.from(KEY_STORE_PASSWORD, 'utf16le').swap16())
    .update('Mighty Aphrodite')
    .update(body)
    .digest();
  return Buffer.concat([body, digest]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** As `DataOutput.writeUTF`, for ASCII. */
function utf(text: string): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(text.length);
  return Buffer.concat([bytes, Buffer.from(text, 'ascii')]);
}

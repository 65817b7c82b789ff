// SPDX-License-Identifier: Apache-2.0
/**
 * A transparency log as its operator makes it: every hash by the definitions of RFC 6962, section 2.1, and
 * https://c2sp.org/tlog-tiles over all entries, without a tree in between. Slow, and apart from what is tested.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ApkLog, LogLayout } from '../../src/inputs/log/known-logs.js';

export const sha256 = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** MTH(D[n]). */
export function treeHash(entries: readonly Buffer[]): Buffer {
  const [first] = entries;
  if (first === undefined) return sha256();
  if (entries.length === 1) return sha256('\0', first);
  const k = 2 ** Math.floor(Math.log2(entries.length - 1));
  return sha256('\x01', treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

export interface LogSigner {
  readonly name: string;
  /** `<name>+<id>+<base64>` */
  readonly key: string;
  line(text: string): string;
}

export function logSigner(name: string, algorithm: 'ed25519' | 'ecdsa' = 'ed25519'): LogSigner {
  const isEd = algorithm === 'ed25519';
  const pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } = isEd
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
  const material = Buffer.concat(isEd ? [Buffer.from([1]), spki.subarray(-32)] : [Buffer.from([2]), spki]);
  const id = (isEd ? sha256(name, '\n', material) : sha256(spki)).subarray(0, 4);
  return {
    name,
    key: `${name}+${id.toString('hex')}+${material.toString('base64')}`,
    line(text) {
      const signature = sign(isEd ? null : 'sha256', Buffer.from(text), pair.privateKey);
      return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
    },
  };
}

export const checkpointText = (origin: string, size: number | string, root: Buffer): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

export interface LogFilesOptions {
  readonly layout?: LogLayout;
  /** Beside the one of the log. */
  readonly extraSignatures?: string;
}

/** Every file of a log with these entries, by path. */
export function logFiles(
  entries: readonly Buffer[],
  signer: LogSigner,
  { layout = { kind: 'tiles' }, extraSignatures = '' }: LogFilesOptions = {},
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = checkpointText(signer.name, entries.length, treeHash(entries));
  files.set(
    layout.kind === 'tiles' ? 'checkpoint' : 'checkpoint.txt',
    Buffer.from(`${text}\n${extraSignatures}${signer.line(text)}`),
  );
  const folder = layout.kind === 'tiles' ? 'tile' : 'tile/8';
  for (let level = 0; 256 ** level <= entries.length; level++) {
    const width = 256 ** level;
    const hashes = Math.floor(entries.length / width);
    for (let n = 0; n * 256 < hashes; n++) {
      const count = Math.min(256, hashes - n * 256);
      const tile = Array.from({ length: count }, (_, i) =>
        treeHash(entries.slice((n * 256 + i) * width, (n * 256 + i + 1) * width)),
      );
      files.set(`${folder}/${level}/${numbered(n, count)}`, Buffer.concat(tile));
    }
  }
  if (layout.kind === 'tiles')
    for (let n = 0; n * 256 < entries.length; n++) {
      const bundle = entries.slice(n * 256, n * 256 + 256);
      files.set(
        `tile/entries/${numbered(n, bundle.length)}`,
        Buffer.concat(bundle.flatMap((entry) => [uint16(entry.length), entry])),
      );
    }
  else files.set(layout.files[0] ?? '', listing(entries));
  return files;
}

export const listing = (entries: readonly Buffer[], from = 0): Buffer =>
  Buffer.from(entries.map((entry, i) => `${from + i}\n${entry.toString()}`).join('\n'));

export const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

function numbered(n: number, count: number): string {
  const three = String(n % 1000).padStart(3, '0');
  const path = n < 1000 ? three : `x${String(Math.floor(n / 1000)).padStart(3, '0')}/${three}`;
  return count === 256 ? path : `${path}.p/${count}`;
}

export const apkLog = (url: string, signer: LogSigner, layout: LogLayout = { kind: 'tiles' }): ApkLog => ({
  name: 'a log of the test',
  operator: 'the test',
  url,
  key: signer.key,
  layout,
  source: 'the test',
});

/** For `localServer`. */
export function serve(files: ReadonlyMap<string, Buffer>, path: string, response: ServerResponse): void {
  const bytes = files.get(path.replace(/^\/+/, ''));
  if (bytes === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}

export const entryFor = (hash: string, name: string, code: string): Buffer =>
  Buffer.from(`${hash}\nSHA256(APK)\n${name}\n${code}\n`);

/** Entries that are nobody's. */
export const otherEntries = (count: number, from = 0): readonly Buffer[] =>
  Array.from({ length: count }, (_, i) =>
    entryFor(
      sha256(`other ${from + i}`).toString('hex'),
      `org.example.other${(from + i) % 7}`,
      String(from + i),
    ),
  );

// SPDX-License-Identifier: Apache-2.0
/**
 * The inputs of the benchmark, assembled from real APKs that npm packages ship. Made once and kept below the temporary
 * directory (`--inputs DIR` of `run.ts`); the 2 GB ones need about 12 GB of disk.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { constants, crc32, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { FileSource } from '../src/bytes.js';
import { readZip } from '../src/formats/zip.js';
import { ZipWriter, type StoredEntry } from './zip-writer.js';

export interface Inputs {
  /** v2 + v3 by apksigner, and what it signed. */
  readonly signed: string;
  readonly unsigned: string;
  /** The same with v1 as well. */
  readonly jarSigned: string;
  readonly signedCopy: string;
  /** The unsigned file with one byte changed in the middle of an entry's content. */
  readonly oneByte: string;
  /** The unsigned file's content, every deflated entry at another level. */
  readonly recompressed: string;
}

const require = createRequire(import.meta.url);
const MIB = 1 << 20;
const MAIN_SIZE = 70e6;
/** Entries that fill an archive up to its size. */
const LARGE = 256 << 10;

export class InputMaker {
  readonly #directory: string;
  readonly #say: (line: string) => void;

  constructor(directory: string, say: (line: string) => void) {
    this.#directory = directory;
    this.#say = say;
    mkdirSync(directory, { recursive: true });
  }

  async main(): Promise<Inputs> {
    const { signed, unsigned } = await this.scaled(MAIN_SIZE);
    return {
      signed,
      unsigned,
      jarSigned: await this.make('70mb-jar-signed.apk', (to) => sign(unsigned, to, true)),
      signedCopy: await this.make('copy.apk', (to) => copyFileSync(signed, to)),
      oneByte: await this.make('one-content-byte.apk', (to) => changeOneByte(unsigned, to)),
      recompressed: await this.make('recompressed.apk', (to) => recompress(unsigned, to)),
    };
  }

  /** About `bytes` large, with about 3,800 entries whatever the size. */
  async scaled(bytes: number): Promise<{ readonly signed: string; readonly unsigned: string }> {
    const name = `${Math.round(bytes / 1e6)}mb`;
    const unsigned = await this.make(`${name}-unsigned.apk`, (to) => {
      const plain = `${to}.plain`;
      assemble(bytes, plain);
      execFileSync('zipalign', ['-p', '4', plain, to], { stdio: 'pipe' });
      rmSync(plain);
    });
    const signed = await this.make(`${name}-signed.apk`, (to) => sign(unsigned, to));
    return { signed, unsigned };
  }

  /** One entry of 1.5 GB; the second file's differs from the first one's in one byte in the middle. */
  async oneLargeEntry(): Promise<readonly [string, string]> {
    return [
      await this.make('large-entry-1.zip', (to) => largeEntry(to, false)),
      await this.make('large-entry-2.zip', (to) => largeEntry(to, true)),
    ];
  }

  /** 65,000 entries, of which one lies elsewhere in the second file. */
  async manyEntries(): Promise<readonly [string, string]> {
    return [
      await this.make('many-entries-1.zip', (to) => manyEntries(to, false)),
      await this.make('many-entries-2.zip', (to) => manyEntries(to, true)),
    ];
  }

  /** Written once. */
  async make(name: string, write: (to: string) => void | Promise<void>): Promise<string> {
    const file = path.join(this.#directory, name);
    if (existsSync(file)) return file;
    this.#say(`making ${name}`);
    const aside = `${file}.part`;
    rmSync(aside, { force: true });
    rmSync(`${aside}.plain`, { force: true });
    await write(aside);
    renameSync(aside, file);
    return file;
  }
}

function packaged(name: string, file: string): string {
  return path.join(path.dirname(require.resolve(`${name}/package.json`)), 'apks', file);
}

function serverApk(): string {
  const { version } = require('appium-uiautomator2-server/package.json') as { version: string };
  return packaged('appium-uiautomator2-server', `appium-uiautomator2-server-v${version}.apk`);
}

/** As stored, without JAR signatures. */
function entriesOf(file: string): StoredEntry[] {
  const source = FileSource.open(file);
  try {
    return readZip(source).entries.flatMap((entry): StoredEntry[] => {
      const name = entry.rawName.toString();
      if (/^META-INF\/([^/]+\.(SF|RSA|DSA|EC)|MANIFEST\.MF)$/.test(name)) return [];
      return [
        {
          name,
          method: entry.method === 0 ? 0 : 8,
          crc32: entry.crc32,
          size: entry.size,
          raw: Buffer.from(source.read(entry.dataOffset, entry.compressedSize)),
        },
      ];
    });
  } finally {
    source.close();
  }
}

/** Every small entry once, then the large ones of both apps in turn until the size is reached. */
function assemble(bytes: number, to: string): void {
  const server = entriesOf(serverApk());
  const settings = entriesOf(packaged('settings-apk', 'settings_apk-debug.apk'));
  const writer = new ZipWriter(to);
  for (const entry of server) if (entry.raw.length < LARGE || entry.name === 'classes.dex') writer.add(entry);
  const large = [...settings, ...server].filter((entry) => entry.raw.length >= LARGE);
  for (let at = 0; writer.size < bytes; at++) {
    const entry = large[at % large.length];
    if (entry !== undefined) writer.add({ ...entry, name: `assets/pack-${at}/${path.basename(entry.name)}` });
  }
  writer.finish();
}

/** v2 + v3, with `jar` also v1. */
function sign(unsigned: string, to: string, jar = false): void {
  const key = `${to}.key`;
  const certificate = `${to}.cert`;
  const pem = `${to}.pem`;
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-nodes',
        '-days',
        '30',
        '-subj',
        '/CN=bench',
        '-newkey',
        'rsa:2048',
        '-keyout',
        pem,
        '-out',
        certificate,
      ],
      { stdio: 'pipe' },
    );
    execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt', '-in', pem, '-outform', 'DER', '-out', key], {
      stdio: 'pipe',
    });
    execFileSync(
      'apksigner',
      [
        'sign',
        '--key',
        key,
        '--cert',
        certificate,
        '--min-sdk-version',
        jar ? '21' : '24',
        `--v1-signing-enabled=${String(jar)}`,
        '--v2-signing-enabled=true',
        '--v3-signing-enabled=true',
        '--v4-signing-enabled=false',
        '--out',
        to,
        unsigned,
      ],
      { stdio: 'pipe' },
    );
  } finally {
    for (const file of [key, certificate, pem]) rmSync(file, { force: true });
  }
}

/** The content of the largest entry differs in one byte; everything in the archive says so truly. */
function changeOneByte(from: string, to: string): void {
  const entries = entriesOf(from);
  const largest = entries.reduce((a, b) => (b.raw.length > a.raw.length ? b : a));
  const content = inflateRawSync(largest.raw);
  const middle = content.length >> 1;
  content[middle] = (content[middle] ?? 0) ^ 1;
  const changed = { ...largest, crc32: crc32(content), raw: deflateRawSync(content) };
  writeAligned(
    entries.map((entry) => (entry === largest ? changed : entry)),
    to,
  );
}

function writeAligned(entries: readonly StoredEntry[], to: string): void {
  const plain = `${to}.plain`;
  const writer = new ZipWriter(plain);
  for (const entry of entries) writer.add(entry);
  writer.finish();
  execFileSync('zipalign', ['-p', '4', plain, to], { stdio: 'pipe' });
  rmSync(plain);
}

function recompress(from: string, to: string): void {
  const again = (entry: StoredEntry): StoredEntry =>
    entry.method === 0 ? entry : { ...entry, raw: deflateRawSync(inflateRawSync(entry.raw), { level: 3 }) };
  writeAligned(entriesOf(from).map(again), to);
}

const LARGE_ENTRY = 1536 * MIB;

async function largeEntry(to: string, changed: boolean): Promise<void> {
  const dex = entriesOf(serverApk()).find((entry) => entry.name === 'classes.dex');
  if (dex === undefined) throw new Error('the APK has no classes.dex');
  const block = inflateRawSync(dex.raw);
  const writer = new ZipWriter(to);
  let sum = 0;
  let size = 0;
  const deflate = createDeflateRaw({ level: constants.Z_BEST_SPEED, chunkSize: MIB });
  const feed = async (): Promise<void> => {
    while (size < LARGE_ENTRY) {
      const chunk = Buffer.from(block.subarray(0, LARGE_ENTRY - size));
      const middle = LARGE_ENTRY / 2 - size;
      if (changed && middle >= 0 && middle < chunk.length) chunk[middle] = (chunk[middle] ?? 0) ^ 1;
      sum = crc32(chunk, sum);
      size += chunk.length;
      if (!deflate.write(chunk)) await new Promise((resolve) => deflate.once('drain', resolve));
    }
    deflate.end();
  };
  const fed = feed();
  await writer.stream('assets/large.bin', 8, deflate, () => ({ crc32: sum, size }));
  await fed;
  writer.finish();
}

function manyEntries(to: string, moved: boolean): void {
  const writer = new ZipWriter(to);
  const order = Array.from({ length: 65_000 }, (_, index) => index);
  if (moved) order.push(...order.splice(1000, 1));
  for (const index of order) {
    const content = Buffer.from(`entry ${index}\n`.repeat(8 + (index % 64)));
    writer.add({
      name: `res/values-${index % 100}/entry-${index}.xml`,
      method: 8,
      crc32: crc32(content),
      size: content.length,
      raw: deflateRawSync(content),
    });
  }
  writer.finish();
}

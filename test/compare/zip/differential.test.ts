// SPDX-License-Identifier: Apache-2.0
/**
 * Names, sizes, checksums and contents as three other readers see them: Python's zipfile, yauzl and Info-ZIP's unzip.
 * Where one of them sees something else, the archive has a code of `docs/zip.md`; where it has none, all agree.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import yauzl from 'yauzl';
import { BufferSource } from '../../../src/bytes.js';
import { zipEntryContent } from '../../../src/compare/zip/entry-content.js';
import { observeArchive } from '../../../src/compare/zip/observations.js';
import { FormatError } from '../../../src/errors.js';
import { readZip } from '../../../src/formats/zip.js';
import { AMBIGUOUS, DEFLATE, deflateZip, plainZip, REFUSED } from '../../helpers/ambiguous-zips.js';
import { buildZip } from '../../helpers/build-zip.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

/** As a reader gives it to its user; a content that it does not give is `undefined`. */
interface Listed {
  readonly name: string;
  readonly size: number;
  readonly crc32: number;
  readonly sha256: string | undefined;
}
/** A refusal of the whole file is a text. */
type Listing = readonly Listed[] | string;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const LIMIT = 64 << 20;

function byUs(zip: Buffer): Listing {
  const source = new BufferSource(zip);
  try {
    return readZip(source).entries.map((entry) => {
      const content = zipEntryContent(source, entry, LIMIT);
      return {
        name: entry.rawName.toString('latin1'),
        size: entry.size,
        crc32: entry.crc32,
        sha256: content && sha256(content),
      };
    });
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

const PYTHON = `
import hashlib, json, sys, zipfile
def listed(path):
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:
        return str(error) or 'refused'
    entries = []
    for info in archive.infolist():
        try:
            content = hashlib.sha256(archive.read(info)).hexdigest()
        except Exception:
            content = None
        raw = info.filename.encode('utf-8' if info.flag_bits & 0x800 else 'cp437', 'surrogateescape')
        entries.append([raw.hex(), info.file_size, info.CRC, content])
    return entries
print(json.dumps([listed(path) for path in sys.argv[1:]]))
`;

function byPython(files: readonly string[]): Listing[] {
  const output = execFileSync('python3', ['-c', PYTHON, ...files], { encoding: 'utf8', maxBuffer: LIMIT });
  const found = JSON.parse(output) as (string | [string, number, number, string | null][])[];
  return found.map((listing) =>
    typeof listing === 'string'
      ? listing
      : listing.map(([name, size, crc32, digest]) => ({
          name: Buffer.from(name, 'hex').toString('latin1'),
          size,
          crc32,
          sha256: digest ?? undefined,
        })),
  );
}

function byYauzl(zip: Buffer): Promise<Listing> {
  return new Promise((resolve) => {
    yauzl.fromBuffer(zip, { lazyEntries: true }, (error, file) => {
      if (error !== null) return resolve(error.message);
      const list: Listed[] = [];
      file.on('entry', (entry: yauzl.Entry) => {
        const add = (content: string | undefined): void => {
          list.push({
            name: Buffer.from(entry.fileName).toString('latin1'),
            size: entry.uncompressedSize,
            crc32: entry.crc32,
            sha256: content,
          });
          file.readEntry();
        };
        file.openReadStream(entry, (failure, stream) => {
          if (failure !== null) return add(undefined);
          const hash = createHash('sha256');
          stream.on('data', (chunk: Buffer) => hash.update(chunk));
          stream.on('error', () => add(undefined));
          stream.on('end', () => add(hash.digest('hex')));
        });
      });
      file.on('end', () => resolve(list));
      file.on('error', (failure: Error) => resolve(failure.message));
      file.readEntry();
    });
  });
}

/** It cannot give one entry of several with a name: all contents one after the other, and the names. */
function byUnzip(file: string): string {
  const run = (...args: string[]) =>
    spawnSync('unzip', args, { maxBuffer: 4 * LIMIT, stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 });
  const names = run('-Z1', file);
  const contents = run('-p', '-P', 'none', file);
  return `${names.status} ${sha256(names.stdout)} ${contents.status} ${sha256(contents.stdout)}`;
}

function asUnzip(zip: Buffer, listing: Listing): string {
  if (typeof listing === 'string') return listing;
  const source = new BufferSource(zip);
  const contents = readZip(source).entries.map(
    (entry) => zipEntryContent(source, entry, LIMIT) ?? Buffer.from('unread'),
  );
  const names = listing.map(({ name }) => `${name}\n`).join('');
  return `0 ${sha256(Buffer.from(names, 'latin1'))} 0 ${sha256(Buffer.concat(contents))}`;
}

interface Case {
  readonly name: string;
  readonly file: string;
  readonly zip: Buffer;
}

/** Who sees something else, by case. */
async function disagreements(cases: readonly Case[]): Promise<Map<string, string[]>> {
  const python = byPython(cases.map(({ file }) => file));
  const found = new Map<string, string[]>();
  for (const [at, { name, file, zip }] of cases.entries()) {
    const ours = byUs(zip);
    const others: readonly (readonly [string, boolean])[] = [
      ['zipfile', same(ours, python[at] ?? '')],
      ['yauzl', same(ours, await byYauzl(zip))],
      ['unzip', asUnzip(zip, ours) === byUnzip(file)],
    ];
    found.set(
      name,
      others.filter(([, agrees]) => !agrees).map(([reader]) => reader),
    );
  }
  return found;
}

/** No listing is like a refusal, and a content that somebody does not give is not one that all agree about. */
function same(ours: Listing, theirs: Listing): boolean {
  if (typeof ours === 'string' || typeof theirs === 'string') return false;
  return (
    ours.every(({ sha256: content }) => content !== undefined) &&
    JSON.stringify(ours) === JSON.stringify(theirs)
  );
}

function written(t: ExecutionContext, zips: readonly (readonly [string, Buffer])[]): Case[] {
  const directory = temporaryDirectory(t);
  return zips.map(([name, zip], at) => {
    const file = path.join(directory, `${at}.zip`);
    writeFileSync(file, zip);
    return { name, file, zip };
  });
}

const codesOf = (zip: Buffer): string[] =>
  observeArchive(new BufferSource(zip)).observations.map(({ code }) => code);

const require = createRequire(import.meta.url);
const appium = path.dirname(require.resolve('appium-uiautomator2-server/package.json'));
const { version } = require('appium-uiautomator2-server/package.json') as { version: string };
const APKS = [
  path.join(appium, `apks/appium-uiautomator2-server-v${version}.apk`),
  path.join(appium, 'apks/appium-uiautomator2-server-debug-androidTest.apk'),
  ...['settings-apk', 'settings-apk-previous'].map((name) =>
    path.join(path.dirname(require.resolve(`${name}/package.json`)), 'apks/settings_apk-debug.apk'),
  ),
];

test('real APKs: every reader sees the same names, sizes, checksums and contents, and we see no ambiguity', async (t) => {
  if (!need(t, 'python3', 'unzip')) return;
  const cases = APKS.map((file) => ({ name: file, file, zip: readFileSync(file) }));
  for (const [name, readers] of await disagreements(cases)) t.deepEqual(readers, [], name);
  for (const { name, zip } of cases) t.deepEqual(codesOf(zip), [], name);
});

test('hostile archives: who sees something else sees a code of ours', async (t) => {
  if (!need(t, 'python3', 'unzip')) return;
  const cases = written(t, [
    ['plain', plainZip()],
    ['descriptor', buildZip([{ name: 'a', data: 'x', descriptor: 'signed' }])],
    ['aligned', buildZip([{ name: 'a', data: 'x', method: 0, align: 4096 }])],
    ...AMBIGUOUS.map(({ code, build }) => [code, build(6)] as const),
    ...REFUSED.map(([code, zip], at) => [`zip/${code} ${at}`, zip] as const),
  ]);
  const found = await disagreements(cases);
  let disagreeing = 0;
  for (const { name, zip } of cases) {
    const readers = found.get(name) ?? [];
    if (readers.length === 0) continue;
    disagreeing++;
    t.log(`${name}: ${readers.join(', ')}`);
    t.true(codesOf(zip).length > 0, `${readers.join(', ')} disagree about ${name}, and we have no code`);
  }
  for (const name of ['plain', 'descriptor', 'aligned']) t.deepEqual(found.get(name), [], name);
  // readers are known to differ there: else nothing was compared
  t.true(found.get('zip/local-name')?.includes('zipfile'));
  t.true(found.get('zip/name-nul')?.includes('zipfile'));
  t.true(found.get('zip/directory-gap')?.includes('zipfile'));
  t.true(found.get('zip/overlap 18')?.includes('yauzl'));
  t.true(found.get('zip/extra-unicode-path')?.includes('yauzl'));
  t.true(disagreeing > 20);
});

test('any byte of any record changed: what we read without a code, others read alike', async (t) => {
  if (!need(t, 'python3', 'unzip')) return;
  const text = 'some text, some text';
  const zips = [
    buildZip([
      { name: 'a.txt', data: text, descriptor: 'signed' },
      { name: 'bb', data: text, method: 0, align: 4 },
    ]),
    buildZip([{ name: 'a', data: text }], { zip64: true }),
  ];
  const changed: (readonly [string, Buffer, readonly string[]])[] = zips.flatMap((zip) =>
    [...zip.keys()].flatMap((at) =>
      [0x01, 0x08, 0x40, 0xff].map((flip) => {
        const other = Buffer.from(zip);
        other[at] = (other[at] ?? 0) ^ flip;
        return [`byte ${at} of ${zip.length} by ${flip}`, other, codesOf(zip)] as const;
      }),
    ),
  );
  // … and of both records of an entry in the same way
  const [plain = Buffer.alloc(0)] = zips;
  for (const [local, directory] of [
    [4, 6],
    [6, 8],
    [10, 12],
    [12, 14],
  ] as const)
    for (let bit = 0; bit < 16; bit++) {
      const other = Buffer.from(plain);
      const [entry] = readZip(new BufferSource(plain)).entries;
      for (const at of [(entry?.localOffset ?? 0) + local, (entry?.cdOffset ?? 0) + directory])
        other.writeUInt16LE(other.readUInt16LE(at) ^ (1 << bit), at);
      changed.push([`bit ${bit} of both fields at ${local}`, other, []]);
    }
  const decodes = (zip: Buffer): boolean => {
    const listing = byUs(zip);
    return typeof listing !== 'string' && listing.every(({ sha256: content }) => content !== undefined);
  };
  const unnamed = changed.filter(
    ([, zip, before]) => decodes(zip) && codesOf(zip).every((code) => before.includes(code)),
  );
  t.log(`${unnamed.length} of ${changed.length}`);
  t.true(unnamed.length > 50);
  const cases = written(
    t,
    unnamed.map(([name, zip]) => [name, zip] as const),
  );
  const unlike = [...(await disagreements(cases))].filter(([, readers]) => readers.length > 0);
  t.deepEqual(unlike, []);
});

test('streams with room in them: other readers give the content all the same', async (t) => {
  if (!need(t, 'python3', 'unzip')) return;
  const cases = written(
    t,
    DEFLATE.map(([code, raw]) => [code, deflateZip(raw)] as const),
  );
  const python = byPython(cases.map(({ file }) => file));
  const expected = byUs(plainZip());
  for (const [at, { name, zip }] of cases.entries()) {
    const theirs = python[at] ?? '';
    t.deepEqual(theirs, expected, name);
    // ours gives none of it, since the stream is not tight
    t.is((byUs(zip) as readonly Listed[])[0]?.sha256, undefined, name);
  }
});

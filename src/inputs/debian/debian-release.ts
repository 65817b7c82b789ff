// SPDX-License-Identifier: Apache-2.0
/**
 * A Debian `Release` file: which indexes a suite has, with sizes and digests. Text that a signature was checked over.
 * https://wiki.debian.org/DebianRepository/Format, section "Release files".
 */
import { FormatError } from '../../errors.js';
import type { Sha256 } from '../../model.js';
import { listLines, parseParagraph } from '../../formats/deb822.js';

export interface IndexedFile {
  readonly size: number;
  readonly sha256: Sha256;
}

export interface DebianRelease {
  readonly suite: string;
  readonly codename: string;
  /** ISO 8601 in UTC, to the second. */
  readonly date: string;
  readonly validUntil?: string;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  /** Packages of architecture `all` stand in each architecture's own index too (`No-Support-for-Architecture-all`). */
  readonly allWithEach: boolean;
  /** By path below `dists/<suite>/`. */
  readonly files: ReadonlyMap<string, IndexedFile>;
}

const SHA256 = /^[0-9a-f]{64}$/;
const SIZE = /^(0|[1-9][0-9]{0,14})$/;

function fail(code: string, message: string): never {
  throw new FormatError('debian-release', code, 0, message);
}

/** A relative path whose parts are plain: it becomes part of an address and of a file name. */
export function isPlainPath(path: string): boolean {
  return (
    path.length < 1024 && path.split('/').every((part) => /^[A-Za-z0-9+_~][A-Za-z0-9+._~:-]*$/.test(part))
  );
}

/** Size and digest as an index states them; refuses anything but the canonical spelling. */
export function indexedFile(size: string, sha256: string): IndexedFile | undefined {
  return SIZE.test(size) && SHA256.test(sha256) ? { size: Number(size), sha256 } : undefined;
}

function isoDate(field: string, value: string): string {
  // RFC 2822 with the zone spelled UTC (or, in old files, GMT or +0000): anything else is not what the format allows
  if (!/^[A-Z][a-z]{2}, [ 0-3]?\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (UTC|GMT|\+0000)$/.test(value))
    fail('bad-date', `field ${field} is not a date in UTC: ${JSON.stringify(value)}`);
  const time = Date.parse(value);
  if (Number.isNaN(time)) fail('bad-date', `field ${field} is not a date: ${JSON.stringify(value)}`);
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

const wordsOf = (value: string): readonly string[] => value.split(/\s+/).filter((word) => word !== '');

export function parseRelease(text: string): DebianRelease {
  const fields = parseParagraph(text);
  const field = (name: string): string =>
    fields.get(name.toLowerCase()) ?? fail('missing-field', `no field ${name}`);
  const files = new Map<string, IndexedFile>();
  for (const words of listLines(field('SHA256'))) {
    const [sha256 = '', size = '', path = ''] = words;
    const file = indexedFile(size, sha256);
    if (words.length !== 3 || file === undefined || !isPlainPath(path))
      fail(
        'bad-entry',
        `expected "digest size path", found ${JSON.stringify(words.join(' ').slice(0, 120))}`,
      );
    if (files.has(path)) fail('duplicate-entry', `${path} stands twice`);
    files.set(path, file);
  }
  const validUntil = fields.get('valid-until');
  return {
    // publishers' own repositories may have a code name only
    suite: fields.get('suite') ?? field('Codename'),
    codename: field('Codename'),
    date: isoDate('Date', field('Date')),
    ...(validUntil === undefined ? {} : { validUntil: isoDate('Valid-Until', validUntil) }),
    architectures: wordsOf(field('Architectures')),
    components: wordsOf(field('Components')),
    allWithEach: wordsOf(fields.get('no-support-for-architecture-all') ?? '').includes('Packages'),
    files,
  };
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One source package out of the `Sources` and `Packages` indexes of a suite.
 * https://wiki.debian.org/DebianRepository/Format, sections "Sources" and "Packages"; deb-src-control(5), deb-control(5).
 */
import { FormatError } from '../../errors.js';
import type { DebianBinary, DebianSource, FileIdentity } from '../../model.js';
import { listLines, parseParagraph, ParagraphStream, type Paragraph } from '../../formats/deb822.js';
import { indexedFile, isPlainPath } from './debian-release.js';

// policy 5.6.7 and 5.6.12
const PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;
const VERSION = /^[0-9][A-Za-z0-9.+~:-]*$/;

function fail(code: string, message: string): never {
  throw new FormatError('debian-index', code, 0, message);
}

function required(paragraph: Paragraph, name: string, shape: RegExp = /./): string {
  const value = paragraph.get(name.toLowerCase());
  if (value === undefined || !shape.test(value))
    fail(
      'bad-field',
      `field ${name} is ${value === undefined ? 'missing' : JSON.stringify(value.slice(0, 80))}`,
    );
  return value;
}

/** `Source: weechat (3.8-1)`: the version is given where it is not that of the binary package (deb-control(5)). */
function sourceOf(paragraph: Paragraph): { readonly name: string; readonly version: string } {
  const version = required(paragraph, 'Version', VERSION);
  const source = paragraph.get('source');
  if (source === undefined) return { name: required(paragraph, 'Package', PACKAGE), version };
  const match = /^([a-z0-9][a-z0-9+.-]+)(?: \(([^()\s]+)\))?$/.exec(source);
  if (match === null) fail('bad-field', `field Source is ${JSON.stringify(source.slice(0, 80))}`);
  return { name: match[1] ?? '', version: match[2] ?? version };
}

function sourceFiles(paragraph: Paragraph): readonly FileIdentity[] {
  return listLines(required(paragraph, 'Checksums-Sha256')).map((words) => {
    const [sha256 = '', size = '', name = ''] = words;
    const file = indexedFile(size, sha256);
    if (words.length !== 3 || file === undefined || !isPlainPath(name) || name.includes('/'))
      fail('bad-field', `a line of Checksums-Sha256 is ${JSON.stringify(words.join(' ').slice(0, 120))}`);
    return { name, ...file };
  });
}

/** A paragraph of a `Packages` index. */
export function binaryOf(paragraph: Paragraph): DebianBinary {
  const path = required(paragraph, 'Filename');
  const file = indexedFile(required(paragraph, 'Size'), required(paragraph, 'SHA256'));
  if (file === undefined || !isPlainPath(path))
    fail('bad-field', `size, digest or path of ${JSON.stringify(path.slice(0, 120))}`);
  return {
    package: required(paragraph, 'Package', PACKAGE),
    version: required(paragraph, 'Version', VERSION),
    architecture: required(paragraph, 'Architecture', /^[a-z0-9-]+$/),
    path,
    ...file,
  };
}

/** Collects what belongs to one source package; feed it the decompressed indexes, then take `sources()`. */
export class DebianIndexReader {
  readonly #package: string;
  readonly #needle: Buffer;
  readonly #architecture: string;
  readonly #sources: (Omit<DebianSource, 'binaries'> & { readonly leftOver: boolean })[] = [];
  readonly #binaries = new Map<string, DebianBinary & { readonly source: string }>();

  constructor(sourcePackage: string, architecture: string) {
    if (!PACKAGE.test(sourcePackage))
      fail('bad-name', `${JSON.stringify(sourcePackage)} is not a package name`);
    this.#package = sourcePackage;
    this.#needle = Buffer.from(sourcePackage);
    this.#architecture = architecture;
  }

  readSources(): ParagraphStream {
    return this.#filtered((paragraph) => this.#source(paragraph));
  }

  readPackages(): ParagraphStream {
    return this.#filtered((paragraph) => this.#binary(paragraph));
  }

  /** Only the few paragraphs that hold the name anywhere are decoded and parsed. */
  #filtered(visit: (paragraph: Paragraph) => void): ParagraphStream {
    return new ParagraphStream((bytes) => {
      if (bytes.includes(this.#needle)) visit(parseParagraph(bytes.toString('utf8')));
    });
  }

  #source(paragraph: Paragraph): void {
    if (paragraph.get('package') !== this.#package) return;
    const version = required(paragraph, 'Version', VERSION);
    const directory = required(paragraph, 'Directory');
    if (!isPlainPath(directory))
      fail('bad-field', `field Directory is ${JSON.stringify(directory.slice(0, 120))}`);
    if (this.#sources.some((source) => source.version === version))
      fail('duplicate-source', `version ${version} of ${this.#package} stands twice`);
    this.#sources.push({
      version,
      directory,
      files: sourceFiles(paragraph),
      leftOver: paragraph.get('extra-source-only') === 'yes',
    });
  }

  #binary(paragraph: Paragraph): void {
    const source = sourceOf(paragraph);
    if (source.name !== this.#package) return;
    const binary = binaryOf(paragraph);
    const { package: name, version, architecture, path, sha256 } = binary;
    if (architecture !== this.#architecture && architecture !== 'all') return;
    const key = `${name} ${version} ${architecture}`;
    const known = this.#binaries.get(key);
    // packages of architecture `all` may stand in two indexes: the same or not at all
    if (known !== undefined && (known.sha256 !== sha256 || known.path !== path))
      fail('duplicate-binary', `${key} stands twice with different files`);
    this.#binaries.set(key, { ...binary, source: source.version });
  }

  /** Versions in the order of the index; those that are only kept for others' sake and have no binaries are left out. */
  sources(): readonly DebianSource[] {
    return this.#sources
      .map(({ leftOver, ...source }) => ({
        leftOver,
        source: {
          ...source,
          binaries: [...this.#binaries.values()]
            .filter((binary) => binary.source === source.version)
            .map(({ source: _source, ...binary }) => binary)
            .toSorted((one, other) => (one.path < other.path ? -1 : 1)),
        },
      }))
      .filter(({ leftOver, source }) => !leftOver || source.binaries.length > 0)
      .map(({ source }) => source);
  }
}

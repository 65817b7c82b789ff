// SPDX-License-Identifier: Apache-2.0
/**
 * MANIFEST.MF and signature files (.SF) as Android reads them, with the bytes of each section for its digest. Where its
 * readers (StrictJarManifestReader of the platform, ManifestParser of apksig) see different things, that is said.
 * https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#manifest-specification
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/jar/StrictJarManifestReader.java
 */

/** `end` is behind the empty line that closes the section. */
export interface ManifestSection {
  /** Value of its first attribute, `Name`; the main section has none. */
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
  /** As they stand there: name and value of each. */
  readonly lines: readonly AttributeLine[];
}

export type AttributeLine = readonly [name: string, value: string];

export interface ManifestRemark {
  readonly offset: number;
  readonly message: string;
}

export interface Manifest {
  readonly main: ManifestSection;
  /** In their order; names may occur again. */
  readonly sections: readonly ManifestSection[];
  /** The platform throws. */
  readonly malformed: ManifestRemark | undefined;
  /** One more empty line ends the file: part of the last section for the platform, for apksig of none. */
  readonly emptyLineAtEnd: boolean;
  /** Readers may take these otherwise. */
  readonly ambiguous: readonly ManifestRemark[];
}

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
/** java.util.jar.Attributes.Name */
const ATTRIBUTE_NAME = /^[0-9A-Za-z_-]{1,70}$/;

interface OpenSection {
  readonly start: number;
  readonly attributes: Map<string, string>;
  readonly lines: AttributeLine[];
  name: string | undefined;
}

/** Never throws: what cannot be read stands in `malformed`. */
export function readManifest(bytes: Buffer): Manifest {
  return new ManifestReader(bytes).read();
}

class ManifestReader {
  readonly #bytes: Buffer;
  readonly #sections: ManifestSection[] = [];
  readonly #ambiguous: ManifestRemark[] = [];
  #malformed: ManifestRemark | undefined;
  #emptyLineAtEnd = false;
  #open: OpenSection | undefined;
  /** The attribute being read: name, and the pieces of its value. */
  #attribute = '';
  #value: Buffer[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): Manifest {
    const bytes = this.#bytes;
    if (bytes.includes(NUL)) this.#isMalformed(bytes.indexOf(NUL), 'a NUL byte');
    for (let at = 0; at < bytes.length;) {
      const { end, next } = this.#line(at);
      if (end === at) this.#emptyLine(at, next);
      else if (bytes[at] === SPACE) this.#continuation(at, end);
      else this.#attributeLine(at, end);
      at = next;
    }
    this.#close(bytes.length);
    const [main, ...sections] = this.#sections;
    const nothing = { name: undefined, start: 0, end: 0, attributes: new Map<string, string>(), lines: [] };
    for (const section of sections)
      if (section.name === undefined) this.#isMalformed(section.start, 'a section without name');
    return {
      main: main ?? nothing,
      sections,
      malformed: this.#malformed,
      emptyLineAtEnd: this.#emptyLineAtEnd,
      ambiguous: this.#ambiguous,
    };
  }

  #line(at: number): { readonly end: number; readonly next: number } {
    const bytes = this.#bytes;
    let end = at;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
    if (end === bytes.length) {
      // the platform ignores what has no end of line
      this.#isAmbiguous(at, 'the last line has no end');
      return { end, next: end };
    }
    if (bytes[end] === LF) return { end, next: end + 1 };
    if (bytes[end + 1] === LF) return { end, next: end + 2 };
    this.#isAmbiguous(end, 'a carriage return without line feed');
    return { end, next: end + 1 };
  }

  #emptyLine(at: number, next: number): void {
    if (this.#open !== undefined) this.#close(next);
    else if (this.#sections.length === 0) this.#isMalformed(at, 'an empty line in front');
    else if (next === this.#bytes.length) this.#emptyLineAtEnd = true;
    // the platform counts it to the section before, apksig to none
    else this.#isAmbiguous(at, 'a second empty line');
  }

  #continuation(at: number, end: number): void {
    if (this.#open === undefined) this.#isMalformed(at, 'a continuation of nothing');
    else this.#value.push(this.#bytes.subarray(at + 1, end));
  }

  #attributeLine(at: number, end: number): void {
    this.#finishAttribute();
    this.#open ??= { start: at, attributes: new Map(), lines: [], name: undefined };
    // never beyond the line: a hostile file has many without
    const colon = at + this.#bytes.subarray(at, end).indexOf(COLON);
    if (colon < at || colon + 1 >= end || this.#bytes[colon + 1] !== SPACE) {
      this.#isMalformed(at, 'a line without name and value');
      return;
    }
    const name = this.#bytes.toString('latin1', at, colon);
    if (!ATTRIBUTE_NAME.test(name)) this.#isMalformed(at, 'a name with other characters than 0-9A-Za-z_-');
    this.#attribute = name;
    this.#value = [this.#bytes.subarray(colon + 2, end)];
  }

  #finishAttribute(): void {
    const open = this.#open;
    if (open === undefined || this.#value.length === 0) return;
    const [only] = this.#value;
    const value = (
      this.#value.length === 1 && only !== undefined ? only : Buffer.concat(this.#value)
    ).toString('utf8');
    const name = this.#attribute.toLowerCase();
    if (open.lines.length === 0 && name === 'name') open.name = value;
    open.lines.push([this.#attribute, value]);
    // the first counts for apksig, the last for the platform
    if (open.attributes.has(name)) this.#isAmbiguous(open.start, `attribute ${name} occurs again`);
    else open.attributes.set(name, value);
    this.#value = [];
  }

  #close(end: number): void {
    this.#finishAttribute();
    const open = this.#open;
    if (open === undefined) return;
    this.#sections.push({ ...open, end });
    this.#open = undefined;
  }

  #isMalformed(offset: number, message: string): void {
    if (this.#malformed === undefined || offset < this.#malformed.offset)
      this.#malformed = { offset, message };
  }

  /** The first few: there may be one a line. */
  #isAmbiguous(offset: number, message: string): void {
    if (this.#ambiguous.length < 16) this.#ambiguous.push({ offset, message });
  }
}

// SPDX-License-Identifier: Apache-2.0
/** What a directory of a build may hold to be taken as an output: regular files under plain names, so many and so large. */
import { FailedHere } from '../errors.js';
import type { TakenFile } from './tar-read.js';

/** Far more than a site or a package consists of. */
export const TREE_FILES = 20_000;
const NAME_BYTES = 1024;

export interface TreeFile extends TakenFile {
  /** Path below the directory. */
  readonly member: string;
  readonly path: string;
}

export class TreeBounds {
  readonly #output: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  #files = 0;
  #bytes = 0;

  /** `output`: as the plan names it. */
  constructor(output: string, maxBytes: number, maxFiles: number = TREE_FILES) {
    this.#output = output;
    this.#maxBytes = maxBytes;
    this.#maxFiles = maxFiles;
  }

  /**
   * Counts a file before it is taken.
   * @throws FailedHere `output-refused`
   */
  admit(member: string, size: number): void {
    this.admitName(member);
    if (++this.#files > this.#maxFiles) throw this.#refused(`holds more than ${this.#maxFiles} files`);
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes)
      throw this.#refused(`holds ${this.#bytes} bytes or more, at most ${this.#maxBytes}`);
  }

  /** Of a directory too: a name that leads elsewhere, or that no report can show, is no member. */
  admitName(member: string): void {
    const parts = member.split('/');
    if (
      Buffer.byteLength(member) > NAME_BYTES ||
      // U+FFFD: the name was no UTF-8
      /[\p{Cc}\ufffd]/u.test(member) ||
      parts.some((part) => part === '' || part === '.' || part === '..')
    )
      throw this.#refused(`holds a file with the name ${JSON.stringify(member.slice(0, 200))}`);
  }

  /** Of a link, a device or a socket; it could be published as a file, so that leaving it out would tell a difference. */
  refuse(member: string, what: string): never {
    throw this.#refused(`holds ${what} at ${JSON.stringify(member.slice(0, 200))}`);
  }

  #refused(what: string): FailedHere {
    return new FailedHere('output-refused', `the output ${this.#output} ${what}`, {
      hint: 'let the build script of the recipe put regular files there (cp -rL follows links), and nothing else',
    });
  }
}

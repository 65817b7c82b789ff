// SPDX-License-Identifier: Apache-2.0
/** Reads a phase's log as it comes, in bounded memory: its end, its first error, and the signs of our side in all of it. */
import type { FailureSign } from '../known-failures.js';
import { KnownLines, type KnownLogLine } from './known-lines.js';
import { signOf, urlIn, type LogSign } from './log-signs.js';

export const TAIL_LINES = 40;
const BLOCK_LINES = 20;
const LINES_BEFORE = 3;
/** An address belongs to a status that follows within so many lines. */
const ADDRESS_LINES = 6;

/** What compilers and build tools print where something is wrong. */
const STRONG =
  /(?:^|[\s:])(?:fatal )?error(?:\[\w+\])?: |^error\b(?!s? ?[=:]? ?0)|^E: |^e: |^FAILED: |^FAILURE: |^fatal: |^Traceback \(most recent|undefined reference to|: Syntax error|^CMake Error|^\S+: error |^dpkg-\S+: error|^! LaTeX Error/i;
/** What merely tells that a command failed. */
const WEAK =
  /^make(?:\[\d+\])?: \*\*\*|: not found$|: command not found|: No such file or directory|: Permission denied|^ninja: build stopped/;

const ENDED = /^samesource: the script ended with (\d{1,3})(?:, oom_kill (\d+))?(, disk full)?$/;
/** Last line of a script's wrapper; without it the container did not end by itself. */
export const ENDED_LINE = 'samesource: the script ended with ';
export const KILLS = ', oom_kill ';
export const DISK_FULL = ', disk full';

export interface LogSigns {
  readonly diskFull?: string;
  readonly outOfMemory?: string;
  readonly unreachable?: { readonly line: string; readonly what: string };
  /** A certificate of a server. */
  readonly untrusted?: string;
  /** The last of each: what was tried again and succeeded stands earlier. */
  readonly limited?: { readonly line: string; readonly url: string | undefined };
  readonly serverError?: {
    readonly line: string;
    readonly url: string | undefined;
    readonly status: number;
  };
  readonly gone?: { readonly line: string; readonly url: string | undefined; readonly status: 404 | 410 };
}

export interface LogSummary {
  readonly lines: number;
  readonly signs: LogSigns;
  /** What the wrapper said. */
  readonly scriptCode: number | undefined;
  /** Programs that the kernel ended for lack of memory, by the container's own counter. */
  readonly memoryKills: number;
  /** The wrapper could write nothing any more. */
  readonly fullAtEnd: boolean;
  readonly firstError: readonly string[];
  readonly tail: readonly string[];
  /** For people: what its last lines are known to mean. */
  readonly known: readonly KnownLogLine[];
}

class ErrorBlock {
  readonly #pattern: RegExp;
  #lines: string[] | undefined;

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  push(line: string, before: readonly string[]): void {
    if (this.#lines === undefined) {
      if (this.#pattern.test(line)) this.#lines = [...before.slice(-LINES_BEFORE), line];
    } else if (this.#lines.length < BLOCK_LINES) this.#lines.push(line);
  }

  get lines(): readonly string[] | undefined {
    return this.#lines;
  }
}

export class LogReader {
  readonly #onlyUrl: string | undefined;
  readonly #hide: (line: string) => string;
  readonly #tail: string[] = [];
  readonly #strong = new ErrorBlock(STRONG);
  readonly #weak = new ErrorBlock(WEAK);
  readonly #known = new KnownLines();
  #signs: LogSigns = {};
  #scriptCode: number | undefined;
  #memoryKills = 0;
  #fullAtEnd = false;
  #count = 0;
  #url: { readonly url: string; readonly at: number } | undefined;

  /** `hide` takes out of a line what must not enter a record, such as the address of a mirror. */
  constructor(script: string, hide: (line: string) => string = (line) => line) {
    this.#hide = hide;
    const urls = script.split(/\s+/).flatMap((word) => urlIn(word) ?? []);
    // curl does not say which address failed; a script that has one leaves no doubt
    this.#onlyUrl = new Set(urls).size === 1 ? urls[0] : undefined;
  }

  push(line: string): void {
    const ended = ENDED.exec(line);
    if (ended !== null) {
      this.#scriptCode = Number(ended[1]);
      this.#memoryKills = Number(ended[2] ?? 0);
      this.#fullAtEnd = ended[3] !== undefined;
      return;
    }
    this.#count++;
    const shown = this.#hide(line);
    this.#known.push(shown, this.#sign(line, shown));
    this.#strong.push(shown, this.#tail);
    this.#weak.push(shown, this.#tail);
    this.#tail.push(shown);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }

  summary(): LogSummary {
    return {
      lines: this.#count,
      signs: this.#signs,
      scriptCode: this.#scriptCode,
      memoryKills: this.#memoryKills,
      fullAtEnd: this.#fullAtEnd,
      firstError: this.#strong.lines ?? this.#weak.lines ?? [],
      tail: [...this.#tail],
      known: this.#known.lines(),
    };
  }

  #sign(line: string, shown: string): FailureSign | undefined {
    const near =
      this.#url !== undefined && this.#count - this.#url.at <= ADDRESS_LINES ? this.#url.url : undefined;
    const sign = signOf(line, { url: near ?? this.#onlyUrl, previous: this.#tail.at(-1) ?? '' });
    const url = urlIn(line);
    if (url !== undefined) this.#url = { url, at: this.#count };
    if (sign === undefined) return undefined;
    this.#signs = { ...this.#signs, ...signsWith(sign, shown) };
    return signName(sign);
  }
}

function signName(sign: LogSign): FailureSign {
  if (sign.kind !== 'status') return sign.kind;
  if (sign.status === 429) return 'limited';
  return sign.status === 404 || sign.status === 410 ? 'gone' : 'server-error';
}

function signsWith(sign: LogSign, line: string): LogSigns {
  switch (sign.kind) {
    case 'disk-full':
      return { diskFull: line };
    case 'out-of-memory':
      return { outOfMemory: line };
    case 'unreachable':
      return { unreachable: { line, what: sign.what } };
    case 'untrusted':
      return { untrusted: line };
    case 'status': {
      const { status, url } = sign;
      if (status === 429) return { limited: { line, url } };
      return status === 404 || status === 410
        ? { gone: { line, url, status } }
        : { serverError: { line, url, status } };
    }
  }
}

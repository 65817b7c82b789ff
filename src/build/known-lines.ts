// SPDX-License-Identifier: Apache-2.0
/** Which of the last lines of a log people know (`known-failures.ts`): what stands further from its end did not end it. */
import {
  KNOWN_FAILURE_IDS,
  knownFailure,
  knownFailureOf,
  type FailureSign,
  type KnownFailureId,
} from '../known-failures.js';

export interface KnownLogLine {
  readonly id: KnownFailureId;
  /** With what the program says below it, where that is where it says more. */
  readonly line: string;
}

interface LogLine {
  readonly text: string;
  readonly sign: FailureSign | undefined;
}

const SHOWN = 3;
const MAX_TEXT = 400;
const NEAR = 1_000;
const NEAR_GENERAL = 200;

export class KnownLines {
  #lines: LogLine[] = [];

  push(text: string, sign: FailureSign | undefined): void {
    this.#lines.push({ text, sign });
    if (this.#lines.length >= 2 * NEAR) this.#lines = this.#lines.slice(-NEAR);
  }

  lines(): readonly KnownLogLine[] {
    const lines = this.#lines.slice(-NEAR);
    const last = new Map<KnownFailureId, number>();
    for (const [at, { text, sign }] of lines.entries()) {
      const id = knownFailureOf(text, sign);
      if (id !== undefined) last.set(id, at);
    }
    const near = KNOWN_FAILURE_IDS.flatMap((id) => {
      const at = last.get(id);
      if (at === undefined || (isGeneral(id) && lines.length - at > NEAR_GENERAL)) return [];
      return [{ id, line: textAt(lines, at, knownFailure(id).below ?? 0) }];
    });
    const specific = near.filter(({ id }) => !isGeneral(id));
    return (specific.length > 0 ? specific : near).slice(0, SHOWN);
  }
}

const isGeneral = (id: KnownFailureId): boolean => knownFailure(id).general === true;

function textAt(lines: readonly LogLine[], at: number, below: number): string {
  const said = lines.slice(at, at + 1 + below).map(({ text }) => text.trim());
  const end = said.indexOf('');
  const text = (end === -1 ? said : said.slice(0, end)).join(' ');
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT).toWellFormed();
}

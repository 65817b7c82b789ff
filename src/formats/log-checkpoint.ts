// SPDX-License-Identifier: Apache-2.0
/** The text of a log's signed checkpoint: how many entries, under which root. https://c2sp.org/tlog-checkpoint */
import { FormatError } from '../errors.js';
import { emptyRoot } from './merkle-tree.js';
import { strictBase64 } from './signed-note.js';

export interface LogCheckpoint {
  /** Which log it is, by its own words. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

function fail(code: string, message: string): never {
  throw new FormatError('log-checkpoint', code, 0, message);
}

/** @throws FormatError `log-checkpoint/…` */
export function readCheckpoint(text: string): LogCheckpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length < 3) fail('lines', 'expected origin, size and root, a line each');
  const [origin = '', digits = '', encoded = ''] = lines;
  if (lines.includes('')) fail('lines', 'an empty line');
  if (!/^(?:0|[1-9]\d*)$/.test(digits)) fail('size', `the size is no decimal number: ${digits.slice(0, 40)}`);
  const size = Number(digits);
  // 2^63 is a number of the format and no log that anybody can read
  if (!Number.isSafeInteger(size)) fail('size', `${digits.slice(0, 40)} entries, at most ${2 ** 53 - 1}`);
  const root = strictBase64(encoded);
  if (root?.length !== 32) fail('root', 'the root is no SHA-256 in base64');
  if (size === 0 && !root.equals(emptyRoot())) fail('root', 'an empty log with the root of another');
  return { origin, size, root };
}

// SPDX-License-Identifier: Apache-2.0
/** Known lines of a log for a terminal: what happened, the line, what to try. */
import { explained, printable } from '../index.js';

export function knownText(lines: Parameters<typeof explained>[0]): readonly string[] {
  return explained(lines).flatMap(({ line, happened, advice }) => [
    `  known: ${happened}`,
    `    | ${printable(line)}`,
    `    to try: ${advice}`,
  ]);
}

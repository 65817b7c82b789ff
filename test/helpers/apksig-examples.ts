// SPDX-License-Identifier: Apache-2.0
/** The files and keys that test apksig itself, as the documentation of Debian's androguard brings them. */
import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { need, without } from './need.js';

export const APKSIG_EXAMPLES = '/usr/share/doc/androguard/examples/signing/apksig';

/** Without them the test is skipped, or fails under CI=true. */
export function hasExamples(t: ExecutionContext): boolean {
  // an installation without documentation has the program only
  return need(t, 'androguard') && (existsSync(APKSIG_EXAMPLES) || without(t, 'the examples of androguard'));
}

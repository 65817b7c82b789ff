// SPDX-License-Identifier: Apache-2.0
/** A rule covers nothing that its formats do not take. */
import { FormatError } from '../../errors.js';

export function unlessMalformed(covers: () => boolean): boolean {
  try {
    return covers();
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

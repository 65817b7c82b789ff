// SPDX-License-Identifier: Apache-2.0
/** What every operation takes beside its request. */
import type { OnProgress } from '../model.js';

export interface OperationOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Directory with recipes of the caller's own, which come before those of this package. */
  readonly recipes?: string;
}

// SPDX-License-Identifier: Apache-2.0
/** What every operation takes beside its request. */
import type { OnProgress } from '../model.js';

export interface OperationOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

// SPDX-License-Identifier: Apache-2.0
/** A named, anchored, reasoned, size-bounded region or entry that is left out of the verdict. */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import type { RuleClass } from '../../model.js';

export interface Rule {
  readonly class: RuleClass;
  readonly title: string;
  readonly reason: string;
  readonly reference: string;
  /** Of class `signature`: bytes that nobody can verify, so that they are left out; `partly` beside others that are verified. */
  readonly excludes?: 'always' | 'partly';
  /** `store-edit` rules over ZIP entries: full-match name, content check and size bound in one. */
  readonly coversEntry?: (source: ByteSource, entry: ZipEntry) => boolean;
}

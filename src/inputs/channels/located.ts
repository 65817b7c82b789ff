// SPDX-License-Identifier: Apache-2.0
/** Where a published file lies, as somebody's index says it; or why there is none. */
import type { Sha256 } from '../../model.js';

/** Why a channel does not give the file that was asked for. */
export type NotPublished =
  /** Nobody fetches from this channel. */
  | 'not-fetched'
  | 'not-handed-over'
  | 'gone'
  | 'other-content'
  | 'other-version'
  | 'release-missing'
  | 'asset-missing'
  | 'index-gone'
  | 'version-not-in-index'
  | 'not-installed'
  /** Names that no file has are answered like files. */
  | 'site-answers-everything';

export interface NotThere {
  readonly kind: 'not-there';
  readonly code: NotPublished;
  readonly detail: string;
  /** What to do. */
  readonly hint: string;
}

export interface Located {
  readonly kind: 'located';
  readonly url: string;
  readonly expected?: { readonly size?: number; readonly sha256?: Sha256 };
  /** Who says what the digest must be, in words. */
  readonly digestFrom?: string;
  readonly notes: readonly string[];
}

export const BY_HAND = 'if you have the file, hand it over with --published FILE';

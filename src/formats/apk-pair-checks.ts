// SPDX-License-Identifier: Apache-2.0
/** Pairs of the signing block that are signed by others than the app's signers: who checks which of them. */
import type { ApkFindings } from './apk-signature-issue.js';
import type { CheckedSigner } from './apk-signer-check.js';
import { PAIR_ID, type SigningBlockPair } from './apk-signing-block.js';
import { checkSourceStamp, type SourceStamp } from './source-stamp.js';

/** What a check may look at, after all signers have been read. */
export interface PairContext {
  readonly pair: SigningBlockPair;
  readonly value: Buffer;
  readonly signers: readonly CheckedSigner[];
  /** Content of the one entry of that name, if it is small and what its CRC says. */
  readonly content: (name: string) => Buffer | undefined;
  /** False for our own file: nothing is verified, only read. */
  readonly useKeys: boolean;
  /** A pair without findings is one that was understood to its last byte, and that holds. */
  readonly findings: ApkFindings;
}

export type PairCheck = (context: PairContext) => SourceStamp | undefined;

/** A known pair that is not in this table is `unchecked-pair`. */
export const PAIR_CHECKS: ReadonlyMap<number, PairCheck> = new Map<number, PairCheck>([
  [PAIR_ID.sourceStampV1, (context) => checkSourceStamp(1, context)],
  [PAIR_ID.sourceStampV2, (context) => checkSourceStamp(2, context)],
]);

// SPDX-License-Identifier: Apache-2.0
/** What is told of a published file's signers beside the verdict: where a pin is stated, a rotated key, a key that everybody has. */
import type { Reason, SignerNote, SignerPin } from '../model.js';
import { describeRange, type PinCheck } from './signer-pins.js';
import type { SignatureRecord, SignerRecord } from './types.js';

/**
 * Certificates whose private keys are part of Android's source, by the name of their file.
 * https://android.googlesource.com/platform/build/+/refs/heads/main/target/product/security/
 */
const TEST_KEYS: ReadonlyMap<string, string> = new Map([
  ['a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc', 'testkey'],
  ['c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8', 'platform'],
  ['28bbfe4a7b97e74681dc55c2fbb6ccb8d6c74963733f6af6ae74d8c3a6e879fd', 'shared'],
  ['465983f7791f2abeb43ea2cbdc7f21a8260b72bc08a55c839fc1a43bc741a81e', 'media'],
  ['e1dbadce60dc080d15b58a014b0dcf9400e24de23fa00b287a5a982bfebda2ee', 'networkstack'],
]);

/** What the build tools make for each developer, in either order of its parts. */
const DEBUG_SUBJECT = ['C=US', 'CN=Android Debug', 'O=Android'].join();

/** Why a key is nobody's in particular; `undefined` for any other. */
export function describeDebugKey({
  certificateSha256,
  subject,
}: Pick<SignerRecord, 'certificateSha256' | 'subject'>): string | undefined {
  const name = TEST_KEYS.get(certificateSha256);
  if (name !== undefined) return `the ${name} key of Android's source, which everybody has`;
  return subject.split(', ').sort().join() === DEBUG_SUBJECT
    ? `${subject}, a debug key that the build tools made`
    : undefined;
}

/** `check`: against these pins, if there are any. */
export function signerNotes(
  { signers }: SignatureRecord,
  pins: readonly SignerPin[],
  check: PinCheck | undefined,
): Reason<SignerNote>[] {
  const certificates = [...new Map(signers.map((signer) => [signer.certificateSha256, signer])).values()];
  const notes: Reason<SignerNote>[] = certificates.flatMap((signer) => {
    const why = describeDebugKey(signer);
    return why === undefined
      ? []
      : [{ code: 'debug-key', detail: `${why} (certificate ${signer.certificateSha256})` }];
  });
  if (pins.length === 0 && certificates.length > 0)
    notes.push({
      code: 'signer-unpinned',
      detail: `signed by ${certificates.map(({ certificateSha256 }) => certificateSha256).join(', ')}`,
    });
  for (const { sha256, statedBy, source } of check?.used ?? [])
    notes.push({ code: 'signer-pinned', detail: `${sha256}, stated by ${STATED[statedBy]}: ${source}` });
  for (const { signer, pin, range } of check?.rotated ?? [])
    notes.push({
      code: 'signer-rotated',
      detail: `signed by ${signer.certificateSha256} (${signer.scheme}) for ${describeRange(range)}, whose lineage leads back to ${pin.sha256}, stated by ${STATED[pin.statedBy]}: ${pin.source}`,
    });
  return notes;
}

const STATED = {
  publisher: 'the publisher',
  'third-party': 'a third party',
} as const satisfies Record<SignerPin['statedBy'], string>;

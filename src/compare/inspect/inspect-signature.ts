// SPDX-License-Identifier: Apache-2.0
/** Who signed one file, by which schemes, and what each version of Android makes of it. */
import type { ByteSource } from '../../bytes.js';
import type { ApkSignatureCheck } from '../../formats/apk-signature.js';
import { PAIR_ID } from '../../formats/apk-signing-block.js';
import { checkIdsig, type IdsigCheck } from '../../formats/idsig.js';
import { LAST_SDK } from '../../formats/sdk-range.js';
import { sdkVerdicts } from '../../formats/sdk-verdicts.js';
import { printable } from '../../printable.js';
import type { IdentityReading } from '../identity.js';
import { describeDebugKey } from '../signer-notes.js';
import type { SdkSignature, SignerRecord } from '../types.js';
import { DEFAULT_LIMITS } from '../walk.js';
import { finishJarCheck, openJarCheck, type JarCheck } from '../zip/jar-check.js';
import { withJarSignature } from '../zip/jar-entries.js';
import { isJarSigned, signatureRecord, type ZipSide } from '../zip/zip-side.js';
import type { ExtraSignature, SignatureInspection } from './types.js';

const PAIR_NAMES: Readonly<Record<keyof typeof PAIR_ID, string>> = {
  v2: 'v2 signature',
  v3: 'v3 signature',
  v31: 'v3.1 signature',
  v32: 'v3.2 signature',
  verityPadding: 'padding',
  dependencyInfo: 'dependency information',
  playFrosting: 'Google Play metadata',
  sourceStampV1: 'source stamp 1',
  sourceStampV2: 'source stamp 2',
};

export async function inspectSignature(
  source: ByteSource,
  side: ZipSide,
  identity: IdentityReading['identity'],
  idsig: ByteSource | undefined,
): Promise<SignatureInspection> {
  const { signature: apk, zip } = side;
  const jar = isJarSigned(zip) ? await checkJar(source, side) : undefined;
  const newer = signatureRecord(side);
  const record = jar === undefined ? newer : withJarSignature(newer, side, jar);
  const [minSdk, targetSdk] = [numberOf(identity.minSdk), numberOf(identity.targetSdk)];
  const verdicts = sdkVerdicts(
    { apk, ...(jar === undefined ? {} : { jar }) },
    {
      ...(minSdk === undefined ? {} : { minSdk }),
      ...(targetSdk === undefined ? {} : { targetSdk }),
    },
  );
  return {
    status: record.status,
    schemes: schemesOf(apk, jar),
    bySdk: verdicts.map(({ sdk, scheme, status, signers, codes }): SdkSignature => ({
      minSdk: sdk.from,
      ...(sdk.to === LAST_SDK ? {} : { maxSdk: sdk.to }),
      scheme,
      status,
      signers,
      codes,
    })),
    signers: record.signers.map(shownSigner),
    issues: record.issues.map((issue) => ({ ...issue, message: printable(issue.message) })),
    notes: debugKeyNotes(record.signers),
    ...blockOf(apk),
    stamps: stampsOf(apk),
    ...(idsig === undefined ? {} : { idsig: shownIdsig(checkIdsig(idsig, source, apk.block)) }),
  };
}

async function checkJar(source: ByteSource, { zip }: ZipSide): Promise<JarCheck> {
  const open = openJarCheck(source, zip, DEFAULT_LIMITS);
  try {
    return await finishJarCheck(open);
  } finally {
    await open.digests.close();
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}

function schemesOf({ block }: ApkSignatureCheck, jar: JarCheck | undefined): string[] {
  const has = (id: number): boolean => block?.pairs.some((pair) => pair.id === id) === true;
  return [
    ...(jar === undefined ? [] : ['v1']),
    ...(has(PAIR_ID.v2) ? ['v2'] : []),
    ...(has(PAIR_ID.v3) ? ['v3'] : []),
    ...(has(PAIR_ID.v31) ? ['v3.1'] : []),
  ];
}

function debugKeyNotes(signers: readonly SignerRecord[]): SignatureInspection['notes'] {
  const texts = new Set(signers.flatMap((signer) => describeDebugKey(signer) ?? []));
  return [...texts].map((text) => ({ code: 'debug-key', message: printable(text) }));
}

function shownSigner(signer: SignerRecord): SignerRecord {
  return {
    ...signer,
    subject: printable(signer.subject),
    ...(signer.lineage === undefined
      ? {}
      : { lineage: signer.lineage.map((step) => ({ ...step, subject: printable(step.subject) })) }),
  };
}

function blockOf({ block }: ApkSignatureCheck): Pick<SignatureInspection, 'block'> {
  if (block === undefined) return {};
  return {
    block: {
      offset: block.offset,
      size: block.size,
      pairs: block.pairs.map(({ id, offset, size }) => ({
        id: `0x${id.toString(16).padStart(8, '0')}`,
        name: nameOf(id),
        offset,
        size,
      })),
    },
  };
}

function shownIdsig({ status, signers, rootHash, tree, issues }: IdsigCheck): ExtraSignature {
  const [first] = signers;
  return {
    status,
    ...(first === undefined
      ? {}
      : {
          certificateSha256: first.certificate.sha256,
          subject: printable(first.certificate.subject),
          keyType: first.certificate.keyType,
          keyBits: first.certificate.keyBits,
        }),
    facts: {
      goesWith: signers.map(({ scheme }) => scheme).join(', '),
      rootHash,
      tree: tree ? 'included' : 'not included',
      ...(signers.length > 1
        ? { signers: signers.map(({ certificate }) => certificate.sha256).join(', ') }
        : {}),
    },
    issues: issues.map(({ code, message }) => ({ code, message: printable(message) })),
  };
}

function nameOf(id: number): string {
  const known = Object.entries(PAIR_ID).find(([, other]) => other === id)?.[0];
  return known === undefined ? 'unknown' : PAIR_NAMES[known as keyof typeof PAIR_ID];
}

/** Issues say which stamp they are about only by their code: a file with two stamps is not what anybody writes. */
function stampsOf({ stamps, issues }: ApkSignatureCheck): SignatureInspection['stamps'] {
  const about = issues.filter(({ code }) => code.startsWith('stamp-'));
  return stamps.map((stamp) => ({
    version: stamp.version,
    status: stampStatus(stamp.verified, about),
    certificateSha256: stamp.certificateSha256,
    subject: printable(stamp.subject),
    keyType: stamp.keyType,
    keyBits: stamp.keyBits,
    facts: {
      ...(stamp.schemes.length === 0 ? {} : { schemes: stamp.schemes.map((one) => `v${one}`).join(', ') }),
      ...(stamp.time === undefined ? {} : { time: new Date(stamp.time * 1000).toISOString() }),
      ...(stamp.lineage === undefined ? {} : { lineage: stamp.lineage.join(', ') }),
    },
    issues: stamp.verified ? [] : about.map(({ code, message }) => ({ code, message: printable(message) })),
  }));
}

function stampStatus(verified: boolean, issues: ApkSignatureCheck['issues']): ExtraSignature['status'] {
  if (verified) return 'verified';
  const refuted = issues.some(({ code }) => REFUTED.has(code));
  return refuted ? 'invalid' : 'unchecked';
}

/** The stamp says something that is not so; anything else about it is only not understood. */
const REFUTED: ReadonlySet<string> = new Set([
  'stamp-malformed',
  'stamp-entry',
  'stamp-no-signature',
  'stamp-signature',
  'stamp-scheme',
  'stamp-lineage',
] satisfies ApkSignatureCheck['issues'][number]['code'][]);

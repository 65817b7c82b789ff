// SPDX-License-Identifier: Apache-2.0
/** Programs of Apple's platforms that are nearly right, and everything that reads them. */
import { BufferSource, SliceSource, type ByteSource } from '../../src/bytes.js';
import { checkCodeSignature } from '../../src/formats/code-signature-check.js';
import { encryptedSlices } from '../../src/formats/macho-encryption.js';
import { isFat, readFat } from '../../src/formats/macho-fat.js';
import { layOutMachO } from '../../src/formats/macho-layout.js';
import { readMachO } from '../../src/formats/macho.js';
import { RULE_SETS } from '../../src/model.js';
import { ARM64, buildFat, buildMachO, X86_64 } from '../helpers/build-macho.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { NO_REQUIREMENTS, signatureRange, signMachO } from '../helpers/sign-macho.js';
import type { Numbers } from './real-mutations.js';

const small = { text: Buffer.alloc(64, 'main'), data: Buffer.alloc(32, 'data') };
const built = buildMachO({ ...small, uuid: Buffer.alloc(16, 1), encryption: {} });
const signed = signMachO(built, {
  identity: jarIdentity('rsa'),
  teamId: 'TEAM',
  hashes: ['sha1', 'sha256'],
  requirements: NO_REQUIREMENTS,
  entitlements: '<plist><dict/></plist>',
});
const intel = { cpuType: X86_64, cpuSubtype: 3 };
const slices = [
  { ...intel, file: buildMachO({ ...small, ...intel }) },
  { cpuType: ARM64, file: signed },
];
const SEEDS: readonly Buffer[] = [
  signed,
  signed,
  buildMachO({ ...small, bits: 32 }),
  buildMachO({ ...small, littleEndian: false }),
  buildMachO({ ...small, encryption: { id: 1 } }),
  buildFat(slices),
  buildFat(slices, true),
];
const { offset: SIGNATURE } = signatureRange(signed);

/** Where numbers stand: tables, headers and commands, and the signature. */
function placesOf(bytes: Buffer): number[] {
  const at = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + 4 * i);
  return [...at(0, 160), ...(bytes === signed ? at(SIGNATURE, 100) : [])];
}

export function randomMachO(
  numbers: Numbers,
  damage: (bytes: Buffer, numbers: Numbers, places: readonly number[]) => Buffer,
): Buffer {
  const bytes = numbers.of(SEEDS);
  return damage(bytes, numbers, placesOf(bytes));
}

/** Nothing throws but for what cannot be read, and parts tile the file. */
export function readPrograms(bytes: Buffer): void {
  const source = new BufferSource(bytes);
  encryptedSlices(source);
  if (!isFat(bytes)) return readProgram(source);
  for (const { offset, size } of readFat(source).slices) readProgram(new SliceSource(source, offset, size));
}

function readProgram(source: ByteSource): void {
  const file = readMachO(source);
  const { regions } = layOutMachO(source, file);
  const end = regions.reduce((at, { offset, size }) => (offset === at ? offset + size : Number.NaN), 0);
  if (end !== source.size) throw new Error(`regions end at ${end} of ${source.size}`);
  checkCodeSignature(source, file);
}

/** One that is not the built one, byte for byte or but for a signature, is never the same. */
export async function comparedProgram(bytes: Buffer): Promise<void> {
  const { verdict } = await compareBuffers(bytes, built, { rules: RULE_SETS.appstore });
  if (verdict.kind === 'reproducible' && !bytes.equals(built)) throw new Error('another program is the same');
  const isOne = bytes.equals(signed) || bytes.equals(built);
  if (
    verdict.kind === 'equivalent' &&
    !isOne &&
    !bytes.subarray(0, SIGNATURE).equals(signed.subarray(0, SIGNATURE))
  )
    throw new Error('another program is equivalent');
}

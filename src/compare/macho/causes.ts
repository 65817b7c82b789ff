// SPDX-License-Identifier: Apache-2.0
/** Why a part of a Mach-O file differs, where its own bytes prove it. Explains only: no owner depends on it. */
import type { ByteSource } from '../../bytes.js';
import type { MachOFile } from '../../formats/macho.js';
import { printable } from '../../printable.js';
import type { Cause } from '../types.js';

const MAX_READ = 4 << 20;
const MAX_EVIDENCE = 300;
/** Where builds usually happen; a path below one of them is of the machine and not of the source. */
const BUILD_PATH =
  /(?:\/Users\/|\/Volumes\/|\/private\/|\/var\/folders\/|\/home\/|\/tmp\/)[\x21-\x7e]{3,200}/g;
const COVERAGE = /,__llvm_(?:prf|cov)|^__LLVM_COV/;

export function causeOf(
  kind: string,
  published: ByteSource | undefined,
  rebuilt: ByteSource | undefined,
  p: MachOFile,
  r: MachOFile,
): Cause | undefined {
  if (kind === 'mach-o/LC_UUID' && p.uuid !== undefined && r.uuid !== undefined)
    return { kind: 'build-id', evidence: `UUID ${p.uuid}, rebuilt ${r.uuid}` };
  if (kind === 'mach-o/LC_BUILD_VERSION' || kind.startsWith('mach-o/LC_VERSION_MIN')) {
    const said = ({ builds }: MachOFile): string =>
      builds
        .map(({ platform, minimum, sdk, tools }) =>
          [
            `${platform} ${minimum}`,
            `SDK ${sdk}`,
            ...tools.map(({ name, version }) => `${name} ${version}`),
          ].join(', '),
        )
        .join('; ');
    return { kind: 'toolchain-version', evidence: cut(`published ${said(p)}; rebuilt ${said(r)}`) };
  }
  if (kind === 'mach-o/LC_SOURCE_VERSION')
    return {
      kind: 'toolchain-version',
      evidence: `source version ${p.sourceVersion}, rebuilt ${r.sourceVersion}`,
    };
  if (COVERAGE.test(kind))
    return {
      kind: 'toolchain-version',
      evidence: 'counters of coverage, which one build was instrumented with',
    };
  if (published === undefined || rebuilt === undefined) return undefined;
  if (kind === 'mach-o/LC_ID_DYLIB' && published.size === rebuilt.size)
    return dylibTime(published, rebuilt, p.littleEndian);
  if (published.size > MAX_READ || rebuilt.size > MAX_READ) return undefined;
  const [a, b] = [published, rebuilt].map((source) => Buffer.from(source.read(0, source.size))) as [
    Buffer,
    Buffer,
  ];
  if (kind === 'mach-o/symbols' || kind === 'mach-o/strings')
    return sameInOtherOrder(kind, a, b, p.bits === 64 ? 16 : 12);
  return paths(a, b);
}

/** The third field of the command; linkers write 1, old ones the time. */
function dylibTime(published: ByteSource, rebuilt: ByteSource, littleEndian: boolean): Cause | undefined {
  const [a, b] = [published.read(0, published.size), rebuilt.read(0, rebuilt.size)];
  const rest = (bytes: Buffer): Buffer => Buffer.concat([bytes.subarray(0, 12), bytes.subarray(16)]);
  if (!rest(a).equals(rest(b))) return undefined;
  const time = (bytes: Buffer): number => (littleEndian ? bytes.readUInt32LE(12) : bytes.readUInt32BE(12));
  return { kind: 'timestamp', evidence: `time of the library ${time(a)}, rebuilt ${time(b)}` };
}

function sameInOtherOrder(kind: string, a: Buffer, b: Buffer, entrySize: number): Cause | undefined {
  const parts = (bytes: Buffer): string[] =>
    kind === 'mach-o/strings'
      ? bytes.toString('latin1').split('\0')
      : Array.from({ length: Math.floor(bytes.length / entrySize) }, (_, i) =>
          bytes.toString('latin1', i * entrySize, (i + 1) * entrySize),
        );
  if (a.length !== b.length) return undefined;
  const [x, y] = [parts(a).sort(), parts(b).sort()];
  return x.every((part, i) => part === y[i])
    ? {
        kind: 'order',
        evidence: `the same ${kind === 'mach-o/strings' ? 'strings' : 'symbols'} in another order`,
      }
    : undefined;
}

/** All that differs are directories of the machines that built: without them both sides are the same. */
function paths(a: Buffer, b: Buffer): Cause | undefined {
  const texts = [a, b].map((bytes) => bytes.toString('latin1')) as [string, string];
  const found = texts.map((text) => new Set(text.match(BUILD_PATH) ?? []));
  const [p, r] = found as [Set<string>, Set<string>];
  const [onlyP] = [...p].filter((one) => !r.has(one));
  const [onlyR] = [...r].filter((one) => !p.has(one));
  if (onlyP === undefined || onlyR === undefined) return undefined;
  const [x, y] = texts.map((text) => text.replace(BUILD_PATH, '').replaceAll('\0', '')) as [string, string];
  if (x !== y) return undefined;
  return {
    kind: 'text-content',
    evidence: cut(`paths of the machine that built: ${printable(onlyP)}, rebuilt ${printable(onlyR)}`),
  };
}

function cut(text: string): string {
  return text.length <= MAX_EVIDENCE ? text : `${text.slice(0, MAX_EVIDENCE)}…`;
}

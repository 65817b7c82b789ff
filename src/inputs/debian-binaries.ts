// SPDX-License-Identifier: Apache-2.0
/** Binary packages by name out of the signed index of a suite, whatever source they come from. */
import type { DebianBinary, Sha256 } from '../model.js';
import { parseParagraph, ParagraphStream } from '../formats/deb822.js';
import { readIndex, signedRelease, type DebianContext } from './debian-archive.js';
import { binaryOf } from './debian-index.js';

export interface BinaryLookup {
  readonly suite: string;
  readonly component: string;
  readonly architecture: string;
  readonly packages: readonly string[];
}

export interface DebianBinaries {
  readonly release: {
    readonly sha256: Sha256;
    readonly date: string;
    readonly signedBy: readonly string[];
  };
  /** Every version that the index lists of the packages asked for, in its order; of a name that it lacks none. */
  readonly binaries: readonly DebianBinary[];
}

/** @throws FailedHere `mirror-incomplete`, `network`, `missing-tool` … */
export async function lookUpDebianBinaries(
  { suite, component, architecture, packages }: BinaryLookup,
  context: DebianContext,
): Promise<DebianBinaries> {
  const { release, sha256, signedBy } = await signedRelease(suite, context);
  const wanted = new Set(packages);
  const found = new Map<string, DebianBinary>();
  const reader = (): ParagraphStream =>
    new ParagraphStream((bytes) => {
      // an index has 60,000 paragraphs: only those that are wanted are parsed
      const name = /^Package: *(\S+)/m.exec(bytes.toString('latin1', 0, 512))?.[1];
      if (name !== undefined && !wanted.has(name)) return;
      const binary = binaryOf(parseParagraph(bytes.toString('utf8')));
      if (!wanted.has(binary.package)) return;
      if (binary.architecture !== architecture && binary.architecture !== 'all') return;
      found.set(`${binary.package} ${binary.version} ${binary.architecture}`, binary);
    });
  await readIndex(`${component}/binary-${architecture}/Packages`, reader(), release, context);
  if (!release.allWithEach && release.files.has(`${component}/binary-all/Packages.xz`))
    await readIndex(`${component}/binary-all/Packages`, reader(), release, context);
  return {
    release: { sha256, date: release.date, signedBy },
    binaries: [...found.values()],
  };
}

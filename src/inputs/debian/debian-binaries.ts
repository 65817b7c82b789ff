// SPDX-License-Identifier: Apache-2.0
/** Binary packages by name out of the signed index of a suite, whatever source they come from. */
import { FormatError } from '../../errors.js';
import type { DebianBinary, Sha256 } from '../../model.js';
import { parseParagraph, ParagraphStream } from '../../formats/deb822.js';
import { signedRelease, type DebianContext } from './debian-archive.js';
import { binaryOf } from './debian-index.js';
import { packagesIndexes, readIndex, type IndexContext } from './packages-index.js';
import type { SignedRelease } from './signed-release.js';

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
  lookup: BinaryLookup,
  context: DebianContext,
): Promise<DebianBinaries> {
  const signed = await signedRelease(lookup.suite, context);
  const { release, sha256, signedBy } = signed;
  return {
    release: { sha256, date: release.date, signedBy },
    binaries: await binariesIn(signed, lookup, context),
  };
}

/** @throws FailedHere `index-unreadable` where one package of one version is two files */
export async function binariesIn(
  signed: SignedRelease,
  { component, architecture, packages }: Omit<BinaryLookup, 'suite'>,
  context: IndexContext,
): Promise<readonly DebianBinary[]> {
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
      const key = `${binary.package} ${binary.version} ${binary.architecture}`;
      const known = found.get(key);
      if (known !== undefined && (known.sha256 !== binary.sha256 || known.path !== binary.path))
        throw new FormatError(
          'debian-index',
          'duplicate-binary',
          0,
          `${key} stands twice with different files`,
        );
      found.set(key, binary);
    });
  for (const index of packagesIndexes(signed.release, component, architecture))
    await readIndex(index, reader(), signed, context);
  return [...found.values()];
}

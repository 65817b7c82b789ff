// SPDX-License-Identifier: Apache-2.0
/** The list of resources of a bundle against its files: how many are as they were sealed, which are not, and which none covers. */
import { createHash } from 'node:crypto';
import { BufferSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import type { AppleBundle, BundleFile } from '../../formats/apple-bundle.js';
import { checkCodeResources } from '../../formats/code-resources-check.js';
import { readCodeResources } from '../../formats/code-resources.js';
import { printable } from '../../printable.js';
import type { SealInspection } from './types.js';

const MAX_SHOWN = 200;
const LIST = '_CodeSignature/CodeResources';

/** Never throws for what the files hold. */
export function inspectSeal(
  { codeResources, executable }: AppleBundle,
  files: readonly BundleFile[],
  small: (file: BundleFile) => Buffer | undefined,
): SealInspection | undefined {
  if (codeResources === undefined) return undefined;
  const base = codeResources.slice(0, -LIST.length);
  const own = new Map(
    files.flatMap((file) =>
      file.path.startsWith(base) ? [[file.path.slice(base.length), file] as const] : [],
    ),
  );
  const list = own.get(LIST);
  const bytes = list && small(list);
  if (bytes === undefined) return { unread: 'limits' };
  try {
    const resources = readCodeResources(new BufferSource(bytes));
    const { verified, issues, unsealed } = checkCodeResources(resources, {
      files: [...own].map(([path, { link }]) => (link === undefined ? { path } : { path, link })),
      ...(executable === undefined ? {} : { executable: executable.slice(base.length) }),
      digest: (path, algorithm) => {
        const file = own.get(path);
        const content = file && small(file);
        return content && createHash(algorithm).update(content).digest();
      },
    });
    const found = [
      ...resources.issues.map(({ code, path }) => `${code} ${printable(path)}`),
      ...issues.map(({ code, path }) => `${code} ${printable(path)}`),
    ];
    const loose = unsealed.filter(({ why }) => why !== 'signature' && why !== 'executable');
    return {
      verified,
      issues: found.slice(0, MAX_SHOWN),
      unsealed: loose.slice(0, MAX_SHOWN).map(({ path, why }) => `${printable(path)} (${why})`),
      cut: Math.max(0, found.length - MAX_SHOWN) + Math.max(0, loose.length - MAX_SHOWN),
    };
  } catch (error) {
    if (error instanceof FormatError) return { unread: error.code };
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** `CodeResources` as codesign writes it for a flat bundle, and the bundle as its check sees it. */
import { createHash } from 'node:crypto';
import type { SealedBundle } from '../../src/formats/code-resources-check.js';
import { raw, xmlPlist, type Plain } from './build-plist.js';

export type BundleContents = Readonly<Record<string, Buffer | string | { readonly link: string }>>;

const weight = (value: number): Plain => raw({ kind: 'real', value, bits: 64 });

export const FLAT_RULES: Plain = {
  '^.*': true,
  '^.*\\.lproj/': { optional: true, weight: weight(1000) },
  '^.*\\.lproj/locversion.plist$': { omit: true, weight: weight(1100) },
  '^Base\\.lproj/': { weight: weight(1010) },
  '^version.plist$': true,
};

export const FLAT_RULES_2: Plain = {
  '.*\\.dSYM($|/)': { weight: weight(11) },
  '^(.*/)?\\.DS_Store$': { omit: true, weight: weight(2000) },
  '^.*': true,
  '^.*\\.lproj/': { optional: true, weight: weight(1000) },
  '^.*\\.lproj/locversion.plist$': { omit: true, weight: weight(1100) },
  '^Base\\.lproj/': { weight: weight(1010) },
  '^Info\\.plist$': { omit: true, weight: weight(20) },
  '^PkgInfo$': { omit: true, weight: weight(20) },
  '^embedded\\.provisionprofile$': { weight: weight(20) },
  '^version\\.plist$': { weight: weight(20) },
};

const hash = (content: Buffer | string, algorithm: string): Buffer =>
  createHash(algorithm).update(content).digest();

const isLink = (content: BundleContents[string] | undefined): content is { readonly link: string } =>
  typeof content === 'object' && 'link' in content;

/** The values; write them with `xmlPlist`. */
export function sealed(contents: BundleContents, executable = 'Main'): Record<string, Plain> {
  const paths = Object.keys(contents)
    .filter(
      (path) => path !== executable && !path.startsWith('_CodeSignature/') && !path.startsWith('SC_Info/'),
    )
    .sort();
  const files: Record<string, Plain> = {};
  const files2: Record<string, Plain> = {};
  for (const path of paths) {
    const content = contents[path];
    if (content === undefined) continue;
    const optional = /\.lproj\//.test(path) && !path.startsWith('Base.lproj/') ? { optional: true } : {};
    if (isLink(content)) {
      files2[path] = { ...optional, symlink: content.link };
      continue;
    }
    const sha1 = hash(content, 'sha1');
    files[path] = 'optional' in optional ? { hash: sha1, ...optional } : sha1;
    if (path !== 'Info.plist' && path !== 'PkgInfo')
      files2[path] = { hash: sha1, hash2: hash(content, 'sha256'), ...optional };
  }
  return { files, files2, rules: FLAT_RULES, rules2: FLAT_RULES_2 };
}

export const codeResources = (contents: BundleContents, executable = 'Main'): Buffer =>
  xmlPlist(sealed(contents, executable));

export function bundleOf(contents: BundleContents, executable = 'Main'): SealedBundle {
  return {
    files: Object.entries(contents).map(([path, content]) => ({
      path,
      ...(isLink(content) ? { link: content.link } : {}),
    })),
    executable,
    digest: (path, algorithm) => {
      const content = contents[path];
      return content === undefined || isLink(content) ? undefined : hash(content, algorithm);
    },
  };
}

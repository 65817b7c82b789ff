// SPDX-License-Identifier: Apache-2.0
/** What the files of a set have in common, what they are for, and where they do not agree. */
import { DENSITIES, languageOf, targetingOf } from '../device-specification.js';
import type { FileInspection, Inspection, SetSummary } from './types.js';

const ABI_OF_LIBRARY = /^lib\/([^/]+)\//;

const isApk = ({ format }: FileInspection): boolean => format === 'apk';
const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

function signersOf({ signature }: FileInspection): string[] {
  return sorted((signature?.signers ?? []).map(({ certificateSha256 }) => certificateSha256));
}

/** `undefined` where none of the files is an APK. */
export function setSummary(files: readonly FileInspection[]): SetSummary | undefined {
  const apks = files.filter(isApk);
  if (apks.length === 0) return undefined;
  const common = (of: (file: FileInspection) => string | undefined): string | undefined => {
    const [value, second] = new Set(apks.map(of));
    return second === undefined ? value : undefined;
  };
  const packageId = common(({ identity }) => identity.package);
  const versionCode = common(({ identity }) => identity.versionCode);
  const signers =
    new Set(apks.map((file) => signersOf(file).join(' '))).size === 1 ? apks.flatMap(signersOf) : undefined;
  const targets = apks.flatMap(({ split }) =>
    split?.configuration === undefined ? [] : [targetingOf(split.configuration)],
  );
  const libraries = apks.flatMap((file) =>
    file.libraries.flatMap(({ name }) => ABI_OF_LIBRARY.exec(name)?.[1] ?? []),
  );
  return {
    ...(packageId === undefined ? {} : { package: packageId }),
    ...(versionCode === undefined ? {} : { versionCode }),
    ...(signers === undefined ? {} : { signers: sorted(signers) }),
    splits: apks.filter(({ split }) => split !== undefined).length,
    abis: sorted([...targets.flatMap(({ abis }) => abis), ...libraries]),
    densities: Object.entries(DENSITIES).flatMap(([name, dpi]) =>
      targets.some(({ densities }) => densities.includes(dpi)) ? [name] : [],
    ),
    languages: sorted(targets.flatMap(({ languages }) => languages.map(languageOf))),
  };
}

/** Files that are installed together are of one package, one version and one signer. */
export function disagreementsOf(files: readonly FileInspection[]): Inspection['disagreements'] {
  const apks = files.filter(isApk);
  const values = (of: (file: FileInspection) => string | undefined): string[] => [
    ...new Set(apks.map((file) => of(file) ?? 'none')),
  ];
  const found = (code: string, all: readonly string[]): Inspection['disagreements'] =>
    all.length > 1 ? [{ code, message: all.slice(0, 10).join(', ') }] : [];
  return [
    ...found(
      'packages-differ',
      values(({ identity }) => identity.package),
    ),
    ...found(
      'versions-differ',
      values(({ identity }) => identity.versionCode),
    ),
    ...found(
      'signers-differ',
      values((file) => signersOf(file).join('+')),
    ),
  ];
}

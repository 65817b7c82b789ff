// SPDX-License-Identifier: Apache-2.0
/**
 * `metadata/<package>.yml` of F-Droid, as far as it says how an app is built.
 * https://f-droid.org/docs/Build_Metadata_Reference/
 */
import { z } from 'zod';
import { digits, flag, httpsAddress, list, text, webAddress } from './foreign-parts.js';

export const fdroidBuild = z.looseObject({
  versionName: text,
  versionCode: digits,
  commit: text.optional(),
  disable: text.optional(),
  timeout: digits.optional(),
  sudo: list.optional(),
  subdir: text.optional(),
  submodules: flag.optional(),
  init: list.optional(),
  patch: list.optional(),
  srclibs: list.optional(),
  rm: list.optional(),
  extlibs: list.optional(),
  prebuild: list.optional(),
  scandelete: list.optional(),
  build: list.optional(),
  buildjni: list.optional(),
  gradle: list.optional(),
  gradleprops: list.optional(),
  preassemble: list.optional(),
  output: text.optional(),
  postbuild: list.optional(),
  ndk: list.optional(),
  binary: webAddress.optional(),
  encoding: text.optional(),
});

export const fdroidSchema = z.looseObject({
  RepoType: text.refine((type) => type === 'git', {
    error: 'expected git: sources of another kind cannot be taken over',
  }),
  Repo: httpsAddress,
  AutoName: text.optional(),
  Name: text.optional(),
  WebSite: text.optional(),
  SourceCode: text.optional(),
  Binaries: webAddress.optional(),
  AllowedAPKSigningKeys: list.optional(),
  AutoUpdateMode: text.optional(),
  UpdateCheckMode: text.optional(),
  UpdateCheckData: text.optional(),
  VercodeOperation: list.optional(),
  Disabled: text.optional(),
  NoSourceSince: text.optional(),
  ArchivePolicy: digits.optional(),
  Builds: z.array(fdroidBuild).min(1, { error: 'expected at least one build' }),
});

/** `srclibs/<name>.yml`: a source of another project that a build has beside its own. */
export const srclibSchema = z.looseObject({
  RepoType: text.refine((type) => type === 'git', { error: 'expected git' }),
  Repo: httpsAddress,
  Subdir: list.optional(),
  Prepare: list.optional(),
});

export type FdroidMetadata = z.output<typeof fdroidSchema>;
export type FdroidBuild = z.output<typeof fdroidBuild>;
export type Srclib = z.output<typeof srclibSchema>;

/** By a full commit; older entries have a tag there, and no look-up of a tag gives a versionCode. */
export const isPinned = (build: FdroidBuild): boolean => /^[0-9a-f]{40}$/.test(build.commit ?? '');
/** `{build}`, or the number where the version has none of its own. */
export const codeOf = (build: FdroidBuild): string => (isPinned(build) ? '{build}' : build.versionCode);

/** Of a build: says nothing about how the file is made. */
export const WITHOUT_EFFECT = ['antifeatures', 'novcheck', 'scanignore'];
/** Of the app: for people who look for an app, or read after a build was made. */
export const FOR_READERS = [
  'AllowedAPKSigningKeys AntiFeatures ArchivePolicy AuthorEmail AuthorName AuthorWebSite AutoName AutoUpdateMode Binaries',
  'Bitcoin Builds Categories Changelog CurrentVersion CurrentVersionCode Description Disabled Donate FlattrID IssueTracker',
  'Liberapay LiberapayID License Litecoin MaintainerNotes Name NoSourceSince OpenCollective Provides Repo RepoType',
  'RequiresRoot SourceCode Summary Translation UpdateCheckData UpdateCheckIgnore UpdateCheckMode UpdateCheckName',
  'VercodeOperation WebSite',
].flatMap((line) => line.split(' '));

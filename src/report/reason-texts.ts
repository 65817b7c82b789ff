// SPDX-License-Identifier: Apache-2.0
/** What each reason means for a reader, how to see it for oneself, and what the publisher can do about it. */
import type { AuthenticityReason, UnverifiableReason } from '../model.js';
import type { CauseKind } from '../compare/types.js';

export interface ReasonText {
  /** In front of the detail. */
  readonly meaning: string;
  readonly check: string;
  /** After "The publisher can". */
  readonly publisherCan: string;
}

export const UNVERIFIABLE_TEXTS = {
  'artifact-in-inputs': {
    meaning:
      'the published file, or a part of it, was among the inputs of the build, so that a match would prove nothing',
    check: 'find SOURCE -type f -exec sha256sum {} +   # and look for the digest of the published file',
    publisherCan: 'remove the published file from the source tree and from what the build fetches',
  },
  encrypted: {
    meaning: 'bytes are encrypted',
    check: 'unzip -v PUBLISHED   # or otool -l for the encryption load command',
    publisherCan: 'offer the same file without encryption',
  },
  'environment-gone': {
    meaning: 'something that the build needs is gone from its server',
    check: 'curl -IL ADDRESS   # the address that the detail names',
    publisherCan: 'keep the images, packages and dependencies of a release available',
  },
  'incomplete-set': {
    meaning: 'not every file of the set was there',
    check: 'ls PUBLISHED REBUILT   # and compare the lists',
    publisherCan: 'offer all files of a release in one place',
  },
  limits: {
    meaning: 'a limit of this tool ended the comparison there; the flag that raises it is named',
    check: 'unzip -v PUBLISHED   # sizes of the members',
    publisherCan: 'do nothing here: the limit is ours and can be raised',
  },
  'needs-host': {
    meaning: 'the build needs a machine that was not at hand',
    check: 'uname -sm',
    publisherCan: 'describe a build that runs on a machine that everybody can have',
  },
  'no-published-artifact': {
    meaning: 'no published file could be compared',
    check: 'ls PUBLISHED',
    publisherCan: 'offer the file for download outside of the store',
  },
  'no-source': {
    meaning: 'no source of this app is published',
    check: 'git ls-remote REPOSITORY   # the address that the publisher names',
    publisherCan: 'publish the source',
  },
  'signature-unchecked': {
    meaning: 'the signature of the published file was not checked',
    check: 'apksigner verify --verbose --print-certs PUBLISHED',
    publisherCan: 'sign with APK Signature Scheme v2 or v3 alone',
  },
  'source-missing-for-version': {
    meaning: 'the source of this version is not published',
    check: 'git ls-remote --tags REPOSITORY',
    publisherCan: 'publish the source of this version, with a tag that names it',
  },
  'source-untrusted': {
    meaning: 'the source could not be tied to what the publisher published',
    check: 'git log --oneline -1 COMMIT && git branch -r --contains COMMIT',
    publisherCan: 'tag the commit of a release in its own repository, and sign the tag',
  },
  'transplant-unsupported': {
    meaning:
      'nothing differs in the ledgers, but the published file could not be made again from the rebuilt one',
    check: 'apksigcopier compare PUBLISHED --unsigned REBUILT',
    publisherCan: 'sign with an unchanged apksigner',
  },
  unread: {
    meaning: 'bytes could not be read',
    check: 'cmp PUBLISHED REBUILT',
    publisherCan: 'use documented formats only',
  },
} as const satisfies Record<UnverifiableReason, ReasonText>;

export const AUTHENTICITY_TEXTS = {
  'signature-invalid': {
    meaning: 'its signature does not verify',
    check: 'apksigner verify --verbose PUBLISHED',
    publisherCan: 'say where the genuine file can be had, and its SHA-256',
  },
  'signer-not-pinned': {
    meaning: 'it is signed by somebody else than the recipe expects',
    check: 'apksigner verify --print-certs PUBLISHED',
    publisherCan: 'state which certificates sign its files',
  },
  'other-package': {
    meaning: 'it is another app',
    check: 'aapt2 dump packagename PUBLISHED',
    publisherCan: 'state the package id of its app on this channel',
  },
  'mixed-signers': {
    meaning: 'its parts are signed by different signers, which no Android installs together',
    check: 'for split in PUBLISHED/*.apk; do apksigner verify --print-certs "$split"; done',
    publisherCan: 'say which certificate signs the splits of its app',
  },
  'not-in-index': {
    meaning: 'the signed index of the archive lists another file by this name',
    check: 'apt-get download PACKAGE=VERSION && sha256sum PUBLISHED *.deb',
    publisherCan: 'say where the genuine file can be had, and its SHA-256',
  },
  unsigned: {
    meaning: 'it is not signed, and the recipe expects a signature',
    check: 'apksigner verify --verbose PUBLISHED',
    publisherCan: 'state whether its files on this channel are signed, and by which certificate',
  },
} as const satisfies Record<AuthenticityReason, ReasonText>;

/** After "The publisher can", for the causes that were found; none where nothing can be said. */
export const CAUSE_ADVICE = {
  'build-id': 'pass the same linker options and paths in every build, or drop the build id',
  'built-from-other-commit': 'tag the commit that the file was built from',
  'compiler-version': 'state the exact compiler of the release',
  timestamp: 'set SOURCE_DATE_EPOCH, so that no time of the build enters the file',
  'file-mode': 'set umask and modes in the build',
  'owner-id': 'pack with fixed owners (tar --owner=0 --group=0 --numeric-owner)',
  order: 'sort what the build packs',
  'toolchain-version': 'state the exact versions of the tools of the release',
  'store-protection':
    'turn off automatic protection in the Play Console, or publish the same version where it is not added',
  'derived-from-other-difference': undefined,
  'text-content': undefined,
  unknown: undefined,
} as const satisfies Record<CauseKind, string | undefined>;

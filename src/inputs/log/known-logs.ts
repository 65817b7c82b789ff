// SPDX-License-Identifier: Apache-2.0
/** Transparency logs of APKs whose keys are known. A log is what its key signs; its address may be any copy of it. */

export interface ApkLog {
  readonly name: string;
  /** Who runs it and says with each entry that the file is theirs. */
  readonly operator: string;
  readonly url: string;
  /** Note key; its name is the origin of the log's checkpoints. */
  readonly key: string;
  readonly layout: LogLayout;
  /** Where the key was read. */
  readonly source: string;
}

export type LogLayout =
  /** https://c2sp.org/tlog-tiles: entries in bundles. */
  | { readonly kind: 'tiles' }
  /** As Google's logs until the middle of 2026: the height in the path of tiles, entries in text files. */
  | { readonly kind: 'listing'; readonly files: readonly string[] };

const SOURCE = 'https://developers.google.com/android/binary_transparency/google_apk/log_details';

/** Newest first. */
export const APK_LOGS: readonly ApkLog[] = [
  {
    name: 'Google Product Application Transparency Log 2026/02',
    operator: 'Google',
    url: 'https://www.gstatic.com/android/binary_transparency/google1p/apk/2026/02',
    key: 'android.transparency.goog/google1p/apk/2026/1+fc654374+ATr9NQE0gvOtVfj5cCStUzdlflEp3oZoNHD8pImzPj5O',
    layout: { kind: 'tiles' },
    source: SOURCE,
  },
  {
    name: 'Google Product Application Transparency Log 2026/01 (archived)',
    operator: 'Google',
    url: 'https://www.gstatic.com/android/binary_transparency/google1p/apk/2026/01',
    key: 'gstatic.com/android/binary_transparency/google1p/apk/2026/0+2208f572+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGj+8aHUz+f7XgzlGBQFBxdDKrzl7fo2prXA2FsU42PfYcmHM6Qf3Bdn8R4SKhM5zaS3CNlaK5fohHIVoWdMtzI=',
    layout: { kind: 'listing', files: ['package_info.txt', 'package_info2.txt'] },
    source: SOURCE,
  },
];

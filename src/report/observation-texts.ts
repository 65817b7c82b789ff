// SPDX-License-Identifier: Apache-2.0
/** What each ambiguity of an archive is, what it means for a reader, and how to see it for oneself; see `docs/zip.md`. */
import type { ZipCode } from '../compare/types.js';

export interface ObservationText {
  /** After "has" or "holds". */
  readonly title: string;
  readonly meaning: string;
  /** FILE is put in. */
  readonly check: string;
}

const DETAILS = 'zipdetails FILE';
const LISTING = 'unzip -Z1 FILE | sort | uniq -d';
const NAMES = 'unzip -Z1 FILE | cat -v';
const LONG = 'zipinfo -v FILE';
const TEST = 'unzip -tqq FILE';
const HEAD = 'xxd FILE | head';
const TAIL = 'xxd FILE | tail';

const text = (title: string, meaning: string, check: string): ObservationText => ({ title, meaning, check });
const local = (
  what: string,
  meaning = 'readers that stream see other values than readers of the directory',
) => text(`a local header with ${what}`, meaning, DETAILS);
const refused = (what: string): ObservationText =>
  text(what, 'readers may see other entries or none, so the file was taken as plain bytes', DETAILS);

export const OBSERVATION_TEXTS = {
  'zip/local-name': local('another name than the directory', 'readers disagree about which file this is'),
  'zip/local-flags': local('other flags than the directory'),
  'zip/local-level': local('other level bits than the directory', 'no reader is known to care'),
  'zip/local-method': local('another method than the directory'),
  'zip/local-time': local('another time than the directory'),
  'zip/local-crc32': local('another checksum than the directory'),
  'zip/local-compressed-size': local('another compressed size than the directory'),
  'zip/local-size': local('another size than the directory'),
  'zip/local-version-needed': local(
    'another version needed than the directory',
    'no reader is known to care',
  ),
  'zip/local-extra': local(
    'other extra fields than the directory',
    'readers that use such fields see other values',
  ),
  'zip/descriptor-missing': text(
    'an announced data descriptor that is not there, or lies',
    'readers that need it fail or read something else',
    DETAILS,
  ),
  'zip/descriptor-and-sizes': text(
    'a data descriptor although the local header states the sizes',
    'the same values stand there twice',
    DETAILS,
  ),
  'zip/descriptor-unsigned': text(
    'a data descriptor without its signature',
    'readers have to guess its form',
    DETAILS,
  ),
  'zip/descriptor-ambiguous': text(
    'a checksum that looks like the signature of its descriptor',
    'readers that look for the signature take other values',
    DETAILS,
  ),
  'zip/descriptor-zip64': text(
    'a data descriptor with sizes of 8 bytes that need 4',
    'readers that expect 4 take other values',
    DETAILS,
  ),
  'zip/descriptor-stored': text(
    'a stored entry whose end only a descriptor tells',
    'readers that stream cannot find its end',
    DETAILS,
  ),
  'zip/zip64-extra-unneeded': text(
    'ZIP64 information that no field asks for',
    'most readers pass over it',
    DETAILS,
  ),
  'zip/zip64-extra-length': text(
    'ZIP64 information of another length than its fields need',
    'readers take other values from it',
    DETAILS,
  ),
  'zip/zip64-local': text(
    'a local header that promises ZIP64 sizes it does not have',
    'readers that stream fail or read something else',
    DETAILS,
  ),
  'zip/extra-malformed': text(
    'an extra field that does not parse',
    'some readers refuse the archive, others pass over it',
    DETAILS,
  ),
  'zip/extra-repeated': text(
    'an extra field that is there twice',
    'readers take the first or the last',
    DETAILS,
  ),
  'zip/extra-unicode-path': text(
    'a second name in an extra field (0x7075)',
    'some readers use it in place of the first',
    DETAILS,
  ),
  'zip/extra-unicode-comment': text(
    'a second comment in an extra field (0x6375)',
    'some readers show it in place of the first',
    DETAILS,
  ),
  'zip/padding-not-zero': text(
    'alignment padding that is not zero',
    'bytes that no reader looks at can hold anything',
    DETAILS,
  ),
  'zip/name-empty': text('an entry without a name', 'readers skip or refuse it', NAMES),
  'zip/name-nul': text('a name with a NUL', 'some readers end the name there', NAMES),
  'zip/name-control': text(
    'a name with control or invisible characters',
    'lists show something else than what is there',
    NAMES,
  ),
  'zip/name-parent': text('a name with ..', 'unpacking may write outside of the directory', NAMES),
  'zip/name-absolute': text('an absolute name', 'unpacking may write outside of the directory', NAMES),
  'zip/name-backslash': text('a name with a backslash', 'some readers take it for a slash', NAMES),
  'zip/name-dot': text('a name with . or // in it', 'it is another name for the same place', NAMES),
  'zip/name-not-utf8': text('a name that is no UTF-8', 'readers show and refuse it in their own ways', NAMES),
  'zip/name-not-flagged': text(
    'a name beyond ASCII without the UTF-8 flag',
    'some readers decode it as another code page',
    NAMES,
  ),
  'zip/duplicate-name': text('two entries of one name', 'readers take the first or the last', LISTING),
  'zip/normalised-collision': text(
    'names that lead to one place once resolved',
    'unpacking keeps one of them',
    NAMES,
  ),
  'zip/case-collision': text(
    'names that differ in case only',
    'unpacking on some systems keeps one of them',
    'unzip -Z1 FILE | sort -f | uniq -id',
  ),
  'zip/file-and-directory': text(
    'a file that other names use as a directory',
    'unpacking loses one of them',
    NAMES,
  ),
  'zip/encrypted': text(
    'an entry that is marked as encrypted',
    'Android reads it as it is, other readers ask for a password',
    LONG,
  ),
  'zip/reserved-flags': text('flags without a meaning', 'no reader is known to use them', LONG),
  'zip/unknown-method': text(
    'a compression method other than stored and deflate',
    'Android takes such data as stored, other readers refuse them',
    LONG,
  ),
  'zip/version-needed': text(
    'a higher version needed than anything in it needs',
    'some readers refuse it',
    LONG,
  ),
  'zip/stored-size': text('a stored entry of two different sizes', 'readers take the one or the other', LONG),
  'zip/impossible-size': text('a size that its data cannot decode to', 'readers allocate it, and fail', TEST),
  'zip/directory-with-data': text('a directory with content', 'most readers lose the content', LONG),
  'zip/directory-attribute': text(
    'an entry whose name and attributes disagree about whether it is a directory',
    'readers follow the one or the other',
    LONG,
  ),
  'zip/symlink': text('a symbolic link', 'some readers make a link, others a file with its target', LONG),
  'zip/special-file': text('an entry of a special file type', 'readers make a file of it or refuse', LONG),
  'zip/entry-comment': text('a comment of an entry', 'bytes that no installation looks at', LONG),
  'zip/archive-comment': text('an archive comment', 'bytes that no installation looks at', 'unzip -z FILE'),
  'zip/no-entries': text('no entries', 'some readers refuse an empty archive', 'unzip -l FILE'),
  'zip/prefix': text('bytes before the archive', 'Android refuses it, other readers pass over them', HEAD),
  'zip/prefix-executable': text(
    'another executable file before the archive',
    'a system may run that one instead (CVE-2017-13156)',
    HEAD,
  ),
  'zip/gap': text('bytes between the entries', 'bytes that no reader of the directory looks at', DETAILS),
  'zip/virtual-entry': text(
    'an empty local header that zipflinger leaves where an entry was',
    'readers that stream see an entry without a name',
    DETAILS,
  ),
  'zip/orphan-entry': text(
    'a local header that the directory does not list',
    'readers that stream see an entry more',
    DETAILS,
  ),
  'zip/records-in-gap': text(
    'records of a directory outside of the directory',
    'readers that search backwards or repair may find another archive',
    DETAILS,
  ),
  'zip/directory-gap': text(
    'bytes between the directory and its end record',
    'some readers look for the directory by its offset, others by its size',
    DETAILS,
  ),
  'zip/trailing-bytes': text(
    'bytes after the archive',
    'Android refuses it, other readers pass over them',
    TAIL,
  ),
  'zip/zip64-end-unneeded': text(
    'a ZIP64 end record that the archive does not need',
    'the same values stand there twice',
    DETAILS,
  ),
  'zip/zip64-end-extended': text(
    'a ZIP64 end record with bytes of its own',
    'bytes that no reader looks at',
    DETAILS,
  ),
  'zip/zip64-missing': text(
    'an end record that points to a ZIP64 one that is not there',
    'Android refuses it, other readers take the number as it is',
    DETAILS,
  ),
  'zip/zip64-disk-count': text(
    'a ZIP64 locator that counts no disk',
    'some readers refuse the archive',
    DETAILS,
  ),
  'zip/deflate-slack': text('bytes after the end of a deflate stream', 'bytes that no content shows', TEST),
  'zip/deflate-empty-block': text('needless blocks in a deflate stream', 'room that no content shows', TEST),
  'zip/deflate-padding-bits': text(
    'padding bits that are not zero in a deflate stream',
    'room that no content shows',
    TEST,
  ),
  'zip/deflate-oversize': text(
    'a deflate stream longer than its content',
    'room that no content shows',
    TEST,
  ),
  'zip/no-end-record': refused('no end record'),
  'zip/ambiguous-end-record': refused('several end records'),
  'zip/multi-disk': refused('records of another disk'),
  'zip/entry-count': refused('a count of entries that is wrong'),
  'zip/too-many-entries': refused('more entries than are read'),
  'zip/number-too-large': refused('a number larger than any file'),
  'zip/zip64': refused('ZIP64 records that contradict'),
  'zip/directory-out-of-range': refused('a directory outside of the file'),
  'zip/directory-too-large': refused('a larger directory than is read'),
  'zip/directory-truncated': refused('a directory that is cut'),
  'zip/bad-directory-record': refused('a directory that is none'),
  'zip/local-header-out-of-range': refused('a local header outside of the archive'),
  'zip/no-local-header': refused('no local header where the directory points'),
  'zip/data-out-of-range': refused('data that end outside of the archive'),
  'zip/overlap': refused('entries that share bytes'),
} as const satisfies Record<ZipCode, ObservationText>;

// SPDX-License-Identifier: Apache-2.0
/** Something that cannot be read, put beside a change or in its place, so that the verdict becomes milder. */
import type { CompareOptions } from '../../src/compare/compare.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { CODE, changed, DIFFERS, evilCode, one, type Attack, type Base } from './base.js';

const SOURCE = 'what cannot be read, used as cover';
const options: CompareOptions = { limits: { memberBytes: 20_000 } };
const BOMB = Buffer.alloc(100_000);

/** The published file has `published` beside (or as) its changed code, the rebuilt one `rebuilt`. */
const covered = (
  name: string,
  explanation: string,
  published: ZipMember,
  rebuilt: ZipMember | undefined,
): Attack =>
  one(`cover: ${name}`, 're-signed', explanation, SOURCE, DIFFERS, (base) => ({
    published: base.resign(buildZip([...changed(base, CODE, { data: evilCode }), published])),
    rebuilt: buildZip([...base.members, ...(rebuilt === undefined ? [] : [rebuilt])]),
    options,
  }));

const instead = (name: string, explanation: string, change: (base: Base) => Partial<ZipMember>): Attack =>
  one(`cover: ${name}`, 're-signed', explanation, SOURCE, DIFFERS, (base) => ({
    published: base.resign(buildZip(changed(base, CODE, change(base)))),
    rebuilt: base.unsigned,
    options,
  }));

const bomb = (level: number): ZipMember => ({ name: 'assets/bomb', data: BOMB, level });
const encrypted = (data: string): ZipMember => ({ name: 'assets/secret', data, method: 0, flags: 1 });
const unknown = (data: string): ZipMember => ({ name: 'assets/odd', data, method: 93 });

export const cover: readonly Attack[] = [
  covered('beside a bomb', 'both files have an entry that is too large to read', bomb(1), bomb(9)),
  covered('beside a bomb of its own', 'only the published file has it', bomb(9), undefined),
  covered(
    'beside an encrypted entry',
    'both files have one, of other bytes',
    encrypted('one'),
    encrypted('two'),
  ),
  covered(
    'beside an encrypted entry of its own',
    'only the published file has it',
    encrypted('one'),
    undefined,
  ),
  covered('beside an unknown method', 'both files have one, of other bytes', unknown('one'), unknown('two')),
  instead('code as a bomb', 'the changed code is blown up beyond the limit', () => ({
    data: Buffer.concat([evilCode, BOMB]),
  })),
  instead('code encrypted', 'the changed code has the encryption flag', () => ({ data: evilCode, flags: 1 })),
  instead('code of an unknown method', 'the changed code has a method that nobody knows', () => ({
    data: evilCode,
    method: 93,
  })),
  instead('code as a broken stream', 'a stream that cannot be decoded', () => ({
    raw: Buffer.alloc(300, 0xff),
  })),
  one(
    'cover: broken signature',
    'forged',
    'a signature that cannot be parsed beside changed code',
    SOURCE,
    { kind: 'not-authentic', exit: 3 },
    (base) => {
      const published = Buffer.from(base.resign(buildZip(changed(base, CODE, { data: evilCode }))));
      // the first length inside of the v2 pair
      const at = published.indexOf(Buffer.from('1a870971', 'hex'));
      published.writeUInt32LE(0x7fffffff, at + 4);
      return { published, rebuilt: base.unsigned };
    },
  ),
];

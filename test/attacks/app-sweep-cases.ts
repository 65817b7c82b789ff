// SPDX-License-Identifier: Apache-2.0
/** The small apps of Apple's platforms of the sweep, stored and deflated; a mutated one is packed and signed again throughout. */
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readZip } from '../../src/formats/zip.js';
import { RULE_SETS } from '../../src/model.js';
import { APP, buildIpa, type Program } from '../helpers/build-ipa.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { signMachO } from '../helpers/sign-macho.js';
import type { SweepCase } from './sweep.js';

const STORED = 0;
const sign = { identity: jarIdentity('rsa'), identifier: 'org.example', teamId: 'TEAM' };

const programs = (signing: Partial<Program>): Program[] => [
  {
    directory: APP,
    executable: 'Example',
    spec: {
      text: Buffer.alloc(64, 'main'),
      data: Buffer.alloc(32, 'data'),
      uuid: Buffer.alloc(16, 1),
      encryption: {},
    },
    bundle: { CFBundleIdentifier: 'org.example', CFBundleVersion: '1' },
    ...signing,
  },
];

const TEXT = { [`${APP}/a.txt`]: 'a text' };

export function appSweepCase(method: 0 | 8): SweepCase {
  const ipa = (signing: Partial<Program>): Buffer =>
    buildIpa({ programs: programs(signing), files: TEXT, member: { method } });
  return {
    name: `app, ${method === STORED ? 'stored' : 'deflated'}`,
    published: ipa({ sign }),
    rebuilt: ipa({}),
    options: { rules: RULE_SETS.appstore },
    ...(method === STORED ? { resign } : {}),
  };
}

/** Its files as they are, with the checksums of an archive that is right, and a signature that holds; else as it is. */
function resign(archive: Buffer): Buffer {
  try {
    const members = readZip(new BufferSource(archive)).entries.map((entry): ZipMember => ({
      name: entry.rawName.toString('latin1'),
      data: archive.subarray(entry.dataOffset, entry.dataOffset + entry.compressedSize),
      method: STORED,
    }));
    const info = members.find(({ name }) => name === `${APP}/Info.plist`)?.data ?? '';
    const files = { 1: Buffer.from(info) };
    return buildZip(
      members.map((member) =>
        member.name === `${APP}/Example`
          ? { ...member, data: signMachO(Buffer.from(member.data ?? ''), { ...sign, files }) }
          : member,
      ),
    );
  } catch (error) {
    if (error instanceof FormatError || error instanceof RangeError) return archive;
    throw error;
  }
}

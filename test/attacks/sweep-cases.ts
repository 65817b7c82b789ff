// SPDX-License-Identifier: Apache-2.0
/** The small APKs of the sweep, one for each set of schemes; each at most 12 KB. */
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import {
  contentDigest,
  insertBlock,
  newIdentity,
  signerPair,
  signingBlock,
  type Pair,
} from '../helpers/sign-apk.js';
import { jarEntries, jarIdentity, signJar } from '../helpers/sign-jar.js';
import { stampPairV2 } from '../helpers/sign-stamp.js';
import { smallArsc } from './small-arsc.js';
import type { SweepCase } from './sweep.js';

const DEPENDENCY_INFO = 0x504b4453;

const MEMBERS: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: buildManifest() },
  { name: 'classes.dex', data: Buffer.concat([Buffer.from('dex\n035\0'), Buffer.alloc(300, 'code')]) },
  { name: 'resources.arsc', data: smallArsc(), method: 0, align: 4 },
  { name: 'res/a.txt', data: 'a text', descriptor: 'signed' },
];

type Scheme = 'v1' | 'v2' | 'v3';

function signed(
  name: string,
  schemes: readonly Scheme[],
  more: readonly Pair[] = [],
  rebuilt = buildZip(MEMBERS),
): SweepCase {
  // one key for all schemes
  const jar = jarIdentity();
  const identity = {
    privateKey: jar.privateKey,
    publicKey: createPublicKey(jar.privateKey).export({ type: 'spki', format: 'der' }),
    certificate: jar.certificate,
  };
  const blocks = schemes.filter((scheme) => scheme !== 'v1');
  const resign = (archive: Buffer): Buffer =>
    insertBlock(
      archive,
      signingBlock([...blocks.map((scheme) => signerPair(scheme, archive, [{ identity }])), ...more]),
    );
  if (!schemes.includes('v1')) return { name, published: resign(buildZip(MEMBERS)), rebuilt, resign };
  if (blocks.length === 0) return { name, published: signJar(MEMBERS, jar), rebuilt };
  const entries = jarEntries(MEMBERS, jar, { schemes: blocks.map((scheme) => scheme.slice(1)).join(', ') });
  return { name, published: resign(buildZip([...MEMBERS, ...entries])), rebuilt };
}

/** Its entry as apksigner writes it; whoever re-signs has the key of the stamp as well. */
function stamped(): SweepCase {
  const [identity, stamp] = [newIdentity(), newIdentity()];
  const entry: ZipMember = {
    name: 'stamp-cert-sha256',
    data: createHash('sha256').update(stamp.certificate).digest(),
    flags: 0x0800,
    madeBy: 20,
    time: 0,
    date: 0x0221,
  };
  const resign = (archive: Buffer): Buffer => {
    const pair = stampPairV2({ identity: stamp, schemes: [[2, contentDigest(archive)]] });
    return insertBlock(archive, signingBlock([signerPair('v2', archive, [{ identity }]), pair]));
  };
  const published = resign(buildZip([...MEMBERS, entry]));
  return { name: 'v2 and a stamp', published, rebuilt: buildZip(MEMBERS), resign };
}

/** Without what needs a program. */
export function sweepCases(): readonly SweepCase[] {
  return [
    signed('v1', ['v1']),
    signed('v2', ['v2']),
    signed('v3', ['v3']),
    signed('v1+v2+v3', ['v1', 'v2', 'v3']),
    signed('v2, packed otherwise', ['v2'], [], buildZip(MEMBERS.map((member) => ({ ...member, level: 1 })))),
    signed('dependency info', ['v2', 'v3'], [{ id: DEPENDENCY_INFO, value: Buffer.alloc(200, 'sealed') }]),
    stamped(),
  ];
}

/** With a source stamp; needs apksigner and openssl. */
export function withSourceStamp(): SweepCase {
  const directory = mkdtempSync(path.join(tmpdir(), 'samesource-stamp-'));
  try {
    const rebuilt = buildZip(MEMBERS);
    const [key, stamp] = [makeKey(directory, 'app', 'rsa2048'), makeKey(directory, 'stamp', 'rsa2048')];
    const published = signWithApksigner(directory, rebuilt, {
      keys: [key],
      v3: true,
      extra: ['--stamp-signer', '--key', stamp.key, '--cert', stamp.certificate],
    });
    return { name: 'source stamp', published, rebuilt };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

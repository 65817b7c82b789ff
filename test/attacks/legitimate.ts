// SPDX-License-Identifier: Apache-2.0
/** What publishers and stores do without any harm: it must be accepted, or the table of refusals says nothing. */
import { createPublicKey } from 'node:crypto';
import { expandRules } from '../../src/compare/compare-set.js';
import type { VerdictKind } from '../../src/model.js';
import { buildZip } from '../helpers/build-zip.js';
import {
  insertBlock,
  newIdentity,
  proofOfRotation,
  signerPair,
  signingBlock,
  withPageFill,
  type Identity,
} from '../helpers/sign-apk.js';
import { jarEntries, signJar, type JarIdentity } from '../helpers/sign-jar.js';
import type { Base, Sides } from './base.js';

export interface Legitimate {
  readonly name: string;
  readonly explanation: string;
  readonly make: (base: Base) => Sides;
  readonly expected: Extract<VerdictKind, 'reproducible' | 'equivalent'>;
}

const DEPENDENCY_INFO = 0x504b4453;
const FROSTING = 0x2146444e;

const ofJar = ({ privateKey, certificate }: JarIdentity): Identity => ({
  privateKey,
  publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  certificate,
});

function allSchemes(alias: string): Legitimate {
  return {
    name: `v1+v2+v3, alias ${alias}`,
    explanation: 'signed with three schemes by one key',
    expected: 'reproducible',
    make: ({ members, jar, unsigned }) => {
      const archive = buildZip([
        ...members,
        ...jarEntries(members, jar, { signerName: alias, schemes: '2, 3' }),
      ]);
      const identity = ofJar(jar);
      const pairs = (['v2', 'v3'] as const).map((scheme) => signerPair(scheme, archive, [{ identity }]));
      return { published: insertBlock(archive, signingBlock(pairs)), rebuilt: unsigned };
    },
  };
}

export const legitimate: readonly Legitimate[] = [
  {
    name: 'equal files',
    explanation: 'the publisher’s file on both sides',
    expected: 'reproducible',
    make: ({ signed }) => ({ published: signed, rebuilt: Buffer.from(signed) }),
  },
  {
    name: 'v2+v3',
    explanation: 'signed with the two schemes of today',
    expected: 'reproducible',
    make: ({ signed, unsigned }) => ({ published: signed, rebuilt: unsigned }),
  },
  {
    name: 'a rotated key',
    explanation: 'each of three keys signed for the next one',
    expected: 'reproducible',
    make: ({ unsigned, identity }) => {
      const keys = [identity, newIdentity(), newIdentity()] as const;
      const attributes = [proofOfRotation(keys)];
      return {
        published: insertBlock(
          unsigned,
          signingBlock([
            signerPair('v2', unsigned, [{ identity }]),
            signerPair('v3', unsigned, [{ identity: keys[2], attributes }]),
          ]),
        ),
        rebuilt: unsigned,
      };
    },
  },
  {
    name: 'an archive of APKs',
    explanation: 'as websites hand them out: an icon and a description beside the APK',
    expected: 'reproducible',
    make: ({ signed, unsigned }) => ({
      published: {
        'app.xapk': buildZip([
          { name: 'manifest.json', data: '{}' },
          { name: 'base.apk', data: signed, method: 0 },
          { name: 'icon.png', data: 'an icon', descriptor: 'signed' },
        ]),
      },
      rebuilt: { 'app.xapk': buildZip([{ name: 'base.apk', data: unsigned, method: 0 }]) },
    }),
  },
  {
    name: 'v2 on a page boundary',
    explanation: 'zeros before the signing block, as apksigner writes them',
    expected: 'reproducible',
    make: ({ unsigned, identity }) => {
      const archive = withPageFill(unsigned);
      const block = signingBlock([signerPair('v2', archive, [{ identity }])]);
      return { published: insertBlock(archive, block), rebuilt: unsigned };
    },
  },
  allSchemes('CERT'),
  allSchemes('RELEASEK'),
  {
    name: 'v1 alone',
    explanation: 'an old app: what such a signature leaves open is said beside the verdict',
    expected: 'equivalent',
    make: ({ members, jar, unsigned }) => ({ published: signJar(members, jar), rebuilt: unsigned }),
  },
  {
    name: 'dependency information',
    explanation: 'a pair that only Google can read',
    expected: 'equivalent',
    make: ({ resign, unsigned }) => ({
      published: resign(unsigned, { id: DEPENDENCY_INFO, value: Buffer.alloc(300, 7) }),
      rebuilt: unsigned,
    }),
  },
  {
    name: 'Play: frosting and stamp',
    explanation: 'what Google Play adds, with the rules for it',
    expected: 'equivalent',
    make: ({ members, resign, unsigned }) => ({
      published: resign(
        buildZip([...members, { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 }]),
        { id: FROSTING, value: Buffer.alloc(100, 9) },
      ),
      rebuilt: unsigned,
      options: { rules: expandRules(['play-frosting', 'play-stamp-cert']) },
    }),
  },
  {
    name: 'packed otherwise',
    explanation: 'the same contents at another level',
    expected: 'equivalent',
    make: ({ members, resign, unsigned }) => ({
      published: resign(buildZip(members.map((member) => ({ ...member, level: 1 })))),
      rebuilt: unsigned,
    }),
  },
];

// SPDX-License-Identifier: Apache-2.0
/** An app of 38 MB with a program of 54 MB, and the same signed by somebody else; its code is that of the Node program. */
import { openSync, readSync, closeSync, writeFileSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { APP, buildIpa } from '../test/helpers/build-ipa.js';
import { jarIdentity } from '../test/helpers/sign-jar.js';
import { codeResources } from '../test/helpers/seal-bundle.js';
import type { InputMaker } from './make-inputs.js';

const PROGRAM = 54e6;
const ARCHIVE = 38e6;
const BUNDLE = {
  CFBundleIdentifier: 'org.example',
  CFBundleShortVersionString: '1.2.3',
  CFBundleVersion: '45',
};

/** Published and rebuilt. */
export async function appleApps(maker: InputMaker): Promise<readonly [string, string]> {
  let parts: Parts | undefined;
  const write = (teamId: string) => (to: string) => {
    parts ??= makeParts();
    writeFileSync(to, app(parts, teamId));
  };
  return [
    await maker.make('54mb-program.ipa', write('STORE')),
    await maker.make('54mb-program-twin.ipa', write('OURS')),
  ];
}

interface Parts {
  readonly text: Buffer;
  readonly resource: Buffer;
}

/** What does not compress fills the archive up to its size. */
function makeParts(): Parts {
  const text = Buffer.alloc(PROGRAM);
  const file = openSync(process.execPath, 'r');
  try {
    for (let at = 0; at < PROGRAM;) {
      const read = readSync(file, text, at, PROGRAM - at, at % (40 << 20));
      if (read === 0) break;
      at += read;
    }
  } finally {
    closeSync(file);
  }
  const rest = ARCHIVE - app({ text, resource: Buffer.alloc(0) }, 'OURS').length;
  return { text, resource: randomFillSync(Buffer.alloc(Math.max(0, rest))) };
}

function app({ text, resource }: Parts, teamId: string): Buffer {
  const identity = jarIdentity('rsa');
  const files = { 'a.bin': resource, 'b.txt': 'b' };
  return buildIpa({
    programs: [
      {
        directory: APP,
        executable: 'Example',
        spec: { text, uuid: Buffer.alloc(16, 1), encryption: {}, page: 0x4000 },
        bundle: BUNDLE,
        sign: { identity, identifier: 'org.example', teamId, room: 1 << 20, pageShift: 12 },
      },
    ],
    files: {
      ...Object.fromEntries(Object.entries(files).map(([name, data]) => [`${APP}/${name}`, data])),
      [`${APP}/_CodeSignature/CodeResources`]: codeResources(files),
    },
  });
}

// SPDX-License-Identifier: Apache-2.0
/** Real programs of macOS, iOS and the simulator against themselves, signed anew and changed. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { readMachO } from '../../../src/formats/macho.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { jarIdentity } from '../../helpers/sign-jar.js';
import { signMachO } from '../../helpers/sign-macho.js';

const PREBUILDS = path.resolve('node_modules/bare-os/prebuilds');
const identity = jarIdentity('rsa');

for (const name of readdirSync(PREBUILDS).filter((one) => /^(?:darwin|ios)-/.test(one)))
  test(`${name}: signed anew it is equivalent, with one byte of code more or less it is not`, async (t) => {
    const real = readFileSync(path.join(PREBUILDS, name, 'bare-os.bare'));
    const signed = signMachO(real, { identity, teamId: 'TEAM' });
    for (const [published, rebuilt] of [
      [signed, real],
      [real, signed],
    ] as const)
      t.is((await compareBuffers(published, rebuilt)).verdict.kind, 'equivalent');
    const section = readMachO(new BufferSource(real))
      .segments.flatMap(({ sections }) => sections)
      .find((one) => one.name === '__text');
    const changed = Buffer.from(real);
    const at = (section?.offset ?? 0) + 8;
    changed[at] = (changed[at] ?? 0) ^ 1;
    const evil = signMachO(changed, { identity, teamId: 'TEAM' });
    t.is((await compareBuffers(evil, real)).verdict.kind, 'unreproducible');
  });

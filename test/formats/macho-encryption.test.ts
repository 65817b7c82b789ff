// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { encryptedSlices, LARGEST_COMMANDS, sizeOfCommands } from '../../src/formats/macho-encryption.js';
import { ARM64, buildFat, buildMachO } from '../helpers/build-macho.js';

const encrypted = buildMachO({ encryption: { id: 1 } });
const slicesOf = (bytes: Buffer) => encryptedSlices(new BufferSource(bytes));

test('what a program encrypts, by itself and as a slice', (t) => {
  const [slice] = slicesOf(encrypted).slices;
  t.true((slice?.size ?? 0) > 0);
  t.deepEqual(slicesOf(buildFat([{ cpuType: ARM64, file: encrypted }])), {
    slices: [{ architecture: slice?.architecture ?? '', size: slice?.size ?? 0 }],
    isUnread: false,
  });
  t.deepEqual(slicesOf(buildMachO({ encryption: {} })), { slices: [], isUnread: false });
});

test('a program that ends anywhere in its header or its commands, alone and as a slice, is none or is read', (t) => {
  const fat = buildFat([{ cpuType: ARM64, file: encrypted }]);
  const start = fat.readUInt32BE(16);
  for (let length = 0; length < 400; length++) {
    t.notThrows(() => slicesOf(encrypted.subarray(0, length)), String(length));
    t.notThrows(() => slicesOf(fat.subarray(0, start + length)), String(length));
    t.notThrows(() => sizeOfCommands(encrypted.subarray(0, length)), String(length));
  }
});

test('more commands than are read: nobody can say it, and they are not read', (t) => {
  const long = Buffer.from(encrypted);
  long.writeUInt32LE(LARGEST_COMMANDS - 32, 20);
  t.false(slicesOf(long).isUnread);
  long.writeUInt32LE(LARGEST_COMMANDS - 31, 20);
  t.deepEqual(slicesOf(long), { slices: [], isUnread: true });
  t.true(slicesOf(buildFat([{ cpuType: ARM64, file: long }])).isUnread);
});

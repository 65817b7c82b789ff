// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { FailedHere } from '../../src/errors.js';
import { assertRoom } from '../../src/inputs/room.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('what fits passes', async (t) => {
  await t.notThrowsAsync(assertRoom({ diskMiB: 1, memoryMiB: 16 }, temporaryDirectory(t)));
});

test('too little disk or memory is our failure, with both numbers', async (t) => {
  const directory = temporaryDirectory(t);
  await t.throwsAsync(assertRoom({ diskMiB: 2 ** 40, memoryMiB: 1 }, directory), {
    instanceOf: FailedHere,
    code: 'disk-full',
    message: /needs 1099511627776 MiB of disk, \d+ MiB are free/,
  });
  await t.throwsAsync(assertRoom({ diskMiB: 1, memoryMiB: 2 ** 40 }, directory), {
    instanceOf: FailedHere,
    code: 'out-of-memory',
    message: /needs 1099511627776 MiB of memory, this machine has \d+ MiB/,
  });
});

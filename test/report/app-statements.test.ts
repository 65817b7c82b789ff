// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { PairComparison } from '../../src/compare/types.js';
import { appStatements } from '../../src/report/app-statements.js';
import { buildZip } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';

const APP = 'Payload/A.app';
const FILES = { [`${APP}/Main`]: 'program', [`${APP}/a.txt`]: 'a', [`${APP}/b.txt`]: 'b' };
const zip = (files: Readonly<Record<string, string>>): Buffer =>
  buildZip(Object.entries(files).map(([name, data]) => ({ name, data })));

async function pairOf(
  published: Readonly<Record<string, string>>,
  change: Partial<PairComparison> = {},
): Promise<PairComparison> {
  const { pair } = await compareBuffers(zip(published), zip(FILES));
  return { ...pair, ...change };
}

const said = (pair: PairComparison): (readonly [string, string, readonly string[]])[] =>
  appStatements(pair, '/p').map(({ code, sentence, basis }) => [code, sentence, basis] as const);

test('what was shown is counted by members', async (t) => {
  const [shown] = said(await pairOf({ ...FILES, [`${APP}/a.txt`]: 'other', [`${APP}/c.txt`]: 'c' }));
  t.is(shown?.[0], 'app-shown');
  t.regex(shown?.[1] ?? '', /2 of 4 members hold the same on both sides, 0 more do but .* and 2 do not/);
  t.deepEqual(shown?.[2], ['/statement/p/nodes/0/members']);
});

test('what FairPlay encrypts was not shown', async (t) => {
  const encrypted = (program: string) =>
    ({ code: 'encrypted', detail: `${program}: 12288 of 20000 bytes` }) as const;
  const pair = await pairOf(
    { ...FILES, [`${APP}/a.txt`]: 'other' },
    { unverifiable: [{ code: 'unread', detail: 'x' }, encrypted('Main'), encrypted('Share')] },
  );
  const [, not] = said(pair);
  t.is(not?.[0], 'app-not-shown');
  t.regex(
    not?.[1] ?? '',
    /2 programs of published, which FairPlay encrypts .*\(Main: 12288 of 20000 bytes, Share: 12288 of 20000 bytes\)/,
  );
  t.deepEqual(not?.[2], ['/statement/p/unverifiable/1', '/statement/p/unverifiable/2']);
});

test('an app that somebody decrypted', async (t) => {
  for (const [trace, text] of [
    [`${APP}/SC_Info/Main.sinf`, /the key .*Main.sinf beside a program that is not encrypted/],
    [`${APP}/Frameworks/X.framework/SC_Info/X.sinf`, /the key .*X.sinf/],
    [`${APP}/CrackerXI`, /CrackerXI's file/],
  ] as const) {
    const pair = await pairOf({ ...FILES, [trace]: 'x' });
    const [, not, more] = said(pair);
    t.is(not?.[0], 'app-decrypted');
    t.regex(not?.[1] ?? '', /^Not shown: that somebody decrypted programs .*the decryption was not ours/);
    t.regex(not?.[1] ?? '', text);
    t.is(more, undefined);
    const at = Number(not?.[2][0]?.split('/').at(-1));
    t.is(pair.nodes[0]?.members[at]?.name, trace);
  }
});

const HASHES = { kind: 'unread', path: ['Main'], code: 'hash-of-ciphertext', detail: 'x' } as const;
const MINIMUM = {
  kind: 'field',
  path: [`${APP}/Info.plist`],
  field: 'plist/MinimumOSVersion',
  published: '"10.0"',
  rebuilt: '"15.0"',
  owner: 'different',
} as const;

test('another lowest system is a trace beside others', async (t) => {
  const files = { ...FILES, [`${APP}/a.txt`]: 'b' };
  const [, not] = said(await pairOf(files, { differences: [MINIMUM, HASHES] }));
  t.regex(
    not?.[1] ?? '',
    /Main was signed as it was encrypted, MinimumOSVersion "10.0" in place of "15.0" in/,
  );
  t.deepEqual(not?.[2], ['/statement/p/differences/1', '/statement/p/differences/0']);
  const [, alone] = said(await pairOf(files, { differences: [MINIMUM] }));
  t.is(alone?.[0], 'app-not-shown');
});

test('one program is encrypted and another one was decrypted', async (t) => {
  const encrypted = { code: 'encrypted', detail: 'Share: 12288 of 20000 bytes' } as const;
  const pair = await pairOf(
    { ...FILES, [`${APP}/a.txt`]: 'b', [`${APP}/SC_Info/Main.sinf`]: 'x' },
    { differences: [HASHES], unverifiable: [encrypted] },
  );
  const [, not, more] = said(pair);
  t.is(not?.[0], 'app-not-shown');
  t.is(more?.[0], 'app-decrypted');
  t.notRegex(more?.[1] ?? '', /sinf/);
});

test('an app of which nothing tells that it comes from the App Store', async (t) => {
  const [, not] = said(await pairOf({ ...FILES, [`${APP}/CrackerXI.txt`]: 'x' }));
  t.regex(not?.[1] ?? '', /^Not shown: anything of what the App Store delivers/);
});

test('of another archive nothing is said', async (t) => {
  t.deepEqual(said(await pairOf({ 'Payload/x': 'a', 'X/Payload/A.app/Main': 'b' })), []);
});

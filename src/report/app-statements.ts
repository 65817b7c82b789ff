// SPDX-License-Identifier: Apache-2.0
/** Of an app for Apple's platforms, in two sentences: what was shown, and what was not. */
import type { Member, PairComparison } from '../compare/types.js';
import { clause, count, quoted, say, some } from './say.js';
import type { Statement } from './types.js';

const IN_APP = /^Payload\/[^/]+\.app\//;
/** The key beside a program that was encrypted. */
const STORE_KEY = /^Payload\/[^/]+\.app\/(?:.*\/)?SC_Info\/[^/]+\.sinf$/;
/** What a tool of that name leaves in the app. */
const CRACKER = /^Payload\/[^/]+\.app\/(?:.*\/)?CrackerXI$/;
const SHOWN = 5;

export function appStatements(pair: PairComparison, base: string): Statement[] {
  const members = pair.nodes[0]?.members ?? [];
  if (!members.some(({ name, published }) => published !== undefined && IN_APP.test(name))) return [];
  return [shown(pair, members, base), ...notShown(pair, members, base)];
}

function shown({ published }: PairComparison, members: readonly Member[], base: string): Statement {
  const of = (...owners: readonly Member['owner'][]): number =>
    members.filter(({ owner }) => owners.includes(owner)).length;
  const same = of('identical', 'reencoded');
  const ruled = of('signature', 'excluded');
  const rest = members.length - same - ruled;
  return say(
    'app-shown',
    `Shown of the app in ${published.name}: ${same} of ${count(members.length, 'member')} hold the same on both sides, ${ruled} more do but for bytes of signatures and of named rules, and ${rest} ${rest === 1 ? 'does' : 'do'} not or could not be read; a program counts with all of its slices.`,
    [`${base}/nodes/0/members`],
    `unzip -v ${quoted(published.name)}   # the CRC of each member; the same of the rebuilt file`,
  );
}

function notShown(pair: PairComparison, members: readonly Member[], base: string): Statement[] {
  const { published, unverifiable } = pair;
  const check = `unzip -p ${quoted(published.name)} PROGRAM > program; llvm-objdump --macho --private-headers program | grep -A 5 LC_ENCRYPTION_INFO`;
  const list: Statement[] = [];
  const encrypted = [...unverifiable.entries()].filter(([, { code }]) => code === 'encrypted');
  if (encrypted.length > 0)
    list.push(
      say(
        'app-not-shown',
        `Not shown: what runs of ${count(encrypted.length, 'program')} of ${published.name}, which FairPlay encrypts and only a device of Apple's can read (${some(
          encrypted.map(([, { detail }]) => clause(detail)),
          SHOWN,
        )}).`,
        encrypted.map(([at]) => `${base}/unverifiable/${at}`),
        check,
      ),
    );
  const traces = tracesOf(pair, members, base, encrypted.length > 0);
  if (traces.length > 0)
    list.push(
      say(
        'app-decrypted',
        `Not shown: that somebody decrypted programs of ${published.name} rightly; they were encrypted by the App Store, are not now, and the decryption was not ours. It left traces: ${some(
          traces.map(({ text }) => text),
          SHOWN,
        )}.`,
        traces.map(({ pointer }) => pointer),
        check,
      ),
    );
  if (list.length > 0) return list;
  return [
    say(
      'app-not-shown',
      `Not shown: anything of what the App Store delivers as ${published.name}: it encrypts programs, and no program of this file is encrypted.`,
      [`${base}/unverifiable`],
      check,
    ),
  ];
}

interface Trace {
  readonly text: string;
  readonly pointer: string;
}

/** Keys of the store are one only where nothing is encrypted; another lowest system only beside another trace. */
function tracesOf(
  { differences }: PairComparison,
  members: readonly Member[],
  base: string,
  isEncrypted: boolean,
): Trace[] {
  const traces: Trace[] = [];
  for (const [at, difference] of differences.entries())
    if (difference.kind === 'unread' && difference.code === 'hash-of-ciphertext')
      traces.push({
        text: `${difference.path.join(' > ')} was signed as it was encrypted`,
        pointer: `${base}/differences/${at}`,
      });
  for (const [at, { name, published }] of members.entries()) {
    const pointer = `${base}/nodes/0/members/${at}`;
    if (published === undefined) continue;
    if (CRACKER.test(name)) traces.push({ text: `CrackerXI's file ${name}`, pointer });
    else if (!isEncrypted && STORE_KEY.test(name))
      traces.push({ text: `the key ${name} beside a program that is not encrypted (cryptid 0)`, pointer });
  }
  if (traces.length > 0)
    for (const [at, difference] of differences.entries())
      if (difference.kind === 'field' && difference.field === 'plist/MinimumOSVersion')
        traces.push({
          text: `MinimumOSVersion ${clause(difference.published)} in place of ${clause(difference.rebuilt)} in ${difference.path.join(' > ')}`,
          pointer: `${base}/differences/${at}`,
        });
  return traces;
}

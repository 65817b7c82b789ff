// SPDX-License-Identifier: Apache-2.0
/** Of an app for Apple's platforms, in two sentences: what was shown, and what was not. */
import type { Member, PairComparison } from '../compare/types.js';
import { clause, count, quoted, say } from './say.js';
import type { Statement } from './types.js';

const IN_APP = /^Payload\/[^/]+\.app\//;
/** What is beside a program that was encrypted, and what tools that decrypt leave. */
const DECRYPTED = /^Payload\/[^/]+\.app\/(?:.*\/)?(?:SC_Info\/[^/]+\.sinf|CrackerXI)$/;

export function appStatements(pair: PairComparison, base: string): Statement[] {
  const members = pair.nodes[0]?.members ?? [];
  if (!members.some(({ name, published }) => published !== undefined && IN_APP.test(name))) return [];
  return [shown(pair, members, base), notShown(pair, members, base)];
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

function notShown(
  { published, unverifiable, differences }: PairComparison,
  members: readonly Member[],
  base: string,
): Statement {
  const check = `unzip -p ${quoted(published.name)} PROGRAM > program; llvm-objdump --macho --private-headers program | grep -A 5 LC_ENCRYPTION_INFO`;
  const encrypted = [...unverifiable.entries()].filter(([, { code }]) => code === 'encrypted');
  const [first] = encrypted;
  if (first !== undefined)
    return say(
      'app-not-shown',
      `Not shown: what runs of ${count(encrypted.length, 'program')} of ${published.name}, which FairPlay encrypts and only a device of Apple's can read (${clause(first[1].detail)}${encrypted.length > 1 ? `, and ${encrypted.length - 1} more` : ''}).`,
      encrypted.map(([at]) => `${base}/unverifiable/${at}`),
      check,
    );
  const trace = members.findIndex(({ name, published: own }) => own !== undefined && DECRYPTED.test(name));
  const finding = differences.findIndex(
    (difference) => difference.kind === 'unread' && difference.code === 'hash-of-ciphertext',
  );
  if (trace !== -1 || finding !== -1)
    return say(
      'app-not-shown',
      `Not shown: that somebody decrypted the programs of ${published.name} rightly; they were encrypted by the App Store, are not now, and that was not done here.`,
      [trace === -1 ? `${base}/differences/${finding}` : `${base}/nodes/0/members/${trace}`],
      check,
    );
  return say(
    'app-not-shown',
    `Not shown: anything of what the App Store delivers as ${published.name}: it encrypts programs, and no program of this file is encrypted.`,
    [`${base}/unverifiable`],
    check,
  );
}

// SPDX-License-Identifier: Apache-2.0
/** What the phases got over the network, in sentences. */
import type { FetchedWorld, Unrecorded } from '../model.js';
import { count, some } from './say.js';
import type { RunRecord, Statement } from './types.js';

const SHOWN = 10;

const NOT_RECORDED = {
  all: 'anything',
  'image-build': 'what the build of the image fetched',
  tunnel: 'what went through encrypted connections',
  'other-protocol': 'what was neither HTTP nor HTTPS',
  'certificate-refused':
    'what was asked of hosts by programs that did not trust the certificate of the proxy',
  'not-http': 'what was no request that a proxy could understand',
  'too-many': 'requests beyond the limit',
} as const satisfies Record<Unrecorded['code'], string>;

export function fetchedStatements({ fetched = [] }: Omit<RunRecord, 'statements'>): Statement[] {
  return fetched.flatMap((world, at) => [...recorded(world, at), ...unrecorded(world, at)]);
}

function recorded({ phase, from, count: requests, bytes }: FetchedWorld, at: number): Statement[] {
  if (requests === 0) return [];
  const where = from === 'network' ? 'over the network' : 'from an earlier record, without the network';
  return [
    {
      code: from === 'network' ? 'fetched' : 'fetched-from-record',
      sentence: `The ${phase} phase asked ${requests === 1 ? 'once' : `${requests} times`} ${where} and got ${count(bytes, 'byte')}; each answer is recorded with its address and SHA-256.`,
      basis: [`/run/fetched/${at}`],
      check: 'fetch the addresses again and compare the SHA-256',
    },
  ];
}

function unrecorded({ phase, unrecorded: list }: FetchedWorld, at: number): Statement[] {
  const codes = [...new Set(list.map(({ code }) => code))];
  return codes.map((code) => {
    const of = list.filter((one) => one.code === code);
    const bytes = of.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
    return {
      code: `not-recorded-${code}`,
      sentence: `Not recorded of the ${phase} phase: ${NOT_RECORDED[code]} (${some(
        of.map(({ what }) => what),
        SHOWN,
      )}${bytes === 0 ? '' : `; ${count(bytes, 'byte')}`}).`,
      basis: [`/run/fetched/${at}/unrecorded`],
      check: 'build it again and watch its network',
    };
  });
}

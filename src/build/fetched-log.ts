// SPDX-License-Identifier: Apache-2.0
/** What a phase fetched, as lines beside its log: a run that ends without a report keeps logs and nothing else. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { FetchedWorld } from '../model.js';
import { printable } from '../printable.js';

/** A second try of the phase is added. That it cannot be written costs nothing. */
export async function writeFetched(directory: string, world: FetchedWorld): Promise<void> {
  const file = path.join(directory, 'logs', `fetched-${world.phase}.log`);
  await fs
    .mkdir(path.dirname(file), { recursive: true })
    .then(() => fs.appendFile(file, fetchedLines(world)))
    .catch(() => undefined);
}

function fetchedLines({ from, count, bytes, requests, record, unrecorded }: FetchedWorld): string {
  const more = count - requests.length;
  return [
    `${count} requests, ${bytes} bytes, answered by the ${from}${record === undefined ? '' : `, in full sha256:${record}`}`,
    ...requests.map(
      ({ method, url, status, size, sha256, time, problem }) =>
        `${time} ${method} ${url} ${status ?? '-'} ${size} ${sha256 === undefined ? '-' : `sha256:${sha256}`}${problem === undefined ? '' : ` ${problem}`}`,
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...unrecorded.map(({ code, what, count: times }) => `not recorded: ${code} ${what}, ${times} times`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

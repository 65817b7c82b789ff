// SPDX-License-Identifier: Apache-2.0
/** What an attempt kept, to be packed: why it failed, its plan, its logs. Texts of this machine were taken out when it was kept. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { sha256OfFile } from '../inputs/cache.js';
import { Names, textFile, type Packed } from './pack-files.js';
import type { PackedFile } from './pack-archive.js';

const MAX_FAILURE = 64 << 20;

/** @throws UsageError `not-an-attempt`; FailedHere `unreadable-input` */
export async function attemptFiles(directory: string): Promise<Packed> {
  const text = readText(path.join(directory, 'failure.json'), MAX_FAILURE);
  const { failure, plan } = parsed(directory, text);
  const run = new Names().plain(path.basename(path.resolve(directory)));
  const files: PackedFile[] = [
    textFile(
      'failure.json',
      'why there is no verdict: class, message, what is known of it, plan and machine',
      text,
    ),
  ];
  if (plan !== undefined)
    files.push(
      textFile('plan.json', 'what was to be built and how', `${JSON.stringify(plan, undefined, 2)}\n`),
    );
  const logs = path.join(directory, 'logs');
  const names = new Names();
  for (const entry of await fs.readdir(logs, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const file = path.join(logs, entry.name);
    const { size, sha256 } = await sha256OfFile(file);
    files.push({
      name: `logs/${names.plain(entry.name)}`,
      what: 'what a phase printed',
      size,
      sha256,
      content: { file },
    });
  }
  return {
    title: `an attempt that ended without a verdict (${failure})`,
    root: `samesource-attempt-${run}`,
    files,
    missing: ['a verdict: a failure on our side says nothing about the publisher'],
  };
}

function parsed(directory: string, text: string): { readonly failure: string; readonly plan?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { failure, plan } = (value ?? {}) as {
    readonly failure?: { readonly class?: unknown };
    readonly plan?: unknown;
  };
  if (typeof failure?.class !== 'string')
    throw new UsageError('not-an-attempt', `${directory} has no failure.json that a run kept`);
  return { failure: failure.class, ...(plan === undefined ? {} : { plan }) };
}

// SPDX-License-Identifier: Apache-2.0
/** An attack through the operation of the command line, and every code that its report holds. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exitCodeFor } from '../../src/cli/exit-code.js';
import { compareSet } from '../../src/compare/compare-set.js';
import type { SetComparison } from '../../src/compare/types.js';
import { decideVerdict } from '../../src/compare/verdict.js';
import { localFiles } from '../../src/inputs/local-files.js';
import type { Verdict } from '../../src/model.js';
import type { Side, Sides } from './base.js';

export interface Judged {
  readonly verdict: Verdict;
  readonly exit: number;
  readonly codes: ReadonlySet<string>;
  readonly comparison: SetComparison;
}

/** Writes a side below the directory; the path of the file or of the directory with its files. */
export function writeSide(directory: string, name: string, side: Side): string {
  const target = path.join(directory, Buffer.isBuffer(side) ? `${name}.apk` : name);
  if (Buffer.isBuffer(side)) writeFileSync(target, side);
  else {
    mkdirSync(target);
    for (const [file, bytes] of Object.entries(side)) writeFileSync(path.join(target, file), bytes);
  }
  return target;
}

export async function judge({ published, rebuilt, options }: Sides): Promise<Judged> {
  const directory = mkdtempSync(path.join(tmpdir(), 'samesource-attack-'));
  try {
    const comparison = await compareSet(
      {
        published: await localFiles(writeSide(directory, 'published', published)),
        rebuilt: await localFiles(writeSide(directory, 'rebuilt', rebuilt)),
      },
      options,
    );
    const verdict = decideVerdict({ comparison, unverifiable: [], notAuthentic: [] });
    return { verdict, exit: exitCodeFor(verdict), codes: codesOf(verdict, comparison), comparison };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function codesOf(verdict: Verdict, { pairs }: SetComparison): ReadonlySet<string> {
  const codes = new Set<string>('reasons' in verdict ? verdict.reasons.map(({ code }) => code) : []);
  for (const pair of pairs) {
    for (const { code } of pair.signature.issues) codes.add(code);
    for (const difference of pair.differences) {
      codes.add(difference.kind);
      if ('code' in difference) codes.add(difference.code);
      if ('region' in difference) codes.add(difference.region);
      if ('field' in difference) codes.add(difference.field);
    }
  }
  return codes;
}

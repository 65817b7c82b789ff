// SPDX-License-Identifier: Apache-2.0
/** Who signed the files that earlier reports of the same app and channel are about. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { CheckPlan } from '../model.js';
import type { EarlierFile } from '../pipeline/run-checks.js';
import type { Report } from '../report/types.js';
import { readReport } from './read-report.js';

/** `reports`: directories as they are published; one that is not there holds none. A report that disagrees with itself says nothing. */
export async function earlierFiles(
  reports: readonly string[],
  { app, channel }: CheckPlan['target'],
): Promise<readonly EarlierFile[]> {
  const found: EarlierFile[] = [];
  for (const directory of reports)
    for (const release of await list(path.join(directory, app)))
      for (const place of await list(path.join(directory, app, release, channel))) {
        const result = await readReport(path.join(directory, app, release, channel, place)).catch(
          () => undefined,
        );
        if (result?.kind !== 'consistent') continue;
        const of = earlierFile(result.report);
        if (of !== undefined) found.push(of);
      }
  return found.toSorted((a, b) => (a.statementSha256 < b.statementSha256 ? -1 : 1));
}

function earlierFile({ statement, statementSha256 }: Report): EarlierFile | undefined {
  const { target } = statement.subject;
  // a file that is somebody else's tells nothing about the publisher's
  if (target === undefined || statement.verdict.kind === 'not-authentic') return undefined;
  const compared = (statement.comparison?.pairs ?? [])
    .filter(({ signature }) => signature.status === 'verified')
    .flatMap(({ signature }) => signature.signers.map(({ certificateSha256 }) => certificateSha256));
  const certificates = [...new Set([...compared, ...(statement.checks?.certificates ?? [])])].toSorted();
  const files = statement.subject.published.map(({ sha256 }) => sha256);
  return { version: target.version, statementSha256, files, certificates };
}

const list = (directory: string): Promise<readonly string[]> =>
  fs.readdir(directory).then(
    (names) => names.toSorted(),
    () => [],
  );

// SPDX-License-Identifier: Apache-2.0
/** Makes `index.json` of a directory of reports anew. The reports stay as they are. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { removePartsOf, storageFailure, writeAside } from '../inputs/atomic-file.js';
import { withLock } from '../owned-lock.js';
import { renderReportIndex, type ReportIndex } from '../report/report-index.js';
import { readNotes, readReport } from './read-report.js';
import { scanReports } from './scan-reports.js';

export interface IndexResult {
  readonly index: ReportIndex;
  readonly file: string;
  /** It said something else before, or was not there. */
  readonly changed: boolean;
}

/**
 * `check`: writes nothing.
 * @throws UsageError `report-inconsistent`, `note-invalid`: an index leads to no report that does not agree with itself
 * @throws FailedHere `unreadable-input`, `disk-full`
 */
export async function indexReports(
  directory = 'reports',
  { check = false }: { readonly check?: boolean } = {},
): Promise<IndexResult> {
  // of two at once, the one that looked first must not write last
  return check || !existsSync(directory)
    ? await makeIndex(directory, check)
    : await withLock(path.join(directory, '.index.lock'), async () => {
        await removePartsOf(indexIn(directory));
        return await makeIndex(directory, false);
      });
}

const indexIn = (directory: string): string => path.join(directory, 'index.json');

async function makeIndex(directory: string, check: boolean): Promise<IndexResult> {
  const { index, unread } = await scanReports(directory);
  const [broken] = unread;
  if (broken !== undefined) throw inconsistent(path.join(directory, broken.place), broken.detail);
  for (const [place, { statementSha256 }] of Object.entries(index.reports)) {
    const at = path.join(directory, place);
    const result = await readReport(at);
    if (result.kind === 'inconsistent' && result.inOtherWords === undefined) {
      const [first] = result.problems;
      throw inconsistent(at, `${first?.code ?? ''} ${first?.at ?? ''}: ${first?.detail ?? ''}`);
    }
    await readNotes(at, statementSha256);
  }
  const file = indexIn(directory);
  const text = renderReportIndex(index);
  const changed = present(file) !== text;
  if (changed && !check)
    try {
      await writeAside(path.resolve(file), async (handle) => {
        await handle.writeFile(text);
      });
    } catch (cause) {
      throw storageFailure(cause, 'the index', file);
    }
  return { index, file, changed };
}

function present(file: string): string | undefined {
  try {
    return readText(file, 64 << 20);
  } catch {
    return undefined;
  }
}

const inconsistent = (at: string, detail: string): UsageError =>
  new UsageError('report-inconsistent', `${at} does not agree with itself: ${detail}`, {
    hint: `verify report ${at} --check tells more; a report that was made with mistakes gets a note, it is not edited`,
  });

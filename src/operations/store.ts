// SPDX-License-Identifier: Apache-2.0
/** A report with its renderings, stored where its user wants it. */
import { packageRoot } from '../inputs/package-files.js';
import { renderBrief } from '../report/brief.js';
import { renderJson } from '../report/json.js';
import { publishReport, type ReportFile } from '../report/publish.js';
import { renderText } from '../report/text.js';
import type { Report } from '../report/types.js';

export interface StoreOptions {
  /** `reports/` is made below it; default the current directory. */
  readonly out?: string;
}

/** Returns the report's directory. */
export async function storeReport(
  report: Report,
  options: StoreOptions = {},
  more: readonly ReportFile[] = [],
): Promise<string> {
  const files: ReportFile[] = [
    { name: 'report.json', content: renderJson(report) },
    { name: 'report.txt', content: renderText(report) },
    { name: 'brief.txt', content: renderBrief(report) },
    ...more,
  ];
  return await publishReport(report, files, { out: options.out ?? '.', packageRoot: packageRoot() });
}

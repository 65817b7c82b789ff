// SPDX-License-Identifier: Apache-2.0
/** The full evidence of a report as one ZIP archive, the same bytes for the same evidence. */
import { createHash } from 'node:crypto';
import type { SetComparison } from '../compare/types.js';
import { renderJson } from './json.js';
import type { ReportFile } from './publish.js';
import type { Report } from './types.js';

/** The first moment that a ZIP archive can name. */
const DATE = new Date(Date.UTC(1980, 0, 1));

/** `comparison`: as it was before the report bounded its evidence. Names come from us, never from an artifact. */
export async function evidenceBundle(
  report: Report,
  comparison: SetComparison | undefined,
  logs: readonly ReportFile[] = [],
): Promise<Uint8Array> {
  const files: ReportFile[] = [{ name: 'report.json', content: renderJson(report) }, ...logs];
  for (const [at, { published, rebuilt, differences, differencesCut }] of (
    comparison?.pairs ?? []
  ).entries()) {
    const directory = `pairs/${String(at + 1).padStart(4, '0')}`;
    const pair = { published, rebuilt, findings: differences.length, beyondLimit: differencesCut };
    files.push(
      { name: `${directory}/pair.json`, content: `${JSON.stringify(pair, undefined, 2)}\n` },
      {
        name: `${directory}/findings.jsonl`,
        content: differences.map((one) => `${JSON.stringify(one)}\n`).join(''),
      },
    );
  }
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const index = {
    schemaVersion: 1,
    statementSha256: report.statementSha256,
    files: files.map(({ name, content }) => ({
      name,
      size: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
  };
  // few runs want it, and it is forty files
  const { default: JSZip } = await import('jszip');
  const zip = new JSZip();
  for (const { name, content } of [
    { name: 'index.json', content: `${JSON.stringify(index, undefined, 2)}\n` },
    ...files,
  ])
    zip.file(name, content, { date: DATE, createFolders: false, binary: typeof content !== 'string' });
  return await zip.generateAsync({
    type: 'uint8array',
    compression: 'DEFLATE',
    compressionOptions: { level: 9 },
    platform: 'UNIX',
  });
}

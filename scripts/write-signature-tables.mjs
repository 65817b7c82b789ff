// SPDX-License-Identifier: Apache-2.0
/** Writes the tables of codes into docs/signatures.md, from the code that finds them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { APK_ISSUES } from '../dist/src/formats/apk-signature-issue.js';
import { TRANSPARENCY_ISSUES } from '../dist/src/formats/code-transparency.js';
import { IDSIG_ISSUES } from '../dist/src/formats/idsig.js';
import { JAR_ISSUES } from '../dist/src/formats/jar-issue.js';
import { SDK_ISSUES } from '../dist/src/formats/sdk-verdicts.js';

const PAGE = 'docs/signatures.md';
const TABLES = {
  'Signing block: v2, v3, v3.1, source stamps': APK_ISSUES,
  'JAR signatures (v1)': JAR_ISSUES,
  'Versions of Android': SDK_ISSUES,
  'v4 (`.idsig`)': IDSIG_ISSUES,
  'Code transparency': TRANSPARENCY_ISSUES,
};

let page = readFileSync(PAGE, 'utf8');
for (const [heading, issues] of Object.entries(TABLES)) {
  const rows = Object.entries(issues).map(([code, meaning]) =>
    typeof meaning === 'string'
      ? `| \`${code}\` | unsupported | ${meaning} |`
      : `| \`${code}\` | ${meaning.effect} | ${meaning.text} |`,
  );
  const start = page.indexOf(`### ${heading}\n\n| code`);
  if (start === -1) throw new Error(`${PAGE} has no table below ${heading}`);
  const from = start + `### ${heading}\n\n`.length;
  const table = ['| code | effect | meaning |', '| --- | --- | --- |', ...rows].join('\n');
  page = page.slice(0, from) + table + page.slice(page.indexOf('\n\n', from));
}
writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));

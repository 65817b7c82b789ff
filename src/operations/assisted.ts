// SPDX-License-Identifier: Apache-2.0
/** The end of a run that somebody had their hands in: its comparison lies under `attempts/`, and there is no verdict. */
import path from 'node:path';
import type { KeptPlan } from './kept-run.js';
import type { Verified } from '../pipeline/draft.js';
import type { Workspace } from '../pipeline/options.js';
import { assistedRecord, renderAssisted, type AssistedRecord } from '../report/assisted.js';
import { redacted, redactor } from '../report/redact.js';
import { privateOf } from './private-of.js';
import { privateTexts } from './private-texts.js';
import { storeAttempt } from './store.js';
import type { Keeping } from './workspace.js';

export interface AssistedResult {
  readonly kind: 'assisted';
  readonly record: AssistedRecord;
  /** The same for people. */
  readonly text: string;
  /** Below `attempts/`, when it was stored. */
  readonly location?: string;
}

export function finishingAssisted(
  { plan }: KeptPlan,
  why: string,
  out: string | undefined,
): {
  readonly finish: (verified: Verified, workspace: Workspace) => Promise<AssistedResult>;
  readonly endingOf: Keeping<AssistedResult>['endingOf'];
} {
  return {
    finish: async ({ report, comparison, logs }, workspace) => {
      const place = privateOf(workspace);
      const record = redacted(assistedRecord(report, why, comparison), redactor(privateTexts(place)));
      const text = renderAssisted(record);
      if (out === undefined) return { kind: 'assisted', record, text };
      const location = await storeAttempt(
        {
          run: workspace.run,
          failure: { class: 'assisted', message: why },
          plan,
          record: report.run,
          logs: logs.map((log) => ({ name: path.basename(log.path), path: log.path })),
          more: [
            { name: 'comparison.json', content: `${JSON.stringify(record, undefined, 2)}\n` },
            { name: 'comparison.txt', content: text },
          ],
        },
        { out, private: place },
      );
      return { kind: 'assisted', record, text, location };
    },
    endingOf: () => ({ good: false, outcome: 'assisted' }),
  };
}

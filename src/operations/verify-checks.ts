// SPDX-License-Identifier: Apache-2.0
/** What can be checked of a published file whose source nobody builds here, as a report. */
import path from 'node:path';
import type { CheckPlan } from '../model.js';
import { redactor } from '../report/redact.js';
import type { Report } from '../report/types.js';
import { verifyChecks as runChecks } from '../verify-checks.js';
import { inKeptRun } from './attempt.js';
import type { LogRequest } from './check-log.js';
import { earlierFiles } from './earlier-files.js';
import { logged } from './logged.js';
import type { OperationOptions } from './options.js';
import { privateOf } from './private-of.js';
import { privateTexts } from './private-texts.js';
import { describeRun } from './run.js';
import { stoppable } from './stoppable.js';

export interface ChecksRequest {
  readonly published?: string;
  readonly serial?: string;
  readonly out?: string;
  /** Another log than those that are known. */
  readonly log?: Omit<LogRequest, 'file'>;
}

/** @throws UsageError `other-version`; FailedHere */
export async function verifyChecks(
  plan: CheckPlan,
  request: ChecksRequest,
  options: OperationOptions,
): Promise<Report> {
  return await inKeptRun(plan, request.out, options, async (workspace) => {
    const earlier = await earlierFiles([path.join(request.out ?? '.', 'reports')], plan.target);
    return await stoppable(options, (stopping) =>
      runChecks(plan, {
        earlier,
        transparencyLog: (file) => logged(file, request.log ?? {}, stopping),
        obtain: {
          ...workspace,
          directory: `${workspace.directory}/published`,
          published: request.published,
          serial: request.serial,
          ...stopping,
        },
        describeRun,
        redact: redactor(privateTexts(privateOf(workspace))),
      }),
    );
  });
}

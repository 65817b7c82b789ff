// SPDX-License-Identifier: Apache-2.0
/** Of a run that is kept: its report with what its folder still has, or, where no verdict came of it, plan and logs. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../inputs/cache.js';
import { debianMirror } from '../inputs/debian/debian-mirror.js';
import { packageRoot } from '../inputs/package-files.js';
import { readEnds } from '../inputs/read-ends.js';
import type { BuildResult, Sha256 } from '../model.js';
import { redacted, redactor, type Redact } from '../report/redact.js';
import { builtFile, PLAN_FILE, readKept, REPORT_FILE, type KeptPlan, type KeptRun } from './kept-run.js';
import { isAssisted, withKeptRun } from './kept-runs.js';
import type { OperationOptions } from './options.js';
import type { PackedFile } from './pack-archive.js';
import { Names, textFile, type Packed } from './pack-files.js';
import { reportFiles } from './pack-report.js';
import { privateTexts } from './private-texts.js';

/** @throws FailedHere `run-in-use`, `kept-run-damaged`, `kept-state-gone` */
export async function keptRunFiles(run: string, options: OperationOptions): Promise<Packed> {
  return await withKeptRun(run, async ({ directory, kept }) => {
    // a folder is raw: names of this machine are taken out here
    const redact = redactor(privateTexts([directory, cacheDirectory(), packageRoot(), await debianMirror()]));
    const logs = await logsIn(path.join(directory, 'logs'), redact);
    const report = path.join(directory, REPORT_FILE);
    if ((await fs.lstat(report).catch(() => undefined))?.isFile() === true)
      return await reportFiles(report, options, { outputs: await outputsOf(directory, kept), logs });
    const { plan } = (await readKept(directory, PLAN_FILE, kept.planSha256)) as KeptPlan;
    const { app, version, channel } = kept.target;
    return {
      title: `${app} ${version} (${channel}), a run that ended without a verdict (${kept.end?.outcome ?? 'not ended'})${isAssisted(kept) ? ', assisted' : ''}`,
      root: `samesource-run-${run}`,
      files: [
        textFile('run.json', 'how each phase ended', json(redacted(toldOf(kept), redact))),
        textFile('plan.json', 'what was to be built and how', json(redacted(plan, redact))),
        ...logs,
      ],
      missing: [
        'a verdict: no report came of this run',
        'rebuilt files: without a report nobody says that none of them is the published file',
      ],
    };
  });
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Without what was asked on this machine. */
const toldOf = ({ run, begun, tool, target, engine, phases, touched, end }: KeptRun): object => ({
  run,
  begun,
  tool,
  target,
  engine,
  phases: phases.map(({ phase, attempt, begun: at, ended }) => ({ phase, attempt, begun: at, ended })),
  touched,
  end,
});

async function logsIn(directory: string, redact: Redact): Promise<readonly PackedFile[]> {
  const names = new Names();
  const files: PackedFile[] = [];
  for (const entry of (await fs.readdir(directory, { withFileTypes: true }).catch(() => [])).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  ))
    if (entry.isFile())
      files.push(
        textFile(
          `logs/${names.plain(entry.name)}`,
          'what a phase printed, or fetched',
          redact(await readEnds(path.join(directory, entry.name))),
        ),
      );
  return files;
}

/** By digest; each is read again before it is packed. */
async function outputsOf(directory: string, { phases }: KeptRun): Promise<ReadonlyMap<Sha256, string>> {
  const outputs = new Map<Sha256, string>();
  for (const { phase, attempt, ended } of phases) {
    if (phase !== 'build' || ended?.sha256 === undefined) continue;
    const result = (await readKept(directory, builtFile(attempt), ended.sha256)) as BuildResult;
    if (result.kind === 'succeeded')
      for (const { sha256, path: file } of [...result.outputs, ...result.extra]) outputs.set(sha256, file);
  }
  return outputs;
}

// SPDX-License-Identifier: Apache-2.0
/** Every command, in the order of the help. */
import type { CommandModule } from 'yargs';
import { batchCommand } from './batch.js';
import { buildCommand } from './build.js';
import { buildsCommand } from './builds.js';
import { cacheCommand } from './cache.js';
import { cleanCommand } from './clean.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { fetchCommand } from './fetch.js';
import { imageCommand } from './image.js';
import { inspectCommand } from './inspect.js';
import { logCommand } from './log.js';
import { lookupCommand } from './lookup.js';
import { packCommand } from './pack.js';
import { planCommand } from './plan.js';
import { recipesCommand } from './recipes.js';
import { reconcileCommand } from './reconcile.js';
import { replayCommand } from './replay.js';
import { reportCommand } from './report.js';
import { reportsCommand } from './reports.js';
import { resumeCommand } from './resume.js';
import { runsCommand } from './runs.js';
import { shellCommand } from './shell.js';
import { statusCommand } from './status.js';
import { transplantCommand } from './transplant.js';
import { verifyCommand } from './verify.js';

// each command has arguments of its own, which only its handler sees
// oxlint-disable-next-line typescript/no-explicit-any
export const COMMANDS: readonly CommandModule<object, any>[] = [
  verifyCommand,
  batchCommand,
  lookupCommand,
  compareCommand,
  inspectCommand,
  logCommand,
  transplantCommand,
  planCommand,
  fetchCommand,
  buildCommand,
  buildsCommand,
  runsCommand,
  shellCommand,
  resumeCommand,
  recipesCommand,
  replayCommand,
  reportCommand,
  reconcileCommand,
  packCommand,
  reportsCommand,
  statusCommand,
  imageCommand,
  cacheCommand,
  cleanCommand,
  demoCommand,
  doctorCommand,
  completionCommand,
];

/** First words; the default command has none. */
export const COMMAND_WORDS: readonly string[] = COMMANDS.flatMap(({ command }) => {
  const [first = ''] = String(command).split(' ');
  return /^[a-z]/.test(first) ? [first] : [];
});

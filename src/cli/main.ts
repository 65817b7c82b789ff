#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The command line: `verify`, also installed as `samesource`. */
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { compareCommand } from './commands/compare.js';
import { planCommand } from './commands/plan.js';
import { recipesCommand } from './commands/recipes.js';
import { reportCommand } from './commands/report.js';
import { EXIT } from './exit-code.js';
import { styled } from './output.js';

const name = path.basename(process.argv[1] ?? 'verify').replace(/\.js$/, '');

// For runs of seconds: most of what would be optimized early is not run again (15 % of the CPU time), and memory that
// is no longer needed is given back rather than kept for later.
setFlagsFromString('--interrupt-budget=400000');
setFlagsFromString('--heap-growing-percent=20');
setFlagsFromString('--semi-space-growth-factor=1');

// a closed pipe (| head) is not an error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

await yargs(hideBin(process.argv))
  .scriptName(name === 'main' ? 'verify' : name)
  .locale('en')
  .parserConfiguration({
    'dot-notation': false,
    'boolean-negation': true,
    'duplicate-arguments-array': false,
    'parse-numbers': false,
    'parse-positional-numbers': false,
    'camel-case-expansion': false,
  })
  .command(compareCommand)
  .command(planCommand)
  .command(recipesCommand)
  .command(reportCommand)
  .completion('completion', 'print the completion script for bash or zsh')
  .demandCommand(1, 'what should be checked? Name an app and a version, or a command')
  .recommendCommands()
  .strict()
  .wrap(process.stdout.isTTY ? Math.min(110, process.stdout.columns) : 100)
  .fail((message, error: Error | undefined) => {
    const text = error === undefined ? message : error.message;
    process.stderr.write(
      `${styled('red', 'error')} [usage] ${text}\n  see ${name === 'main' ? 'verify' : name} --help\n`,
    );
    process.exit(EXIT.usage);
  })
  .parseAsync();

// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { exitCodeOf } from '../exit-code.js';
import { nextSteps } from '../next-steps.js';

interface DemoArguments extends GlobalArguments {
  readonly tampered: boolean;
  readonly out: string;
}

export const demoCommand: CommandModule<object, DemoArguments> = {
  command: 'demo',
  describe: 'the whole way from source to report with a small app of this package; no container, no network',
  builder: (yargs) =>
    globalOptions(yargs)
      .option('tampered', { type: 'boolean', default: false, describe: 'check two tampered files of it' })
      .option('out', { type: 'string', default: '.', describe: 'reports/ goes below this directory' })
      .example('$0 demo', 'reproducible, exit 0')
      .example('$0 demo --tampered', 'unreproducible, exit 1'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { demo, renderSummary } = await import('../../index.js');
      const results = await demo({ tampered: argv.tampered, out: argv.out }, options);
      for (const { report, location } of results)
        output.print(`${renderSummary(report)}\n${nextSteps(report, location)}\n`);
      output.data(results.map(({ report }) => report));
      return Math.max(...results.map(({ report }) => exitCodeOf(report)));
    }),
};

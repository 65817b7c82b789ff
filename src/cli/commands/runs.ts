// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { ListedRun } from '../../index.js';

interface RunsArguments extends GlobalArguments {
  readonly remove: string | undefined;
}

export const runsCommand: CommandModule<object, RunsArguments> = {
  command: 'runs',
  describe: 'list the runs that --keep kept, how far each came and what can be done with it',
  builder: (yargs) =>
    globalOptions(yargs)
      .option('remove', {
        type: 'string',
        describe: 'remove this run, with all that its container engine holds of it',
      })
      .example('$0 runs', 'the oldest first')
      .example('$0 runs --remove 20261129t101500-3f9a2c', 'its folder, containers and images')
      .epilogue('`verify shell RUN` looks inside of one, `verify resume RUN` takes one up again.'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { listKeptRuns, printable, removeKeptRun } = await import('../../index.js');
      if (argv.remove !== undefined) {
        const result = await removeKeptRun(argv.remove);
        output.print(
          result.gone
            ? `removed ${argv.remove}`
            : `removed the folder of ${argv.remove}; its engine does not answer now, and the next run removes the rest`,
        );
        output.data(result);
        return result.gone ? EXIT.ok : EXIT.failedHere;
      }
      const runs = await listKeptRuns();
      output.print(
        runs.length === 0
          ? 'no run is kept: --keep failed keeps the next one that does not end well'
          : runs.map((run) => printable(line(run))).join('\n'),
      );
      output.data(runs.map(data));
      return EXIT.ok;
    }),
};

function line({ run, bytes, inUse, state }: ListedRun): string {
  const about =
    state.kind === 'damaged'
      ? `damaged: ${state.detail}`
      : [
          `${state.kept.target.app} ${state.kept.target.version} (${state.kept.target.channel})`,
          state.kept.end?.outcome ?? 'not ended',
          ...state.kept.phases.map(
            ({ phase, attempt, ended }) =>
              `${phase}${attempt > 1 ? ` ${attempt}` : ''}: ${ended?.outcome ?? 'running'}`,
          ),
          ...(state.assisted ? ['assisted'] : []),
        ].join(', ');
  return `${run}  ${about}; ${(bytes / 1e6).toFixed(1)} MB${inUse ? ', in use' : ''}`;
}

function data({ run, bytes, inUse, state }: ListedRun): object {
  if (state.kind === 'damaged') return { run, bytes, inUse, damaged: state.detail };
  const { operation, begun, target, engine, phases, touched, resumed, end } = state.kept;
  return {
    run,
    bytes,
    inUse,
    operation,
    begun,
    target,
    engine,
    phases: phases.map(({ phase, attempt, container, ended }) => ({
      phase,
      attempt,
      container,
      ...(ended === undefined ? {} : { ended: ended.at, outcome: ended.outcome }),
    })),
    assisted: state.assisted,
    touched,
    resumed,
    end,
  };
}

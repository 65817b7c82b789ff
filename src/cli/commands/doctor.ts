// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import {
  printable,
  type Repaired,
  type Diagnosis,
  type EngineDiagnosis,
  type ToolState,
} from '../../index.js';

interface DoctorArguments extends GlobalArguments {
  readonly repair: boolean;
  readonly out: string;
}

export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: 'doctor',
  describe: 'say what is present, what each missing thing would enable and what installs it',
  builder: (yargs) =>
    globalOptions(yargs)
      .option('repair', {
        type: 'boolean',
        default: false,
        describe: 'remove what killed runs left, and say what was removed and what could not be',
      })
      .option('out', {
        type: 'string',
        default: '.',
        describe: 'with --repair: where reports/, attempts/ and batch/ are',
      })
      .example('$0 doctor', 'tools, container engines, keys, disk, memory')
      .example('$0 doctor --json', 'as data')
      .example('$0 doctor --repair', 'after a crash: containers, directories, half-written reports'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      if (argv.repair) {
        const { repair } = await import('../../index.js');
        const repaired = await repair({ out: argv.out });
        output.print(repairedText(repaired));
        output.data(repaired);
        return repaired.left.length === 0 ? EXIT.ok : EXIT.failedHere;
      }
      const { doctor } = await import('../../index.js');
      const diagnosis = await doctor(options);
      output.print(shown(diagnosis));
      output.data(diagnosis);
      return diagnosis.healthy ? EXIT.ok : EXIT.failedHere;
    }),
};

function repairedText({ removed, left }: Repaired): string {
  return [
    ...removed.map((what) => `removed  ${what}`),
    ...left.map(({ what, why }) => `left     ${what}: ${why}`),
    left.length > 0
      ? `${left.length} could not be removed`
      : removed.length === 0
        ? 'nothing was left by killed runs'
        : `${removed.length} removed, nothing is left`,
  ]
    .map((line) => printable(line))
    .join('\n');
}

function shown(diagnosis: Diagnosis): string {
  const { node, tools, engines, debianKeyring, disk, memory, machine } = diagnosis;
  const rows: (readonly [string, string])[] = [
    ['node', node.enough ? node.version : `${node.version}: too old, ${node.required} is needed`],
    ...tools.map((tool) => [tool.name, toolShown(tool)] as const),
    ...engines.map((engine) => [engine.name, engineShown(engine)] as const),
    ['debian keys', debianKeyring.kind === 'present' ? debianKeyring.file : missing(debianKeyring)],
    ...disk.map(({ what, directory, freeMiB }) => [what, `${freeMiB} MiB free in ${directory}`] as const),
    ['memory', `${memory.freeMiB} of ${memory.totalMiB} MiB free`],
    ['machine', `${machine.kernel}, ${machine.architecture}, ${machine.cpuCount} CPUs`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, text]) => printable(`${name.padEnd(width)}  ${text}`)),
    '',
    summary(diagnosis),
  ].join('\n');
}

const missing = ({ enables, install }: { readonly enables: string; readonly install: string }): string =>
  `missing; enables ${enables}: ${install}`;

function toolShown({ state, essential }: ToolState): string {
  if (state.kind === 'present') return state.version;
  return `${missing(state)}${essential ? ' (essential)' : ''}`;
}

function engineShown({ state, fix, enables }: EngineDiagnosis): string {
  switch (state.kind) {
    case 'reachable':
      return `reachable, version ${state.version}`;
    case 'missing':
      return `missing; enables ${enables}; ${fix}`;
    case 'not-running':
      return `installed, its daemon does not answer; ${fix}`;
    case 'no-permission':
      return `installed, no permission; ${fix}`;
    case 'broken':
      return `installed, does not work (${state.detail}); ${fix}`;
  }
}

function summary({ healthy, engines }: Diagnosis): string {
  if (!healthy) return 'something essential is missing';
  const reachable = engines.filter(({ state }) => state.kind === 'reachable').map(({ name }) => name);
  return reachable.length === 0
    ? 'ready for compare, plan, report and demo; no container engine answers, so nothing else is built'
    : `ready; builds run in ${reachable.join(' or ')}`;
}

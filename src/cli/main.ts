#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The command line: `verify`, also installed as `samesource`. */
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { COMMAND_WORDS, COMMANDS } from './commands/index.js';
import { COMPLETE, complete } from './complete.js';
import { printFailure } from './failure.js';
import { Output } from './output.js';
import { usageError } from './usage.js';
import { packageVersion } from '../index.js';

const called = path.basename(process.argv[1] ?? '').replace(/\.js$/, '');
const program = called === 'samesource' ? called : 'verify';
const typed = hideBin(process.argv);
const completing = typed[0] === COMPLETE;
const given = completing ? typed : withoutSeparator(withoutVerb(typed));

// For runs of seconds: most of what would be optimized early is not run again (15 % of the CPU time), and memory that
// is no longer needed is given back rather than kept for later.
setFlagsFromString('--interrupt-budget=400000');
setFlagsFromString('--heap-growing-percent=20');
setFlagsFromString('--semi-space-growth-factor=1');

// a closed pipe (| head) is not an error, and no reason to end without the exit code of the verdict
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
// left to itself, Node would exit with 1, which is a verdict here
process.on('uncaughtException', (error) => {
  process.exit(printFailure(error, new Output({ json: given.includes('--json') })));
});

const parser = yargs(given)
  .scriptName(program)
  // read where it is asked for
  .version(given.includes('--version') ? await packageVersion() : '')
  .locale('en')
  .parserConfiguration({
    'dot-notation': false,
    'boolean-negation': true,
    // else only the last of several files or rules would count
    'duplicate-arguments-array': true,
    'parse-numbers': false,
    'parse-positional-numbers': false,
    'camel-case-expansion': false,
  })
  .completion('completion-answers', false, complete)
  .demandCommand(1, 'what should be checked? Name an app and a version, or a command')
  .strict()
  .check((argv) => {
    const several = Object.entries(argv).find(
      ([name, value]) => name !== '_' && Array.isArray(value) && !arraysOf(parser).includes(name),
    );
    if (several !== undefined) throw new Error(`--${several[0]} is given more than once`);
    return true;
  }, true)
  .wrap(process.stdout.isTTY ? Math.min(110, process.stdout.columns) : 100)
  .fail((message, error: Error | undefined) => {
    // a line that is still being typed
    if (completing) return;
    const output = new Output({ json: given.includes('--json') });
    const usage = usageError(error?.message ?? message, given, {
      commands: COMMAND_WORDS,
      options: optionsOf(parser),
      program,
    });
    process.exit(printFailure(usage, output));
  });
// yargs runs a command to learn what may follow its words
for (const command of COMMANDS)
  parser.command(completing ? { ...command, handler: () => undefined } : command);
// yargs would render the whole help after each command, for a failure that runCommand has already told
usageOf(parser).cacheHelpMessage = () => undefined;
await parser.parseAsync();

/** `samesource verify APP` is what many type: the command without a word of its own, by the name that it is known by. */
function withoutVerb(args: readonly string[]): readonly string[] {
  return args[0] === 'verify' && args.length > 1 ? args.slice(1) : args;
}

/** What follows `--` are names of files, whatever they begin with: yargs takes none of them for an argument of a command. */
function withoutSeparator(args: readonly string[]): string[] {
  const at = args.indexOf('--');
  if (at === -1) return [...args];
  const names = args.slice(at + 1).map((name) => (name.startsWith('-') ? `./${name}` : name));
  return [...args.slice(0, at), ...names];
}

/** What yargs prints its help with; its types do not have it. */
function usageOf(reader: object): { cacheHelpMessage: () => void } {
  return (reader as { getInternalMethods(): { getUsageInstance(): { cacheHelpMessage: () => void } } })
    .getInternalMethods()
    .getUsageInstance();
}

/** Options and names of files that may be repeated. */
function arraysOf(reader: object): readonly string[] {
  return (reader as { getOptions(): { readonly array: readonly string[] } }).getOptions().array;
}

/** Of the command that was being read; yargs has it, its types do not. */
function optionsOf(reader: object): readonly string[] {
  const { key } = (
    reader as { getOptions(): { readonly key: Readonly<Record<string, unknown>> } }
  ).getOptions();
  return Object.keys(key);
}

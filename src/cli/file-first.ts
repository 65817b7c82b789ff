// SPDX-License-Identifier: Apache-2.0
/** `verify <file>`: what the file is, what the reports say about it, else what would be done; `--build` does it. */
import { existsSync } from 'node:fs';
import {
  printable,
  UsageError,
  VerifyError,
  type Fit,
  type Identification,
  type SignerFit,
} from '../index.js';
import type { CommandContext } from './command.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import { lookupData, lookupText, otherFilesText } from './lookup-text.js';
import { styled } from './output.js';
import { checksInBrief, planInBrief, wholePlan } from './plan-text.js';

const APP = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** An app of that name comes first: `./weechat` is the file. */
export async function isFile(word: string): Promise<boolean> {
  if (!APP.test(word)) return existsSync(word) || /[/\\.]/.test(word);
  if (!existsSync(word)) return false;
  const { recipes } = await import('../index.js');
  return !(await recipes()).some(({ recipe }) => recipe.app === word);
}

export interface FileFirstArguments {
  readonly file: string;
  readonly recipe: string | undefined;
  readonly channel: string | undefined;
  readonly reports: string | undefined;
  readonly strict: boolean;
  readonly build: boolean;
}

/** What to go on with, or the exit code that this ends with. */
export type FileFirst =
  | { readonly kind: 'ends'; readonly exitCode: number }
  | { readonly kind: 'build'; readonly fit: Fit & { readonly version: string } };

export async function fileFirst(
  argv: FileFirstArguments,
  { output, options }: CommandContext,
): Promise<FileFirst> {
  const { planAnything } = await import('../index.js');
  const { file } = argv;
  const found = await identified(argv, options);
  const { fits, lookup, otherFiles } = found;
  const [newest] = lookup.standing;
  if (otherFiles.length > 0) output.note(otherFilesText(otherFiles));
  const text = foundText(found, file);
  const data = { ...identityData(found), lookup: lookupData(lookup, otherFiles) };
  if (newest !== undefined) {
    output.print(text);
    output.data(data);
    return { kind: 'ends', exitCode: exitCodeOf(newest.report, { strict: argv.strict }) };
  }
  const [fit, another] = fits;
  const chosen =
    another === undefined && fit?.version !== undefined ? { ...fit, version: fit.version } : undefined;
  if (chosen === undefined) {
    if (argv.build) throw notOne(found, file);
    output.print(`${text}\n\n${choiceText(found, file)}`);
    output.data(data);
    return { kind: 'ends', exitCode: EXIT.unknownFile };
  }
  if (argv.build) {
    output.note(text);
    return { kind: 'build', fit: chosen };
  }
  const target = { app: chosen.app, version: chosen.version, channel: chosen.channel };
  try {
    const made = await planAnything(target, options);
    const told =
      made.kind === 'checks'
        ? checksInBrief(made.plan)
        : `${planInBrief(made.plan)}\n\n${wholePlan(made.plan)}`;
    output.print(`${text}\n\n${told}\n\nto do this: verify ${file} --build`);
    output.data({ ...data, plan: made.plan });
  } catch (error) {
    // what the file is stays true where nothing can be done with it
    if (!(error instanceof VerifyError) || options.signal.aborted) throw error;
    output.print(`${text}\n\nno plan: [${error.code}] ${printable(error.message)}`);
    output.data({ ...data, noPlan: { code: error.code, message: error.message } });
  }
  return { kind: 'ends', exitCode: EXIT.unknownFile };
}

/** What can be told of a file without a plan that could run: what it is, whose, and what the reports say about it. */
export async function withoutBuild(
  argv: Pick<FileFirstArguments, 'file' | 'recipe' | 'channel' | 'reports'>,
  { output, options }: CommandContext,
): Promise<void> {
  const found = await identified(argv, options);
  if (found.otherFiles.length > 0) output.note(otherFilesText(found.otherFiles));
  output.note(foundText(found, argv.file));
}

async function identified(
  { file, recipe, channel, reports }: Pick<FileFirstArguments, 'file' | 'recipe' | 'channel' | 'reports'>,
  options: CommandContext['options'],
): Promise<Identification> {
  const { identify } = await import('../index.js');
  return await identify(
    {
      file,
      ...(recipe === undefined ? {} : { app: recipe }),
      ...(channel === undefined ? {} : { channel }),
      ...(reports === undefined ? {} : { reports }),
    },
    options,
  );
}

// ---------------------------------------------------------------- for people

const foundText = (found: Identification, file: string): string =>
  `${identityText(found)}\n\n${lookupText(found.lookup, file)}`;

const SIGNER = {
  pinned: 'signed by the key that its recipe names, or by one that this key signed for',
  other: 'SIGNED BY NONE OF THE KEYS that its recipe names',
  invalid: 'ITS SIGNATURE DOES NOT VERIFY',
  unsigned: 'NOT SIGNED',
  'no-pin': 'its recipe names no key',
  'not-signed-by-itself': 'no signature of its own is read',
} as const satisfies Record<SignerFit, string>;

const LOUD: readonly SignerFit[] = ['other', 'invalid', 'unsigned'];
const BY = {
  package: 'by its package id',
  'package-and-version-code': 'by its package id and version code',
  'source-package': 'by its source package',
  name: 'by its name alone',
} as const satisfies Record<Fit['by'], string>;

function identityText({ facts, fits, misfits }: Identification): string {
  const lines = facts.files.slice(0, SHOWN).map((file) => {
    const { identity } = file;
    const version = identity.version ?? identity.versionName;
    const code = identity.versionCode === undefined ? '' : ` (code ${identity.versionCode})`;
    const what = [identity.package, version].filter((part) => part !== undefined).join(' ');
    return `${printable(file.name)}: ${file.format}${what === '' ? '' : `, ${what}${code}`}, SHA-256 ${file.sha256}`;
  });
  if (facts.files.length > SHOWN) lines.push(`and ${facts.files.length - SHOWN} more files`);
  if (facts.others.length > 0)
    lines.push(`not looked at: ${facts.others.map((name) => printable(name)).join(', ')}`);
  for (const reason of facts.disagreements) lines.push(`not one release of one app: ${printable(reason)}`);
  for (const fit of fits) {
    const signer = SIGNER[fit.signer];
    lines.push(
      `  ${fit.app} ${printable(fit.version ?? '(version not known)')} (${fit.channel}), ${BY[fit.by]}; ${LOUD.includes(fit.signer) ? styled('red', signer) : signer}`,
    );
  }
  for (const { app, channel, reason } of misfits)
    lines.push(`  not ${app} (${channel}): ${printable(reason)}`);
  if (fits.length === 0 && misfits.length === 0) lines.push('  no recipe knows it');
  return lines.join('\n');
}

const SHOWN = 20;

function choiceText({ fits, facts }: Identification, file: string): string {
  if (facts.disagreements.length > 0) return 'hand over the files of one release of one app';
  const [only] = fits;
  if (only === undefined) return 'see verify recipes for the apps that there are';
  if (fits.length === 1)
    return `the file does not say its version: verify ${only.app} VERSION --channel ${only.channel} --published ${file}`;
  return [
    'several fit; say which one:',
    ...fits.map((fit) => `  verify ${file} --recipe ${fit.app} --channel ${fit.channel}`),
  ].join('\n');
}

/** @returns a UsageError: nothing is guessed */
function notOne(found: Identification, file: string): UsageError {
  const { fits } = found;
  return new UsageError(
    fits.length > 1 ? 'ambiguous-file' : 'unknown-file',
    fits.length > 1
      ? `${file} fits ${fits.map(({ app, channel }) => `${app} (${channel})`).join(', ')}`
      : `nobody can say which app, version and channel ${file} is of`,
    { hint: choiceText(found, file) },
  );
}

function identityData({ facts, fits, misfits }: Identification): object {
  return {
    file: facts.name,
    kind: facts.kind,
    files: facts.files.map(({ name, size, sha256, format, identity, signature }) => ({
      name,
      size,
      sha256,
      format,
      identity,
      signers: [...new Set(signature?.signers.map(({ certificateSha256 }) => certificateSha256) ?? [])],
    })),
    notLookedAt: facts.others,
    disagreements: facts.disagreements,
    fits,
    misfits,
  };
}

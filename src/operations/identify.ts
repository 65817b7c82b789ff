// SPDX-License-Identifier: Apache-2.0
/** File first: which app, version and channel a file is of, who signed it, and what the reports say about it. */
import { checkPins } from '../compare/signer-pins.js';
import type { FileInspection } from '../compare/inspect/types.js';
import { fittingChannels, type ChannelFit, type ChannelMisfit } from '../recipe/fitting-channels.js';
import type { Recipe } from '../recipe/schema.js';
import { fileFacts, type FileFacts } from './file-facts.js';
import { lookUpIn, storesOf, type LookupResult } from './lookup.js';
import type { OperationOptions } from './options.js';
import { otherFiles, type HeldFile, type OtherFile } from './other-files.js';
import { recipes } from './recipes.js';
import type { ReportStore } from './report-store.js';

export interface IdentifyRequest {
  /** A file, or a directory with the files of one release. */
  readonly file: string;
  /** Where several fit. */
  readonly app?: string;
  readonly channel?: string;
  /** Directory or address of reports. */
  readonly reports?: string;
}

/** `pinned`: the key that the recipe names, or one that it signed for; `other`: none of those. */
export type SignerFit = 'pinned' | 'other' | 'invalid' | 'unsigned' | 'no-pin' | 'not-signed-by-itself';

export interface Fit extends ChannelFit {
  readonly signer: SignerFit;
}

export interface Identification {
  readonly facts: FileFacts;
  /** None: no recipe knows it. Several: nobody but the user can choose. */
  readonly fits: readonly Fit[];
  readonly misfits: readonly ChannelMisfit[];
  readonly lookup: LookupResult;
  /** Where the file is not known, and another one of the same version is. */
  readonly otherFiles: readonly OtherFile[];
}

/** @throws FailedHere `unreadable-input`, `network`; UsageError `bad-index` … */
export async function identify(
  request: IdentifyRequest,
  options: OperationOptions = {},
): Promise<Identification> {
  const stores = await storesOf(request.reports, options);
  const facts = await fileFacts(request.file, options);
  const lookup = await lookedUp(stores, facts);
  const all = (await recipes(options.recipes)).filter(
    ({ recipe }) => request.app === undefined || recipe.app === request.app,
  );
  const fittings = all.map(({ recipe }) => ({ recipe, ...fittingChannels(recipe, facts.said) }));
  const asked = ({ channel }: ChannelFit): boolean =>
    request.channel === undefined || channel === request.channel;
  const { fits, unsuited } = bySigner(
    fittings.flatMap(({ recipe, fits: found }) =>
      found.filter(asked).map((fit) => ({ ...fit, signer: signerFit(recipe, fit.channel, facts) })),
    ),
  );
  return {
    facts,
    fits: facts.disagreements.length > 0 ? [] : fits,
    misfits: [...fittings.flatMap(({ misfits }) => misfits), ...unsuited],
    lookup,
    otherFiles: lookup.standing.length > 0 ? [] : otherFiles(stores, fits, heldOf(facts)),
  };
}

/** The file itself; for an archive of APKs that nobody knows, its APKs. */
async function lookedUp(stores: readonly ReportStore[], facts: FileFacts): Promise<LookupResult> {
  const parts = facts.files.map(({ sha256 }) => sha256);
  if (facts.sha256 === undefined) return await lookUpIn(stores, parts);
  const whole = await lookUpIn(stores, [facts.sha256]);
  if (facts.kind === 'file' || whole.standing.length > 0 || parts.length === 0) return whole;
  const inParts = await lookUpIn(stores, parts);
  return inParts.standing.length > 0 ? inParts : whole;
}

// ---------------------------------------------------------------- the signer

function signerFit(recipe: Recipe, id: string, { files }: FileFacts): SignerFit {
  const channel = Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  const signed = files.filter(({ format }) => format === 'apk');
  if (signed.length === 0) return 'not-signed-by-itself';
  if (channel === undefined || channel.signers.length === 0) return 'no-pin';
  const pins = channel.signers.map(({ sha256, minSdk, maxSdk, statedBy, source }) => ({
    sha256,
    ...(minSdk === undefined ? {} : { minSdk }),
    ...(maxSdk === undefined ? {} : { maxSdk }),
    statedBy,
    source,
  }));
  const each = signed.map((file): SignerFit => {
    const { signature } = file;
    if (signature === undefined || signature.status === 'unsigned') return 'unsigned';
    if (signature.status !== 'verified') return 'invalid';
    const { unpinned, unused } = checkPins(signature.signers, pins, lowestSdk(file));
    return unused || unpinned.length > 0 ? 'other' : 'pinned';
  });
  return (['invalid', 'unsigned', 'other'] as const).find((bad) => each.includes(bad)) ?? 'pinned';
}

const lowestSdk = ({ identity }: FileInspection): number => {
  const sdk = Number(identity.minSdk ?? Number.NaN);
  return Number.isSafeInteger(sdk) && sdk > 0 ? sdk : 1;
};

/** Where the signer is one that some of the channels name, those that name another are not it. */
function bySigner(found: readonly Fit[]): {
  readonly fits: readonly Fit[];
  readonly unsuited: readonly ChannelMisfit[];
} {
  if (!found.some(({ signer }) => signer === 'pinned')) return { fits: found, unsuited: [] };
  return {
    fits: found.filter(({ signer }) => signer !== 'other'),
    unsuited: found
      .filter(({ signer }) => signer === 'other')
      .map(({ app, channel }) => ({
        app,
        channel,
        reason: 'its signer is none of those that this channel has',
      })),
  };
}

/** The file itself and, of a set, each of its files. */
function heldOf({ name: own, sha256: whole, files }: FileFacts): readonly HeldFile[] {
  const parts = files.map(({ name, sha256 }) => ({ name, sha256 }));
  return whole === undefined ? parts : [{ name: own, sha256: whole }, ...parts];
}

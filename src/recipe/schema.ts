// SPDX-License-Identifier: Apache-2.0
/** What a recipe may say (`recipes/*.yaml`): reviewed data about how one app's versions become source, build and comparison. */
import { z } from 'zod';
import { PLATFORMS } from '../model.js';
import {
  appId,
  channelId,
  commit,
  date,
  pathBelow,
  range,
  strict,
  text,
  version,
  webAddress,
  word,
} from './schema-parts.js';
import { build, hostBuild, unpublished } from './schema-build.js';
import { channel } from './schema-channel.js';
import { source, versions } from './schema-source.js';

const evidence = strict({ url: webAddress, date: date.optional(), note: text.optional() });

const reading = strict({
  what: text.describe('The fact that was read there.'),
  versions: range.default('*'),
  repository: webAddress.optional(),
  path: text.optional(),
  commit: commit.optional(),
  url: webAddress.optional(),
  date: date.describe('When it was read.'),
  confirmed: z
    .boolean()
    .default(true)
    .describe(
      'False: the maker’s own source was not seen to say it; shown as unconfirmed, also in the plan.',
    ),
  note: text.optional(),
}).refine((value) => value.url !== undefined || value.repository !== undefined || !value.confirmed, {
  path: ['url'],
  error: 'expected url, or repository and path: where it was read',
});

const status = strict({
  kind: word([
    'reproducible-claimed',
    'buildable-unclaimed',
    'distribution',
    'closed',
    'retired',
    'demonstration',
  ]),
  note: text.optional(),
  evidence: z.array(evidence).min(1),
}).describe('What the makers say about rebuilding this app, and where they say it.');

// ---------------------------------------------------------------- the recipe

export const recipeSchema = strict({
  schemaVersion: z.literal(1),
  app: appId,
  title: text,
  platform: word(PLATFORMS).describe('What the app runs on.'),
  homepage: webAddress.optional(),
  status,
  evidence: z
    .array(reading)
    .default([])
    .describe('Where the facts below were read; what could not be confirmed says so.'),
  source: source.optional(),
  versions,
  defaultChannel: channelId.optional(),
  channels: z.record(channelId, channel).default({}),
  unsupportedChannels: z
    .array(
      strict({
        channel: channelId,
        platform: word(PLATFORMS).optional().describe("Where it is not the recipe's."),
        reason: text,
      }),
    )
    .default([])
    .describe('Channels that exist and that this recipe cannot check yet, and why.'),
  builds: z.array(build).default([]).describe('Ranges must neither overlap nor leave a gap.'),
  hostBuilds: z
    .array(hostBuild)
    .default([])
    .describe('Versions that only another system can build: the verdict is needs-host.'),
  unpublished: z
    .array(unpublished)
    .default([])
    .describe('Constants and secrets of the official build that its makers do not publish.'),
  liveInputs: z
    .array(unpublished)
    .default([])
    .describe('What the build takes from servers that answer differently from day to day.'),
  inputs: z
    .array(
      strict({
        path: pathBelow,
        what: word(['dummy-keystore', 'dummy-configuration', 'constant']),
        note: text,
        reference: text.optional(),
      }),
    )
    .default([])
    .describe("Stand-ins in the source tree for the makers' own keys and accounts."),
  carried: z
    .array(strict({ versions: range.default('*'), path: text, note: text, reference: text.optional() }))
    .default([])
    .describe('Binaries in the tree or its dependencies that nobody builds.'),
  knownResults: z
    .array(
      strict({
        by: text,
        versions: z.array(version).min(1),
        channel: channelId,
        result: text,
        reason: text.optional(),
        url: webAddress,
      }),
    )
    .default([])
    .describe('What others found, shown beside ours.'),
}).meta({
  title: 'samesource recipe',
});

export type Recipe = z.output<typeof recipeSchema>;
export type RecipeStrategy = Recipe['versions']['resolve'][number];
export type RecipeChannel = Recipe['channels'][string];
export type RecipeBuild = Recipe['builds'][number];

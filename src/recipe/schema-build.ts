// SPDX-License-Identifier: Apache-2.0
/** How versions are built: image, toolchain out of the source, phases, outputs; and what only another system can build. */
import { z } from 'zod';
import { HOST_SYSTEMS, VARIATIONS } from '../model.js';
import {
  absolutePath,
  byKind,
  capturingPattern,
  channelId,
  hostName,
  identifier,
  imageDigest,
  outputPath,
  pathBelow,
  positive,
  range,
  sha256,
  strict,
  text,
  variableName,
  version,
  webAddress,
  word,
} from './schema-parts.js';

const image = byKind([
  strict({
    kind: z.literal('registry'),
    reference: text,
    digest: imageDigest,
    evidence: text.describe('Where the digest was read.'),
  }),
  strict({ kind: z.literal('lock'), name: identifier }),
  strict({
    kind: z.literal('floating'),
    reference: text.describe(
      'A reference without digest: resolved once, and kept in locks/<app>/<version>.json.',
    ),
  }),
  strict({
    kind: z.literal('extracted'),
    from: identifier.describe('Name of the toolchain fact that is the reference.'),
    assumed: text
      .optional()
      .describe('What the fact is taken to be where the file could not be read; such a plan does not run.'),
  }),
  strict({ kind: z.literal('none') }),
  strict({
    kind: z.literal('host'),
    system: word(HOST_SYSTEMS),
    osVersion: text.optional().describe('Or what it begins with: 26 is also 26.1. May hold {toolchain.…}.'),
    xcode: strict({
      version: text.describe('May hold {toolchain.…}.'),
      builds: z
        .record(identifier, identifier)
        .default({})
        .describe('What a version is built as, where known.'),
    }).optional(),
    architecture: identifier.optional().describe('As `uname -m` says it.'),
    tools: z.array(identifier).default([]).describe('Programs that the machine must have.'),
  }).describe('No container: a machine of another system, which --engine ssh reaches.'),
]).describe('The base of the environment. No digest without evidence.');

const buildOfImage = {
  arguments: z
    .record(variableName, text)
    .optional()
    .describe('Values of ARG, with {toolchain.…} where the source states them.'),
  target: identifier.optional().describe('The stage that is built; without it the last one.'),
};

const dockerfile = byKind([
  strict({ kind: z.literal('source'), path: pathBelow, ...buildOfImage }),
  strict({
    kind: z.literal('override'),
    path: pathBelow,
    reason: text,
    reference: text,
    ...buildOfImage,
  }),
]);

const environment = strict({
  image,
  dockerfile: dockerfile.optional(),
  user: identifier,
  directory: absolutePath,
  locale: text,
  timeZone: text,
  sourceDateEpoch: z.union([z.int().min(0), word(['commit', 'changelog', 'unset'])]),
  variables: z.record(variableName, z.string()).default({}),
  memoryMiB: positive,
  diskMiB: positive,
  minutes: positive.describe('Time limit.'),
  expectedMinutes: positive,
  cpus: positive,
});

const phase = strict({
  name: word(['prepare', 'build']),
  user: identifier.optional(),
  network: z.boolean(),
  networkReason: text.optional(),
  hosts: z
    .array(hostName)
    .min(1)
    .optional()
    .describe('All hosts that it may ask; *. stands for every name below. Default: any.'),
  certificate: z
    .boolean()
    .optional()
    .describe(
      'The certificate of the recording proxy is put where programs look for one, so that HTTPS is recorded too.',
    ),
  script: text,
})
  .refine((value) => value.name === 'prepare' || !value.network || value.networkReason !== undefined, {
    path: ['networkReason'],
    error: 'expected a reason: the build phase has no network unless the recipe says why',
  })
  .refine((value) => value.network || (value.hosts === undefined && value.certificate === undefined), {
    path: ['network'],
    error: 'expected true: hosts and certificate are for a phase with the network',
  });

const fact = {
  name: identifier,
  what: text.describe('In people’s words: NDK, base image.'),
  file: pathBelow,
  assumed: text
    .optional()
    .describe('What the fact is taken to be where the file could not be read; such a plan does not run.'),
};

const extractor = byKind([
  strict({
    kind: z.literal('dockerfile-from'),
    ...fact,
    stage: z.int().min(0).default(0).describe('Which FROM, counted from 0.'),
  }),
  strict({ kind: z.literal('dockerfile-arg'), ...fact, arg: text.describe('Name of an ARG or ENV.') }),
  strict({ kind: z.literal('gradle-wrapper'), ...fact }),
  strict({ kind: z.literal('nvmrc'), ...fact }),
  strict({ kind: z.literal('rust-toolchain'), ...fact }),
  strict({ kind: z.literal('sdkmanager'), ...fact, package: text.describe('ndk, platforms, build-tools …') }),
  strict({ kind: z.literal('pattern'), ...fact, pattern: capturingPattern }),
]).describe('A fact that stands in a file of the source at the commit.');

const proven = strict({
  version,
  by: text.describe('Whose build of it gave the published file, and where that is written.'),
  toolchain: z.record(identifier, text).default({}),
  files: z.record(pathBelow, sha256).default({}).describe('SHA-256 of watched files at that version.'),
}).describe('The newest version of the range that was rebuilt; what has changed since is extrapolated.');

const deviation = strict({
  code: identifier,
  what: text,
  reason: text,
  canChangeOutput: word(['yes', 'no', 'unknown']),
});

const changes = word(['yes', 'no', 'unknown']);

const fallback = byKind([
  strict({
    kind: z.literal('image'),
    reference: text.describe('The same image elsewhere, or another one.'),
    digest: imageDigest.optional().describe('Where it is another one; without it that of the image.'),
    reason: text.describe('Where it is from, and why it can stand in.'),
  }),
  strict({
    kind: z.literal('lock'),
    name: identifier.describe('A lock of packages of this project, in the place of the image.'),
    reason: text,
  }),
  strict({
    kind: z.literal('address'),
    of: webAddress.describe('The beginning of an address in the prepare script or the Dockerfile.'),
    by: webAddress.describe('What is asked in its place.'),
    reason: text,
    canChangeOutput: changes.describe('no only where a digest or a signed index is checked all the same.'),
  }),
]).describe('Taken when a server says that something is gone (404, 410), in this order.');

export const build = strict({
  versions: range,
  evidence: text.optional(),
  submodules: z.boolean().optional().describe("Overrides the source's."),
  toolchain: z.array(extractor).default([]),
  watch: z.array(strict({ file: pathBelow, what: text })).default([]),
  proven: proven.optional(),
  environment,
  phases: z.array(phase).min(1),
  outputs: z.array(strict({ id: identifier, path: outputPath })).min(1),
  deviations: z.array(deviation).default([]),
  fallbacks: z.array(fallback).default([]),
  vary: z
    .array(word(VARIATIONS))
    .min(1)
    .optional()
    .describe('What the build that confirms a mismatch is made with otherwise, since it must not matter.'),
});

export const hostBuild = strict({
  versions: range,
  system: word([...HOST_SYSTEMS, 'windows']),
  needs: z.array(text).min(1).describe('What a machine must have.'),
  steps: z.array(text).min(1).describe('What would be done there, as the makers say it.'),
  reason: text.describe('Why no container can do it.'),
  reference: webAddress,
});

export const unpublished = strict({
  versions: range.default('*'),
  channels: z.array(channelId).min(1).optional().describe('The channels whose files it is in; default all.'),
  what: text,
  note: text,
  reference: text,
  canChangeOutput: word(['yes', 'no', 'unknown']),
});

// SPDX-License-Identifier: Apache-2.0
/** What a recipe may say (`recipes/*.yaml`): reviewed data about how one app's versions become source, build and comparison. */
import { z } from 'zod';
import { PLATFORMS, RULE_NAMES, RULE_SETS, STATED_BY } from '../model.js';
import type { RuleName, RuleSetName } from '../model.js';
import {
  absolutePath,
  appId,
  byKind,
  capturingPattern,
  channelId,
  commit,
  date,
  fieldPath,
  githubRepository,
  identifier,
  keyFingerprint,
  imageDigest,
  outputPath,
  pathBelow,
  positive,
  range,
  repositoryAddress,
  sha256,
  strict,
  subjectPattern,
  text,
  variableName,
  version,
  webAddress,
  word,
} from './schema-parts.js';

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

// ---------------------------------------------------------------- source and versions

const source = byKind([
  strict({
    kind: z.literal('git'),
    repository: repositoryAddress,
    fullHistory: z.boolean().default(false),
    submodules: z.boolean().default(false),
    lfs: z.boolean().default(false),
    tagKey: text.optional().describe('Armoured OpenPGP public key that must have signed the tag.'),
  }),
  strict({
    kind: z.literal('debian'),
    suite: identifier,
    component: identifier,
    package: identifier,
    architecture: identifier,
  }),
  strict({ kind: z.literal('bundled'), directory: pathBelow }),
]);

const pinnedVersion = strict({
  version,
  commit,
  ref: text.optional().describe('The tag or branch that named the commit.'),
  build: positive.optional().describe('The build number, where versions have one.'),
  date: date.optional(),
  note: text.optional(),
  evidence: text
    .optional()
    .describe('Where this pairing of version and commit was read, unless stated for all.'),
});

const strategy = byKind([
  strict({
    kind: z.literal('pinned'),
    evidence: text,
    complete: range
      .optional()
      .describe('Where this map is known to be complete, no other strategy is asked.'),
    versions: z.array(pinnedVersion).min(1),
  }),
  strict({
    kind: z.literal('tag'),
    templates: z
      .array(text)
      .min(1)
      .describe('Spellings with {version} and perhaps {build}, the usual one first.'),
    known: z
      .array(version)
      .default([])
      .describe('Versions known to have such a tag, for use without network.'),
    evidence: text.optional(),
  }),
  strict({
    kind: z.literal('commit-subject'),
    pattern: subjectPattern,
    known: z
      .array(version)
      .default([])
      .describe('Versions known to have such a commit, for use without network.'),
    evidence: text.optional(),
  }),
  strict({
    kind: z.literal('release-name'),
    evidence: text,
    releases: z
      .array(strict({ name: version, tag: text }))
      .min(1)
      .describe('For makers whose tags do not carry the version that the store shows.'),
  }),
  strict({ kind: z.literal('debian-archive') }),
  strict({
    kind: z.literal('bundled'),
    tag: text.describe('With {version}.'),
    versions: z.array(strict({ version, build: positive })).min(1),
  }),
]);

const assertion = strict({
  versions: range.default('*'),
  file: pathBelow,
  pattern: capturingPattern,
  expected: text.describe('With {version} and {build}.'),
  what: word(['version-name', 'version-code']),
});

const versions = strict({
  resolve: z.array(strategy).default([]).describe('Asked in this order; the first one with an answer wins.'),
  withoutSource: z
    .array(strict({ versions: range, reason: text, reference: text }))
    .default([])
    .describe('In the store, but never published as source.'),
  assertions: z
    .array(assertion)
    .default([])
    .describe('What the source must say about itself after checkout.'),
});

// ---------------------------------------------------------------- channels

const ruleUse = strict({
  rule: word([...RULE_NAMES, ...(Object.keys(RULE_SETS) as RuleSetName[])] as unknown as readonly [
    RuleName | RuleSetName,
    ...(RuleName | RuleSetName)[],
  ]),
  reason: text,
  reference: text,
  versions: range.default('*'),
});

const signer = strict({
  sha256,
  minSdk: positive.optional(),
  maxSdk: positive.optional(),
  statedBy: word(STATED_BY).describe('Whether the publisher states this certificate or somebody else does.'),
  source: text.describe('Where this certificate digest was read.'),
});

const acquisition = byKind([
  strict({ kind: z.literal('handed-over'), how: text }),
  strict({ kind: z.literal('url'), url: webAddress, onlyLatest: z.boolean() }),
  strict({
    kind: z.literal('latest-json'),
    index: webAddress.describe("The publisher's own file about the newest version."),
    versionField: fieldPath,
    urlField: fieldPath,
    sha256Field: fieldPath.optional(),
    url: webAddress.optional().describe('Where any version lies, with {version}; without a digest, then.'),
  }),
  strict({
    kind: z.literal('github-release'),
    repository: githubRepository,
    tag: text.describe('With {version} and perhaps {build}.'),
    asset: text.describe('The name of the file among the assets, with {version} and perhaps {build}.'),
  }),
  strict({ kind: z.literal('debian-archive') }),
  strict({ kind: z.literal('bundled'), files: z.array(pathBelow).min(1) }),
  strict({
    kind: z.literal('fdroid'),
    repository: repositoryAddress.describe('Where entry.jar lies.'),
    archive: repositoryAddress.optional().describe('Where versions go that the repository no longer lists.'),
    fingerprint: sha256.describe('Of the certificate that signs the index.'),
    abi: identifier.optional().describe('Which of several files of one version.'),
  }),
  strict({
    kind: z.literal('phone'),
    package: identifier.optional().describe('Default: the packageId of the channel.'),
    how: text.optional().describe('How the app gets onto the phone.'),
  }),
  strict({ kind: z.literal('site-files'), entry: webAddress.describe('The page that a visitor opens.') }),
  strict({
    kind: z.literal('debian-repository'),
    url: repositoryAddress,
    suite: identifier,
    component: identifier,
    package: identifier,
    architecture: identifier,
    version: text.default('{debianVersion}').describe('As the index writes it.'),
    key: strict({
      file: identifier.describe('An armoured public key in recipes/keys.'),
      fingerprints: z
        .array(keyFingerprint)
        .min(1)
        .describe('Of the primary keys of which one must have signed.'),
    }),
  }),
]);

const condition = strict({
  versionCode: strict({ modulus: z.int().min(2), remainder: z.int().min(0) }).optional(),
  abi: text.optional().describe('Native code of the published file, e.g. arm64-v8a.'),
}).refine((value) => value.versionCode !== undefined || value.abi !== undefined, {
  error: 'expected versionCode or abi',
});

const transparencyLog = strict({
  log: word(['google-apk']),
  evidence: text.describe('Where it was read that this log holds this package.'),
});

const channel = strict({
  title: text,
  builtBy: word(['publisher', 'distribution', 'store']),
  packageId: identifier.optional(),
  versionName: text
    .optional()
    .describe('As the published file writes it, with {version}, where that is not the version itself.'),
  versionCode: strict({
    times: positive,
    plus: z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]),
  })
    .optional()
    .describe('versionCode = build number × times + plus, one of several where files of it differ'),
  signers: z.array(signer).default([]),
  acquisition,
  pairs: z
    .array(
      strict({
        published: text,
        output: identifier,
        when: condition
          .optional()
          .describe('What the published file says of itself, where several outputs can be its twin.'),
      }),
    )
    .min(1)
    .optional()
    .describe(
      'Which output each published file is compared with; without it every output is published under its own name.',
    ),
  files: z
    .array(text)
    .default([])
    .describe('Names of the published files, where no build has outputs to pair them with.'),
  eachAlone: z
    .boolean()
    .default(false)
    .describe('Users get one of the published files (one for each ABI, say): those at hand are compared.'),
  encryption: strict({ scheme: word(['FairPlay']), shows: text, hides: text })
    .optional()
    .describe('How the store encrypts what users get; what such a file can show and what it cannot.'),
  transparencyLog: transparencyLog.optional(),
  notPublished: z.array(strict({ pattern: text, reason: text })).default([]),
  rules: z.array(ruleUse).default([]),
});

// ---------------------------------------------------------------- builds

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
  script: text,
}).refine((value) => value.name === 'prepare' || !value.network || value.networkReason !== undefined, {
  path: ['networkReason'],
  error: 'expected a reason: the build phase has no network unless the recipe says why',
});

const fact = {
  name: identifier,
  what: text.describe('In people’s words: NDK, base image.'),
  file: pathBelow,
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

const build = strict({
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
});

const hostBuild = strict({
  versions: range,
  system: word(['macos', 'windows']),
  needs: z.array(text).min(1).describe('What a machine must have.'),
  steps: z.array(text).min(1).describe('What would be done there, as the makers say it.'),
  reason: text.describe('Why no container can do it.'),
  reference: webAddress,
});

const unpublished = strict({
  versions: range.default('*'),
  what: text,
  note: text,
  reference: text,
  canChangeOutput: word(['yes', 'no', 'unknown']),
});

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
    .array(strict({ channel: channelId, reason: text }))
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

// SPDX-License-Identifier: Apache-2.0
/** Where users get an app: how the file is got, who signs it, what it is compared with. */
import { z } from 'zod';
import { RULE_NAMES, RULE_SETS, STATED_BY } from '../model.js';
import type { RuleName, RuleSetName } from '../model.js';
import {
  byKind,
  fieldPath,
  githubRepository,
  identifier,
  keyFingerprint,
  pathBelow,
  positive,
  range,
  repositoryAddress,
  sha256,
  strict,
  text,
  webAddress,
  word,
} from './schema-parts.js';

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
  strict({
    kind: z.literal('site-files'),
    entry: webAddress.describe('The page that a visitor opens.'),
    versionFile: pathBelow
      .optional()
      .describe('The file beside that page that says which version the site serves, and nothing else.'),
  }),
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

export const channel = strict({
  title: text,
  builtBy: word(['publisher', 'distribution', 'store']),
  instructions: word(['to-build'])
    .optional()
    .describe('Where the makers tell how to reproduce other files of the app, but not these.'),
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
  tag: text
    .optional()
    .describe(
      'As the tags of its versions are called, where other channels have other versions: v{version}-beta.',
    ),
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

// SPDX-License-Identifier: Apache-2.0
/** Where an app's source is, and how its versions lead to commits. */
import { z } from 'zod';
import {
  byKind,
  capturingPattern,
  commit,
  date,
  identifier,
  pathBelow,
  positive,
  range,
  repositoryAddress,
  strict,
  subjectPattern,
  text,
  version,
  word,
} from './schema-parts.js';

export const source = byKind([
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

export const versions = strict({
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

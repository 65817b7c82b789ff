// SPDX-License-Identifier: Apache-2.0
/** The recipes of this project, as files and as plans. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Fact, Plan } from '../../src/model.js';
import { parseRecipe, recipeDigest } from '../../src/recipe/load.js';
import { makePlan } from '../../src/recipe/plan.js';
import type { Recipe } from '../../src/recipe/schema.js';

const directory = new URL('../../../recipes/', import.meta.url);

export const recipeFiles = (): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort();

export const recipeText = (file: string): string => readFileSync(new URL(file, directory), 'utf8');

export function readRecipe(app: string): Recipe {
  return parseRecipe(`recipes/${app}.yaml`, recipeText(`${app}.yaml`));
}

export const LOCKS = {
  'debian-12': { sha256: 'ab'.repeat(32), packages: 120 },
  'debian-12-jdk-17': { sha256: 'ac'.repeat(32), packages: 190 },
  'debian-13-jdk-21': { sha256: 'ad'.repeat(32), packages: 180 },
};

export function planOf(
  recipe: Recipe,
  version: string,
  options: { channel?: string; source?: string; facts?: readonly Fact[]; onHost?: boolean } = {},
): Plan {
  const { facts = [], onHost, ...request } = options;
  const context = { facts, locks: LOCKS, recipeSha256: recipeDigest(''), onHost };
  return makePlan(recipe, { version, ...request }, context);
}

/** As the signed index of an archive says it of a recipe's package. */
export const debianFacts = (name: string, version: string): readonly Fact[] => {
  const { outputs } = readRecipe(name).builds[0] ?? { outputs: [] };
  return [
    {
      kind: 'debian-source',
      suite: 'bookworm',
      component: 'main',
      package: name,
      architecture: 'amd64',
      release: { sha256: '2'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: ['0'.repeat(40)] },
      sources: [
        {
          version,
          directory: `pool/main/${name.slice(0, 1)}/${name}`,
          files: [{ name: `${name}_${version}.dsc`, size: 1, sha256: '0'.repeat(64) }],
          binaries: outputs.map(({ id, path }) => ({
            package: id,
            version,
            architecture: path.endsWith('_all.deb') ? 'all' : 'amd64',
            path: `pool/main/${name.slice(0, 1)}/${name}/${path.slice(3).replace('{fileVersion}', version)}`,
            size: 1,
            sha256: '1'.repeat(64),
          })),
        },
      ],
    },
  ];
};

/** A small valid recipe. */
export const SMALL_RECIPE = `schemaVersion: 1
app: small
title: Small
platform: android
status:
  kind: buildable-unclaimed
  evidence:
    - url: https://example.org/
evidence:
  - { what: all of it, url: https://example.org/, date: '2026-11-01' }
source:
  kind: git
  repository: https://example.org/small
versions:
  resolve:
    - kind: pinned
      evidence: read in the repository
      versions:
        - version: '10.9.1'
          build: 5
          commit: a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1
        - version: '10.10'
          build: 6
          commit: b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2
channels:
  website:
    title: Website
    builtBy: publisher
    packageId: org.example.small
    versionCode: { times: 10, plus: 9 }
    acquisition: { kind: handed-over, how: download it }
    pairs: [{ published: small.apk, output: app }]
    rules:
      - rule: play
        reason: the store adds it
        reference: https://example.org/stamp
builds:
  - versions: '>=10 <11'
    environment:
      image: { kind: lock, name: debian-12 }
      user: builder
      directory: /build/small
      locale: C.UTF-8
      timeZone: UTC
      sourceDateEpoch: commit
      memoryMiB: 512
      diskMiB: 512
      minutes: 10
      expectedMinutes: 1
      cpus: 1
    phases:
      - name: build
        network: false
        script: make VERSION={version} OUT=\${OUT}
    outputs:
      - { id: app, path: 'out/small-{version}.apk' }
`;

export function smallRecipe(edit: (text: string) => string = (text) => text): Recipe {
  return parseRecipe('small.yaml', edit(SMALL_RECIPE));
}

/** Replaces exactly one place, so that a test cannot change nothing. */
export function replaced(from: string, to: string): (text: string) => string {
  return (text) => {
    if (text.split(from).length !== 2) throw new Error(`${JSON.stringify(from)} does not stand exactly once`);
    return text.replace(from, () => to);
  };
}

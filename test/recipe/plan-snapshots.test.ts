// SPDX-License-Identifier: Apache-2.0
/** Whole plans: a change of a recipe shows here in full. Renew with `npx ava --update-snapshots`. */
import test from 'ava';
import type { Fact } from '../../src/model.js';
import { planOf, readRecipe } from '../helpers/recipes.js';

const debian = (name: string, version: string): readonly Fact[] => {
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

for (const [app, version] of [
  ['weechat', '3.8-1'],
  ['bitlbee', '3.6-1.3'],
] as const)
  test(`the plan for ${app} ${version}, from a signed index`, (t) => {
    t.snapshot(planOf(readRecipe(app), '3.x', { facts: debian(app, version) }));
  });

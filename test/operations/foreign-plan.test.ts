// SPDX-License-Identifier: Apache-2.0
/** A report is written by anybody: its plan reaches nothing of this machine that no recipe gives. */
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { UsageError } from '../../src/errors.js';
import type { BuildPlan, ComparePlan, Plan } from '../../src/model.js';
import { assertRunnable } from '../../src/operations/foreign-plan.js';
import { plan as planHere } from '../../src/operations/plan.js';
import { debianFacts, planOf, readRecipe } from '../helpers/recipes.js';

const BITLBEE = planOf(readRecipe('bitlbee'), '3.x', { facts: debianFacts('bitlbee', '3.6-1.3') });
const SOURCE = {
  kind: 'git',
  repository: 'https://example.org/app',
  commit: 'a1'.repeat(20),
  fullHistory: false,
  submodules: false,
  lfs: false,
  assertions: [],
} as const;

type Changes = { readonly build?: Partial<BuildPlan>; readonly compare?: Partial<ComparePlan> };

/** True to itself, as everything of a report is that somebody forged well. */
function changed(plan: Plan, { build = {}, compare = {} }: Changes): Plan {
  const parts = { build: { ...plan.build, ...build }, compare: { ...plan.compare, ...compare } };
  return {
    ...plan,
    ...parts,
    buildDigest: digestOf(parts.build),
    compareDigest: digestOf(parts.compare),
  };
}

const environment = (change: object): Changes => ({
  build: { environment: { ...BITLBEE.build.environment, ...change } },
});

test('plans of recipes run, with a container of their own', async (t) => {
  const weechat = planOf(readRecipe('weechat'), '3.x', { facts: debianFacts('weechat', '3.8-1') });
  const telegram = planOf(readRecipe('telegram-android'), '10.x');
  const image = { kind: 'registry', reference: 'gradle', digest: `sha256:${'0'.repeat(64)}` } as const;
  const pinned = changed(telegram, { build: { environment: { ...telegram.build.environment, image } } });
  for (const plan of [BITLBEE, weechat, pinned])
    await t.notThrowsAsync(assertRunnable(plan, undefined, {}), plan.target.app);
});

const refused: readonly (readonly [string, Changes, RegExp])[] = [
  ['a build on the machine itself', environment({ image: { kind: 'none' } }), /runs without a container/],
  [
    'a directory of the machine as its source',
    { build: { source: { kind: 'bundled', directory: '../../.ssh', tag: 'v1', assertions: [] } } },
    /build\/source/,
  ],
  [
    'another directory of the package',
    { build: { source: { kind: 'bundled', directory: 'recipes', tag: 'v1', assertions: [] } } },
    /takes files of this package/,
  ],
  [
    'a repository of the machine',
    { build: { source: { ...SOURCE, repository: 'file:///home/user/private' } } },
    /a repository of this machine/,
  ],
  [
    'a repository by a command',
    { build: { source: { ...SOURCE, repository: 'ext::sh -c id' } } },
    /build\/source/,
  ],
  ['an option as a tag', { build: { source: { ...SOURCE, ref: '--upload-pack=id' } } }, /build\/source/],
  [
    'a file of the source that lies elsewhere',
    {
      build: {
        source: {
          ...(BITLBEE.build.source as Extract<BuildPlan['source'], { kind: 'debian' }>),
          files: [{ name: '../../x', size: 1, sha256: '0'.repeat(64) }],
        },
      },
    },
    /build\/source/,
  ],
  ['a lock that lies elsewhere', environment({ image: { kind: 'lock', name: '../../x' } }), /image/],
  [
    'an option as an image',
    environment({
      image: { kind: 'registry', reference: '--privileged', digest: `sha256:${'0'.repeat(64)}` },
    }),
    /image/,
  ],
  [
    'a Dockerfile that lies elsewhere',
    environment({ dockerfile: { from: 'override', path: '../../home/user/Dockerfile' } }),
    /dockerfile/,
  ],
  [
    'a Dockerfile among other files of the package',
    environment({ dockerfile: { from: 'override', path: 'node_modules/x/Dockerfile' } }),
    /takes files of this package/,
  ],
  ['no limit', environment({ minutes: 0 }), /minutes/],
  ['a user that is an option', environment({ user: '--privileged' }), /user/],
  ['an output above all', { build: { outputs: [{ id: 'x', path: '../../../etc/shadow' }] } }, /outputs/],
  [
    'a published file of the machine',
    { compare: { acquisition: { kind: 'bundled', files: ['../../.ssh/id_ed25519'] } } },
    /takes published files from/,
  ],
  [
    'a published file that is written elsewhere',
    {
      compare: {
        acquisition: { kind: 'github-release', repository: 'a/b', tag: 'v1', asset: '../../.bashrc' },
      },
    },
    /takes published files from/,
  ],
];

for (const [title, changes, message] of refused)
  test(`${title} is refused`, async (t) => {
    // the app of a recipe that needs nobody else for its plan
    const plan = changed({ ...BITLBEE, target: { app: 'demo', version: '1.0.0', channel: 'demo' } }, changes);
    const error = await t.throwsAsync(assertRunnable(plan, undefined, {}), { instanceOf: UsageError });
    t.is(error?.code, 'foreign-plan');
    t.regex(error?.message ?? '', message);
  });

test('without a container only the very plan of the recipe runs', async (t) => {
  const { plan } = await planHere({ app: 'demo', version: 'latest' });
  await t.notThrowsAsync(assertRunnable(plan, undefined, {}));
  const phases = plan.build.phases.map((phase) => ({ ...phase, script: `${phase.script}; id` }));
  for (const other of [
    changed(plan, { build: { phases } }),
    changed(plan, { compare: { signers: [] } }),
    { ...changed(plan, { build: { phases } }), target: { ...plan.target, app: 'nobody' } },
  ])
    await t.throwsAsync(assertRunnable(other, undefined, {}), { code: 'foreign-plan' });
});

// SPDX-License-Identifier: Apache-2.0
/** What a finished phase left is of a plan by its digest, and of what that plan names by path. */
import test from 'ava';
import { packageParts } from '../../src/inputs/builds/build-key.js';
import { packageRoot, packageVersion } from '../../src/inputs/package-files.js';
import type { KeptRun } from '../../src/operations/kept-run.js';
import { assertSamePackage } from '../../src/operations/same-plan.js';
import { localPlan, world } from '../helpers/local-plan.js';

test('another Dockerfile under the same path, and another version of this tool, are another plan', async (t) => {
  const plain = localPlan(world(t));
  const dockerfile = { from: 'override', path: 'docker/android/Dockerfile' } as const;
  const plan = {
    ...plain,
    build: { ...plain.build, environment: { ...plain.build.environment, dockerfile } },
  };
  const packageSha256 = await packageParts(plan.build, packageRoot());
  if (packageSha256 === undefined) return t.fail();
  const kept: KeptRun = {
    schemaVersion: 1,
    run: '20261129t160000-abcdef',
    operation: 'verify',
    begun: '2026-11-29T16:00:00.000Z',
    tool: await packageVersion(),
    target: plan.target,
    planSha256: '0'.repeat(64),
    packageSha256,
    request: { app: 'chat', version: '1.0' },
    phases: [],
    touched: [],
  };
  await t.notThrowsAsync(assertSamePackage(kept, { plan, facts: [] }));
  const { packageSha256: _, ...without } = kept;
  await t.notThrowsAsync(assertSamePackage(without, { plan: plain, facts: [] }));
  for (const other of [{ ...kept, packageSha256: '0'.repeat(64) }, without, { ...kept, tool: '0.0.1' }])
    await t.throwsAsync(assertSamePackage(other, { plan, facts: [] }), { code: 'plan-changed' });
});

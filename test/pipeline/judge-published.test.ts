// SPDX-License-Identifier: Apache-2.0
/** What a published file must say of itself before anything is built: the version as its publisher writes it. */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UsageError } from '../../src/errors.js';
import type { ComparePlan, Plan } from '../../src/model.js';
import { judgePublished } from '../../src/pipeline/judge-published.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { planOf, smallRecipe } from '../helpers/recipes.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

async function judged(
  t: ExecutionContext,
  versionName: string,
  compare: Partial<ComparePlan>,
): Promise<string> {
  const name = 'small.apk';
  const file = path.join(temporaryDirectory(t), name);
  const data = buildManifest({ package: 'org.example.small', versionName });
  writeFileSync(file, buildZip([{ name: 'AndroidManifest.xml', data }]));
  const whole = planOf(smallRecipe(), '10.10');
  const { versionCodes: _, ...rest } = whole.compare;
  const plan: Plan = { ...whole, compare: { ...rest, signers: [], ...compare } };
  const { size } = statSync(file);
  try {
    const found = await judgePublished(plan, [
      { name, path: file, size, sha256: '0'.repeat(64), from: 'handed-over' },
    ]);
    return found.kind;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.code;
  }
}

test('the version name is the version, or what the channel makes of it', async (t) => {
  t.is(await judged(t, '10.10', {}), 'judged');
  t.is(await judged(t, '10.10l', {}), 'other-version');
  t.is(await judged(t, '10.10l', { versionName: '10.10l' }), 'judged');
  t.is(await judged(t, '10.10', { versionName: '10.10l' }), 'other-version');
});

// SPDX-License-Identifier: Apache-2.0
/** What is kept of a run that ended without a verdict. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { FailedHere } from '../../src/errors.js';
import { inKeptRun } from '../../src/operations/attempt.js';
import { localPlan, world } from '../helpers/local-plan.js';

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

test('a failure names its log where it is kept, and none where it is not', async (t) => {
  const at = world(t);
  const failing = (out: string | undefined): Promise<never> =>
    inKeptRun(localPlan(at), out, {}, async ({ directory }) => {
      await mkdir(path.join(directory, 'logs'));
      for (const name of ['build.log', 'prepare.log'])
        await writeFile(path.join(directory, 'logs', name), `${name}\n`);
      throw new FailedHere('prepare-failed', 'it failed', {
        hint: 'look into it',
        log: path.join(directory, 'logs/prepare.log'),
      });
    });
  const kept = await t.throwsAsync(failing(at.directory), { instanceOf: FailedHere, code: 'prepare-failed' });
  const [, log = ''] =
    /^look into it; the log is (.+\/attempts\/[^/]+\/logs\/2-prepare\.log)$/.exec(kept?.hint ?? '') ?? [];
  t.is(readFileSync(log, 'utf8'), 'prepare.log\n');
  const told = readFileSync(path.join(path.dirname(log), '../failure.json'), 'utf8');
  t.regex(told, /"hint": "look into it; the log is logs\/2-prepare\.log"/);
  const lost = await t.throwsAsync(failing(undefined), { instanceOf: FailedHere });
  t.is(lost?.hint, 'look into it');
});

// SPDX-License-Identifier: Apache-2.0
/** A disk that is full from some write on, at each stage of a run: our failure, or the verdict as ever, and nothing half. */
import {
  existsSync,
  mkdtempSync,
  promises as fs,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { FailedHere } from '../../src/errors.js';
import { cacheDirectory } from '../../src/inputs/cache.js';
import { runsDirectory } from '../../src/operations/run-directories.js';
import { verifyPlan, type VerifyResult } from '../../src/operations/verify.js';
import { readReport } from '../../src/operations/read-report.js';
import { localPlan, world } from '../helpers/local-plan.js';

const root = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = root;
test.after.always(() => rmSync(root, { recursive: true, force: true }));

/** Each of fifty would take twenty seconds. */
const STEP = 5;

type Write = (...args: readonly unknown[]) => Promise<unknown>;

/** What writes, counted; from the `from`-th on it fails. */
async function withFullDisk(
  from: number,
  work: () => Promise<unknown>,
): Promise<{ readonly writes: number; readonly result: unknown }> {
  const handle = await fs.open(path.join(root, 'handle'), 'w');
  const prototype = Object.getPrototypeOf(handle) as Record<string, Write>;
  await handle.close();
  const module = fs as unknown as Record<string, Write>;
  const places = [
    [module, ['writeFile', 'appendFile', 'copyFile', 'mkdir', 'link', 'symlink']],
    [prototype, ['write', 'writeFile']],
  ] as const;
  let writes = 0;
  const undo: (() => void)[] = [];
  for (const [place, names] of places)
    for (const name of names) {
      const own = place[name];
      if (own === undefined) continue;
      place[name] = function (this: unknown, ...args) {
        if (++writes < from) return own.apply(this, [...args]);
        return Promise.reject(
          Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' }),
        );
      };
      undo.push(() => (place[name] = own));
    }
  try {
    return { result: await work().catch((error: unknown) => error), writes };
  } finally {
    for (const one of undo) one();
  }
}

test.serial('a disk that is full from some write on', async (t) => {
  t.timeout(120_000);
  const at = world(t);
  const plan = localPlan(at);
  const published = path.join(at.directory, 'chat.bin');
  writeFileSync(published, 'hello\n');
  const run = (out: string) => verifyPlan(plan, { published, out, madeSince: new Date() });
  const first = await withFullDisk(Number.POSITIVE_INFINITY, () => run(path.join(at.directory, 'fine')));
  t.true(first.writes > 20, `${first.writes} writes`);
  const ends = new Set<string>();
  for (let from = 1; from <= first.writes; from += STEP) {
    const out = path.join(at.directory, `out-${from}`);
    const { result } = await withFullDisk(from, () => run(out));
    if (result instanceof Error) {
      t.true(result instanceof FailedHere, `${from}: ${result.stack}`);
      t.is((result as FailedHere).code, 'disk-full', `${from}: ${result.message}`);
      ends.add('failed');
    } else {
      const { report, location = '' } = result as VerifyResult;
      t.is(report.statement.verdict.kind, 'reproducible', `${from}`);
      t.is((await readReport(location)).kind, 'consistent');
      ends.add('verdict');
    }
    // a report is there whole, or it is not
    const there = path.join(out, 'reports/chat/1.0/website');
    const names = existsSync(there) ? readdirSync(there) : [];
    t.is(names.length, result instanceof Error ? 0 : 1, `${from}: ${names.join()}`);
    t.deepEqual(readdirSync(runsDirectory(cacheDirectory())), [], `${from}`);
  }
  t.deepEqual([...ends].sort(), ['failed', 'verdict'], 'a build that cannot be kept costs no verdict');
  t.is((await run(path.join(at.directory, 'again'))).report.statement.verdict.kind, 'reproducible');
});

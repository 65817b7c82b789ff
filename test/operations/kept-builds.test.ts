// SPDX-License-Identifier: Apache-2.0
/** One build, many verdicts: what a later run takes from the store, and what it never does. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises as fs,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { FailedHere } from '../../src/errors.js';
import { buildPlaces, directoryOf } from '../../src/inputs/builds/build-directory.js';
import { cacheDirectory } from '../../src/inputs/cache.js';
import type { Plan } from '../../src/model.js';
import { verifyPlan, type VerifyRequest } from '../../src/operations/verify.js';
import type { Report } from '../../src/report/types.js';
import { localPlan, verified, world, type LocalPlan, type World } from '../helpers/local-plan.js';

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

const COPY = 'cp text.txt out/chat.bin';

/** A plan whose build counts how often it ran: nothing keeps a local build from the machine. */
function counting(at: World, script = COPY, more: LocalPlan = {}): Plan {
  const counted = `mkdir -p out; echo >> '${at.directory}/runs'; n=$(wc -l < '${at.directory}/runs'); ${script}`;
  return localPlan(at, { ...more, script: counted });
}

function runsOf(at: World): number {
  const file = path.join(at.directory, 'runs');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

function publish(at: World, text = 'hello\n'): string {
  const directory = path.join(at.directory, 'published');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'chat.bin'), text);
  return directory;
}

const reused = ({ run }: Report): readonly boolean[] => (run.usedBuilds ?? []).map((use) => use.reused);

async function again(
  t: ExecutionContext,
  at: World,
  plan: Plan,
  request: Omit<VerifyRequest, 'app' | 'version'>,
): Promise<Report> {
  return await verified(t, at, plan, request);
}

test('the same plan and file: built once, the same statement twice, and the run says which build it was', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const published = publish(at);
  const first = await again(t, at, plan, { published });
  const second = await again(t, at, plan, { published });
  t.is(runsOf(at), 1);
  t.is(first.statement.verdict.kind, 'reproducible');
  t.deepEqual(second.statement, first.statement);
  t.deepEqual([reused(first), reused(second)], [[false], [true]]);
  t.regex(first.run.usedBuilds?.[0]?.id ?? '', /^[0-9a-f]{64}$/);
  t.is(second.run.usedBuilds?.[0]?.id, first.run.usedBuilds?.[0]?.id);
  t.deepEqual(second.run.logs, first.run.logs);
  t.deepEqual(second.run.environment, first.run.environment);
  t.false('build' in second.run.seconds || 'prepare' in second.run.seconds || 'source' in second.run.seconds);
  t.false(first.run.statements.some(({ code }) => code === 'build-reused'));
  t.regex(
    second.run.statements.find(({ code }) => code === 'build-reused')?.sentence ?? '',
    /^The build was not made for this report: .* made with local at 2/,
  );
  t.is(second.run.builds, 1);
});

test('a kept build is not used again from before a moment, for another plan, or for a source that was handed over', async (t) => {
  const at = world(t);
  const published = publish(at);
  await again(t, at, counting(at), { published });
  t.deepEqual(reused(await again(t, at, counting(at), { published, madeSince: new Date() })), [false]);
  t.is(runsOf(at), 2);
  t.deepEqual(reused(await again(t, at, counting(at, `: ; ${COPY}`), { published })), [false]);
  t.is(runsOf(at), 3);
  const handed = await again(t, at, counting(at), { published, source: at.upstream.directory });
  t.deepEqual(reused(handed), [false]);
  t.is(handed.run.usedBuilds?.[0]?.id, undefined);
  t.is(runsOf(at), 4);
  t.deepEqual(reused(await again(t, at, counting(at), { published })), [true]);
});

test('another engine than the one that was asked for made it: built anew', async (t) => {
  const at = world(t);
  const published = publish(at);
  await again(t, at, counting(at), { published });
  t.deepEqual(reused(await again(t, at, counting(at), { published, engine: 'local' })), [true]);
  const error = await t.throwsAsync(() => verifyPlan(counting(at), { published, engine: 'docker' }));
  t.is((error as { code?: string }).code, 'engine-without-image');
});

test('a mismatch with one kept build is confirmed by a new one, and then by two kept ones', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const published = publish(at, 'other\n');
  const single = await again(t, at, plan, { published, confirm: false });
  t.is(single.run.standing, 'single');
  const confirmed = await again(t, at, plan, { published });
  t.deepEqual(reused(confirmed), [true, false]);
  t.is(confirmed.run.standing, 'confirmed');
  t.is(runsOf(at), 2);
  const compared: string[] = [];
  const { report: kept } = await verifyPlan(
    plan,
    { published },
    {
      onProgress: (event) =>
        event.kind === 'phase-started' && event.phase.startsWith('compare') && compared.push(event.title),
    },
  );
  t.deepEqual(reused(kept), [true, true]);
  t.is(compared.length, 1, 'builds that gave the same files are compared once');
  t.like(kept.run, { standing: 'confirmed', builds: 2 });
  t.is(runsOf(at), 2);
  t.deepEqual(kept.statement, single.statement);
});

test('two copies of one kept build are one build', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const published = publish(at, 'other\n');
  await again(t, at, plan, { published, confirm: false });
  const [place] = await buildPlaces(cacheDirectory(), plan.buildDigest ?? '');
  if (place === undefined) return t.fail();
  const from = directoryOf(cacheDirectory(), place);
  const text = JSON.stringify(
    JSON.parse(await fs.readFile(path.join(from, 'build.json'), 'utf8')),
    undefined,
    1,
  );
  const copy = directoryOf(cacheDirectory(), {
    ...place,
    id: createHash('sha256').update(text).digest('hex'),
  });
  await fs.cp(from, copy, { recursive: true });
  await fs.writeFile(path.join(copy, 'build.json'), text);
  t.is((await buildPlaces(cacheDirectory(), plan.buildDigest ?? '')).length, 2);
  const alone = await again(t, at, plan, { published, confirm: false });
  t.like(alone.run, { standing: 'single', builds: 1 });
  const confirmed = await again(t, at, plan, { published });
  t.deepEqual(reused(confirmed), [true, false]);
  t.is(runsOf(at), 2);
});

test('of several kept builds the one that matches speaks, also without a confirming build', async (t) => {
  const at = world(t);
  const plan = counting(at, `if test $n = 1; then ${COPY}; else echo $n > out/chat.bin; fi`);
  const published = publish(at);
  const first = await again(t, at, plan, { published });
  t.is(
    (await again(t, at, plan, { published, madeSince: new Date(), confirm: false })).statement.verdict.kind,
    'unreproducible',
  );
  await again(t, at, plan, { published, madeSince: new Date(), confirm: false });
  for (const confirm of [true, false]) {
    const report = await again(t, at, plan, { published, confirm });
    t.is(runsOf(at), 3);
    t.is(report.statement.verdict.kind, 'reproducible');
    t.like(report.run, { builds: 3, matchingBuilds: 1 });
    t.deepEqual(report.statement, first.statement);
  }
});

test('a source that does not build is kept as that, until a build succeeds', async (t) => {
  const at = world(t);
  const plan = counting(at, `if test $n = 1; then echo "$HOME/x.c:1: error: no" >&2; exit 3; fi; ${COPY}`);
  const published = publish(at);
  const first = await again(t, at, plan, { published });
  t.is(first.statement.verdict.kind, 'unbuildable');
  const second = await again(t, at, plan, { published });
  t.deepEqual(second.statement, first.statement);
  t.deepEqual(second.run.failureTail, first.run.failureTail);
  t.is(runsOf(at), 1);
  t.is(
    (await again(t, at, plan, { published, madeSince: new Date() })).statement.verdict.kind,
    'reproducible',
  );
  t.is((await again(t, at, plan, { published })).statement.verdict.kind, 'reproducible');
  t.is(runsOf(at), 2);
});

test('a failure of ours is never kept', async (t) => {
  const at = world(t);
  const plan = counting(at, `if test $n = 1; then kill -9 $$; fi; ${COPY}`);
  const published = publish(at);
  await t.throwsAsync(() => verifyPlan(plan, { published }), { instanceOf: FailedHere });
  t.deepEqual(reused(await again(t, at, plan, { published })), [false]);
  t.is(runsOf(at), 2);
});

test('a damaged build is told, removed and built again', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const published = publish(at);
  const { run, statement } = await again(t, at, plan, { published });
  const digest = plan.buildDigest ?? '';
  const [place] = await buildPlaces(cacheDirectory(), digest);
  if (place === undefined) return t.fail();
  t.is(run.usedBuilds?.[0]?.id, place.id);
  const object = path.join(
    directoryOf(cacheDirectory(), place),
    'objects',
    statement.subject.rebuilt[0]?.sha256 ?? '',
  );
  await fs.chmod(object, 0o644);
  await fs.writeFile(object, 'HELLO\n');
  const notes: string[] = [];
  const { report } = await verifyPlan(
    plan,
    { published },
    { onProgress: (event) => event.kind === 'note' && notes.push(event.text) },
  );
  t.is(report.statement.verdict.kind, 'reproducible');
  t.deepEqual(reused(report), [false]);
  t.is(runsOf(at), 2);
  t.true(
    notes.some((note) =>
      note.startsWith(`the kept build ${place.id.slice(0, 12)} is damaged and was removed: `),
    ),
    notes.join('\n'),
  );
  t.false((await buildPlaces(cacheDirectory(), digest)).some(({ id }) => id === place.id));
});

test('the published file among the inputs is found in a kept build, too', async (t) => {
  const at = world(t, { 'assets/old.bin': 'a file that users had before\n' });
  const plan = counting(at, 'cp assets/old.bin out/chat.bin');
  const published = publish(at, 'a file that users had before\n');
  const first = await again(t, at, plan, { published });
  const second = await again(t, at, plan, { published });
  t.is(runsOf(at), 1);
  t.deepEqual(second.statement, first.statement);
  const { verdict } = second.statement;
  t.deepEqual('reasons' in verdict && verdict.reasons.map(({ code }) => code), ['artifact-in-inputs']);
});

test('another channel’s comparison costs no build, and its report names the same one', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const website = await again(t, at, plan, { published: publish(at) });
  const target = { ...plan.target, channel: 'play' };
  const compare = { ...plan.compare, target };
  const play = await again(
    t,
    at,
    { ...plan, target, compare, compareDigest: digestOf(compare) },
    { published: publish(at, 'other\n'), confirm: false },
  );
  t.is(runsOf(at), 1);
  t.is(play.statement.verdict.kind, 'unreproducible');
  t.is(play.run.usedBuilds?.[0]?.id, website.run.usedBuilds?.[0]?.id);
});

test('more clean builds than are kept: the rest is built', async (t) => {
  const at = world(t);
  const plan = counting(at);
  const published = publish(at);
  await again(t, at, plan, { published });
  const report = await again(t, at, plan, { published, rebuild: 3 });
  t.deepEqual(reused(report), [true, false, false]);
  t.like(report.run, { builds: 3, matchingBuilds: 3 });
  t.is(runsOf(at), 3);
});

test.serial('where nothing can be stored there is a verdict all the same, and it is said', async (t) => {
  const other = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
  t.teardown(() => rmSync(other, { recursive: true, force: true }));
  mkdirSync(path.join(other, 'samesource'));
  writeFileSync(path.join(other, 'samesource/builds'), 'in the way');
  process.env['XDG_CACHE_HOME'] = other;
  try {
    const at = world(t);
    const notes: string[] = [];
    const { report } = await verifyPlan(
      counting(at),
      { published: publish(at) },
      { onProgress: (event) => event.kind === 'note' && notes.push(event.text) },
    );
    t.is(report.statement.verdict.kind, 'reproducible');
    t.is(report.run.usedBuilds?.[0]?.id, undefined);
    t.true(
      notes.some((note) => note.startsWith('this build could not be kept for later: ')),
      notes.join('\n'),
    );
  } finally {
    process.env['XDG_CACHE_HOME'] = cache;
  }
});

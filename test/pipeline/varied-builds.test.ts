// SPDX-License-Identifier: Apache-2.0
/** A mismatch that is confirmed under other conditions: each way through, with an executor that builds what a test says. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { PreparedBuild, PrepareRequest } from '../../src/build/executor.js';
import type { Variable } from '../../src/build/variation.js';
import { FailedHere } from '../../src/errors.js';
import type { Variation } from '../../src/model.js';
import { finishing, runPlan, type VerifyRequest } from '../../src/operations/verify.js';
import { checkReport } from '../../src/report/check.js';
import { headline } from '../../src/report/title.js';
import type { Report } from '../../src/report/types.js';
import { EMPTY_INVENTORY } from '../helpers/build-request.js';
import { buildZip } from '../helpers/build-zip.js';
import { localPlan, world, type World } from '../helpers/local-plan.js';

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

const ALL: readonly Variation[] = ['cpus', 'host-name', 'time-zone'];
const FAILS = 3;

interface Fake {
  /** What a build gives: bytes, an exit code, or an error of ours. `nth`: of the planned builds, from 1. */
  readonly gives: (varied: readonly Variation[], nth: number) => string | Buffer | number;
  readonly variable?: (asked: readonly Variation[]) => Variable;
  /** Without `variable` at all. */
  readonly fixed?: true;
}

/** Runs the pipeline; also which builds took place, each by what was varied. */
async function verified(
  t: ExecutionContext,
  at: World,
  { gives, variable = (asked) => ({ possible: asked }), fixed }: Fake,
  request: Partial<VerifyRequest> = {},
  vary: readonly Variation[] = ALL,
): Promise<{ readonly report: Report; readonly builds: readonly string[] }> {
  const builds: string[] = [];
  const prepared = ({ directory }: PrepareRequest): PreparedBuild => ({
    inventory: EMPTY_INVENTORY,
    environment: {
      executor: 'docker',
      engineVersion: '1',
      packages: [],
      kernel: 'Linux',
      cpuCount: 2,
      architecture: process.arch,
      commands: [],
    },
    deviations: [],
    logs: [],
    seconds: 0,
    ...(fixed === true ? {} : { variable: async (asked) => variable(asked) }),
    build: async (attempt, _signal, varied = []) => {
      builds.push(varied.length === 0 ? 'planned' : varied.join(' '));
      const given = gives(varied, builds.filter((one) => one === 'planned').length);
      if (typeof given === 'number')
        return {
          kind: 'failed',
          phase: 'build',
          exitCode: given,
          firstError: [],
          tail: [],
          known: [],
          logs: [],
          seconds: 0,
        };
      const file = path.join(directory, `out-${builds.length}-${attempt}`);
      writeFileSync(file, given);
      const bytes = Buffer.from(given);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const output = { output: 'chat', name: 'chat.bin', path: file, size: bytes.length, sha256 };
      return { kind: 'succeeded', outputs: [output], absent: [], extra: [], logs: [], seconds: 0 };
    },
    close: async () => undefined,
  });
  const plan = { ...localPlan(at), vary };
  const asked = { ...plan.target, published: path.join(at.directory, 'published'), ...request };
  const { report } = await runPlan({ plan, facts: [] }, asked, {}, finishing(asked), {
    executor: async () => ({
      kind: 'docker',
      probe: async () => ({ version: '1' }),
      prepare: async (about) => ({ kind: 'prepared', prepared: prepared(about) }),
    }),
    storing: true,
    facts: {},
    about: {},
  });
  const checked = checkReport(report);
  t.deepEqual(checked.kind === 'inconsistent' ? checked.problems : [], []);
  return { report, builds };
}

function published(t: ExecutionContext, bytes: string | Buffer = 'published\n'): World {
  const at = world(t);
  mkdirSync(path.join(at.directory, 'published'));
  writeFileSync(path.join(at.directory, 'published/chat.bin'), bytes);
  return at;
}

const codes = ({ run }: Report): readonly string[] =>
  run.statements.map(({ code }) => code).filter((code) => code.startsWith('variation-'));

test('the same bytes under other conditions confirm a mismatch', async (t) => {
  const at = published(t);
  const { report, builds } = await verified(t, at, { gives: () => 'ours\n' });
  t.deepEqual(builds, ['planned', ALL.join(' ')]);
  t.is(report.statement.verdict.kind, 'unreproducible');
  t.like(report.run, { builds: 2, matchingBuilds: 0, standing: 'confirmed' });
  t.deepEqual(report.run.variations, [{ varied: ALL, outcome: 'same' }]);
  t.deepEqual(codes(report), ['variation-same']);
  t.is(report.statement.deviations.length, 0);
});

test('where they are others, each condition is tried alone, and the member that it changes is named', async (t) => {
  const zip = (host: string, zone: string): Buffer =>
    buildZip([
      { name: 'host', data: Buffer.from(host) },
      { name: 'zone', data: Buffer.from(zone) },
    ]);
  const at = published(t, zip('theirs', 'UTC'));
  const { report, builds } = await verified(t, at, {
    gives: (varied) =>
      zip(varied.includes('host-name') ? 'host-2' : 'host-1', varied.includes('time-zone') ? '+14' : 'UTC'),
  });
  t.deepEqual(builds, ['planned', ALL.join(' '), 'planned', ...ALL]);
  t.like(report.run, { builds: 2, matchingBuilds: 0, standing: 'confirmed' });
  t.deepEqual(report.run.variations, [
    { varied: ALL, outcome: 'differs', members: ['chat.bin > host', 'chat.bin > zone'] },
    { varied: ['cpus'], outcome: 'same' },
    { varied: ['host-name'], outcome: 'differs', members: ['chat.bin > host'] },
    { varied: ['time-zone'], outcome: 'differs', members: ['chat.bin > zone'] },
  ]);
  t.true(codes(report).includes('variation-matters'));
});

test('one condition that changes something needs no build of its own', async (t) => {
  const { report, builds } = await verified(t, published(t), { gives: (varied) => varied.join() }, {}, [
    'cpus',
  ]);
  t.deepEqual(builds, ['planned', 'cpus', 'planned']);
  t.deepEqual(report.run.variations, [{ varied: ['cpus'], outcome: 'differs', members: ['chat.bin'] }]);
});

test('what only all conditions together change is said', async (t) => {
  const { report } = await verified(t, published(t), {
    gives: (varied) => (varied.length === ALL.length ? 'other' : 'ours'),
  });
  t.is(report.run.variations?.length, 4);
  t.is(codes(report).at(-1), 'variation-together');
});

test('a build that differs from itself owes it to no condition', async (t) => {
  const { report, builds } = await verified(t, published(t), {
    gives: (varied, nth) => (varied.length > 0 ? 'varied' : `ours ${nth}`),
  });
  t.deepEqual(builds, ['planned', ALL.join(' '), 'planned']);
  t.like(report.run, { builds: 2, standing: 'unstable', unstableMembers: ['chat.bin'] });
  t.deepEqual(codes(report), ['variation-differs']);
});

test('a match under other conditions is a match, and the report says how it came about', async (t) => {
  const { report, builds } = await verified(t, published(t), {
    gives: (varied) => (varied.includes('cpus') ? 'published\n' : 'ours\n'),
  });
  t.deepEqual(builds, ['planned', ALL.join(' ')]);
  t.is(report.statement.verdict.kind, 'reproducible');
  t.is(headline(report), 'Reproduced under other conditions than planned (in 1 of 2 builds)');
  t.deepEqual(
    report.statement.deviations.map(({ code, canChangeOutput }) => [code, canChangeOutput]),
    [['varied-environment', 'yes']],
  );
  t.like(report.run, { builds: 2, matchingBuilds: 1, standing: undefined });
  t.deepEqual(report.run.variations, [
    { varied: ALL, outcome: 'differs', members: ['chat.bin'], reported: true },
  ]);
});

test('a match of one condition alone ends the search', async (t) => {
  const { report, builds } = await verified(t, published(t), {
    gives: (varied) => (varied.join() === 'cpus' ? 'published\n' : varied.join()),
  });
  t.deepEqual(builds, ['planned', ALL.join(' '), 'planned', 'cpus']);
  t.is(report.statement.verdict.kind, 'reproducible');
  t.like(report.run, { builds: 3, matchingBuilds: 1 });
  t.regex(report.statement.deviations[0]?.what ?? '', /made with another number of CPUs than the plan's$/);
});

test('who reads of another order of directories also reads that the tree lay in memory', async (t) => {
  const { report } = await verified(
    t,
    published(t),
    { gives: (varied) => (varied.length > 0 ? 'published\n' : 'ours') },
    {},
    ['directory-order'],
  );
  const words =
    /with another order of directories.* \(its tree lay in memory, and the build had more of that\)/;
  t.regex(report.statement.deviations[0]?.what ?? '', words);
  const differs = report.run.statements.find(({ code }) => code === 'variation-differs');
  t.regex(differs?.sentence ?? '', words);
});

test('a planned build that matches needs no departure, whatever the varied one gave', async (t) => {
  const { report } = await verified(t, published(t), {
    gives: (varied, nth) => (varied.length > 0 ? 'varied' : nth === 2 ? 'published\n' : 'ours'),
  });
  t.is(headline(report), 'Reproduced (in 1 of 2 builds)');
  t.deepEqual(report.statement.deviations, []);
});

test('an executor that varies nothing says so and confirms as planned', async (t) => {
  for (const [fake, detail] of [
    [{ fixed: true }, 'the executor docker varies nothing'],
    [{ variable: () => ({ possible: [], why: 'it is a toaster' }) }, 'it is a toaster'],
  ] as const) {
    const { report, builds } = await verified(t, published(t), { gives: () => 'ours', ...fake });
    t.deepEqual(builds, ['planned', 'planned']);
    t.deepEqual(report.run.variations, [{ varied: ALL, outcome: 'not-possible', detail }]);
    t.like(report.run, { builds: 2, standing: 'confirmed' });
  }
});

test('what is possible is varied, and what is not is told', async (t) => {
  const { report, builds } = await verified(t, published(t), {
    gives: () => 'ours',
    variable: (asked) => ({ possible: asked.filter((one) => one !== 'cpus'), why: 'there is one' }),
  });
  t.deepEqual(builds, ['planned', 'host-name time-zone']);
  t.deepEqual(report.run.variations, [
    { varied: ['cpus'], outcome: 'not-possible', detail: 'there is one' },
    { varied: ['host-name', 'time-zone'], outcome: 'same' },
  ]);
});

test('where another order of directories could not be made, the other conditions are varied without it', async (t) => {
  const vary = ['host-name', 'directory-order'] as const;
  const at = published(t);
  const fake: Fake = {
    gives: (varied) => {
      if (varied.includes('directory-order')) throw new FailedHere('out-of-memory', 'it was too much');
      return 'ours';
    },
  };
  const { report, builds } = await verified(t, at, fake, {}, vary);
  t.deepEqual(builds, ['planned', 'host-name directory-order', 'host-name']);
  t.like(report.run, { builds: 2, standing: 'confirmed' });
  const detail = 'it could not be done here (out-of-memory: it was too much)';
  t.deepEqual(report.run.variations, [
    { varied: vary, outcome: 'failed', detail },
    { varied: ['host-name'], outcome: 'same' },
  ]);
  const held = await verified(t, at, fake, {}, vary);
  t.deepEqual(held.builds, []);
  t.like(held.report.run.variations, [
    { varied: ['directory-order'], outcome: 'not-possible' },
    { varied: ['host-name'], outcome: 'same' },
  ]);
});

test('a script that fails where its tree is a file system of its own is not blamed, and the rest is varied', async (t) => {
  const vary = ['host-name', 'directory-order'] as const;
  const gives: Fake['gives'] = (varied) => (varied.includes('directory-order') ? FAILS : 'ours');
  const { report, builds } = await verified(t, published(t), { gives }, {}, vary);
  t.deepEqual(builds, ['planned', 'host-name directory-order', 'host-name']);
  t.like(report.run, { builds: 2, standing: 'confirmed' });
  t.like(report.run.variations, [
    { varied: vary, outcome: 'failed' },
    { varied: ['host-name'], outcome: 'same' },
  ]);
  t.regex(
    report.run.variations?.[0]?.detail ?? '',
    /exit code 3, .*; its tree was a file system of its own, in memory/,
  );
  const always: Fake['gives'] = (varied) => (varied.length > 0 ? FAILS : 'ours');
  const other = await verified(t, published(t), { gives: always }, {}, vary);
  t.deepEqual(other.builds, ['planned', 'host-name directory-order', 'host-name', 'planned']);
  t.notRegex(other.report.run.variations?.[1]?.detail ?? '', /in memory/);
  const alone = await verified(t, published(t), { gives: always }, {}, ['directory-order']);
  t.deepEqual(alone.builds, ['planned', 'directory-order', 'planned']);
  t.like(alone.report.run, { builds: 2, standing: 'confirmed' });
});

test('a varied build that fails confirms nothing, and one as planned does', async (t) => {
  const failing = (how: () => number): Fake => ({
    gives: (varied) => (varied.length > 0 ? how() : 'ours'),
  });
  const here = (): never => {
    throw new FailedHere('time-limit', 'it took too long');
  };
  for (const [fake, detail] of [
    [failing(() => FAILS), /ended with exit code 3/],
    [failing(here), /could not be done here \(time-limit: it took too long\)/],
  ] as const) {
    const { report, builds } = await verified(t, published(t), fake);
    t.deepEqual(builds, ['planned', ALL.join(' '), 'planned']);
    t.like(report.run, { builds: 2, standing: 'confirmed', otherBuilds: undefined });
    t.is(report.run.variations?.[0]?.outcome, 'failed');
    t.regex(report.run.variations?.[0]?.detail ?? '', detail);
  }
});

test('a varied build that is interrupted ends the run', async (t) => {
  const gives: Fake['gives'] = (varied) => {
    if (varied.length > 0) throw new FailedHere('interrupted', 'stop');
    return 'ours';
  };
  const error = await t.throwsAsync(verified(t, published(t), { gives }), { instanceOf: FailedHere });
  t.is(error?.code, 'interrupted');
});

test('nothing to vary with is a failure of the confirming build', async (t) => {
  const { report, builds } = await verified(t, published(t), {
    gives: () => 'ours',
    variable: () => {
      throw new FailedHere('engine-died', 'it is gone');
    },
  });
  t.deepEqual(builds, ['planned']);
  t.like(report.run, { builds: 1, standing: 'single', variations: undefined });
  t.regex(report.run.otherBuilds?.[0]?.outcome ?? '', /engine-died/);
});

test('nothing is varied of a match, without a confirming build, with more builds, or when told so', async (t) => {
  const ours: Fake = { gives: () => 'ours' };
  for (const [fake, request, expected] of [
    [{ gives: () => 'published\n' }, {}, ['planned']],
    [ours, { confirm: false }, ['planned']],
    [ours, { vary: false }, ['planned', 'planned']],
    [ours, { rebuild: 2 }, ['planned', 'planned']],
  ] as const) {
    const { report, builds } = await verified(t, published(t), fake, request);
    t.deepEqual(builds, expected);
    t.is(report.run.variations, undefined);
  }
  t.deepEqual((await verified(t, published(t), ours, {}, [])).builds, ['planned', 'planned']);
});

test('that it held is kept beside the build, and a later run builds nothing', async (t) => {
  const at = published(t);
  const ours: Fake = {
    gives: () => 'ours',
    variable: (asked) => ({ possible: asked.filter((one) => one !== 'cpus'), why: 'there is one' }),
  };
  const first = await verified(t, at, ours);
  const second = await verified(t, at, ours);
  t.deepEqual(second.builds, []);
  t.deepEqual(second.report.run.variations, first.report.run.variations);
  t.like(second.report.run, { builds: 2, standing: 'confirmed' });
  t.true(second.report.run.usedBuilds?.every(({ reused }) => reused));
  t.is(second.report.statementSha256, first.report.statementSha256);
  // asked for something else, or for another engine, it says nothing
  t.deepEqual((await verified(t, at, ours, {}, ['time-zone'])).builds, ['time-zone']);
  t.deepEqual((await verified(t, at, ours, { madeSince: new Date() })).builds.length, 2);
});

test('two kept builds confirm each other; a varied one is never kept', async (t) => {
  const at = published(t);
  const gives: Fake['gives'] = (varied) => (varied.length > 0 ? 'varied' : 'ours');
  t.is((await verified(t, at, { gives })).builds.length, 6);
  const { report, builds } = await verified(t, at, { gives });
  t.deepEqual(builds, []);
  t.like(report.run, { builds: 2, standing: 'confirmed', variations: undefined });
});

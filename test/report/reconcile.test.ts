// SPDX-License-Identifier: Apache-2.0
/** Where two reports part: the first stage, by what, and what never parts them. */
import test from 'ava';
import type { Report } from '../../src/report/types.js';
import { reconcile } from '../../src/report/reconcile.js';
import { variedDeparture } from '../../src/pipeline/varied-departure.js';
import { aPlan } from '../helpers/a-plan.js';
import { FULL, REPORTS, reportOf, SOURCE } from '../helpers/a-report.js';
import { aRun } from '../helpers/a-run.js';
import { buildZip } from '../helpers/build-zip.js';

const apk = (
  classes3: string,
  more: readonly { readonly name: string; readonly data: string }[] = [],
): Buffer =>
  buildZip([
    { name: 'AndroidManifest.xml', data: 'manifest' },
    { name: 'classes2.dex', data: 'code 2 '.repeat(50) },
    { name: 'classes3.dex', data: classes3 },
    ...more,
  ]);
const PUBLISHED = apk('code 3 '.repeat(50));
const OTHER = apk('code 3 '.repeat(49) + 'Code 3 ');

const digest = `sha256:${'a'.repeat(64)}`;
const planWith = (of: string) => {
  const { build } = aPlan();
  const image = { kind: 'registry', reference: 'docker.io/library/gradle', digest: of } as const;
  return aPlan({ build: { environment: { ...build.environment, image } } });
};

const parted = (one: Report, other: Report) =>
  reconcile(one, other)
    .stages.filter(({ outcome }) => outcome === 'parted')
    .map(({ stage }) => stage);

test('the image, then a member, then the verdict', async (t) => {
  const one = await reportOf(PUBLISHED, PUBLISHED, {
    ...FULL,
    plan: planWith(digest),
    run: aRun({ ...FULL.run, builds: 2, matchingBuilds: 2 }),
  });
  const other = await reportOf(PUBLISHED, OTHER, { ...FULL, plan: planWith(`sha256:${'b'.repeat(64)}`) });
  const result = reconcile(one, other);
  t.is(result.sentence, 'same file, same source, same plan; image differs; then classes3.dex; then verdict');
  t.is(result.first, 'environment');
  t.deepEqual(result.verdicts, ['reproducible', 'unreproducible']);
  t.deepEqual(result.publishedDiffer, []);
  const outputs = result.stages.find(({ stage }) => stage === 'outputs')?.partings ?? [];
  t.is(outputs[0]?.what, 'app-unsigned.apk');
  const member = outputs.find(({ what }) => what === 'app-unsigned.apk > classes3.dex');
  t.is(member?.one, 'identical');
  t.regex(member?.other ?? '', /^different, 350 bytes; text differs; /);
  t.false(outputs.some(({ what }) => what.includes('classes2') || what.includes('Manifest')));
});

test('of what was fetched the first that differs, and only where something came of it', async (t) => {
  const world = (sha256: string) => ({
    phase: 'prepare' as const,
    from: 'network' as const,
    count: 2,
    bytes: 2,
    unrecorded: [],
    requests: ['a', sha256].map((of, at) => ({
      method: 'GET',
      url: `https://example.org/${at}.jar`,
      status: 200,
      size: 1,
      sha256: of.repeat(64),
      time: `2026-11-0${at + 1}T00:00:00.000Z`,
    })),
  });
  const one = await reportOf(PUBLISHED, PUBLISHED, {
    ...FULL,
    run: aRun({ ...FULL.run, builds: 1, matchingBuilds: 1, fetched: [world('b')] }),
  });
  const other = await reportOf(PUBLISHED, OTHER, {
    ...FULL,
    run: aRun({ ...FULL.run, fetched: [world('c')] }),
  });
  const result = reconcile(one, other);
  t.is(result.first, 'fetched');
  t.regex(result.sentence, /; prepare: GET https:\/\/example\.org\/1\.jar differs; then classes3\.dex; then/);
  t.deepEqual(result.stages.find(({ stage }) => stage === 'fetched')?.partings, [
    {
      what: 'prepare: GET https://example.org/1.jar',
      one: `sha256:${'b'.repeat(64)}`,
      other: `sha256:${'c'.repeat(64)}`,
    },
  ]);
  const later = reconcile(one, { ...one, run: { ...one.run, fetched: [world('d')] } });
  t.is(later.first, undefined);
  t.is(later.stages.find(({ stage }) => stage === 'fetched')?.outcome, 'aside');
  const { fetched: _, ...without } = one.run;
  t.is(
    reconcile(one, { ...one, run: without }).stages.find(({ stage }) => stage === 'fetched')?.outcome,
    'not-recorded',
  );
});

test('a report and itself, another machine, another engine: nothing parts', async (t) => {
  for (const make of Object.values(REPORTS)) {
    const report = await make();
    const run = { ...report.run, time: '2027-01-01T00:00:00.000Z', kernel: 'Linux 7', cpuCount: 64 };
    const { first, stages, sentence, machines } = reconcile(report, { ...report, run });
    t.is(first, undefined, sentence);
    t.true(stages.every(({ partings }) => partings.length === 0));
    t.notRegex(sentence, /differs|then/);
    t.true(machines.some(({ what }) => what === 'time'));
  }
});

test('other published files of one version come first and are all named', async (t) => {
  const one = await reportOf(PUBLISHED, PUBLISHED, { ...FULL });
  const other = await reportOf(OTHER, PUBLISHED, { ...FULL });
  const { first, publishedDiffer, sentence } = reconcile(one, other);
  t.is(first, 'published');
  t.deepEqual(
    publishedDiffer.map(({ what }) => what),
    ['app.apk'],
  );
  t.true(sentence.startsWith('app.apk differs; then '), sentence);
});

test('each stage by itself', async (t) => {
  const one = await reportOf(PUBLISHED, PUBLISHED, { ...FULL });
  const changed = async (more: Parameters<typeof reportOf>[2]) =>
    parted(one, await reportOf(PUBLISHED, PUBLISHED, { ...FULL, ...more }));
  t.deepEqual(await changed({ source: { ...SOURCE, treeSha256: '9'.repeat(64) } }), ['source']);
  t.deepEqual(
    await changed({
      source: { ...SOURCE, submodules: [{ ...SOURCE.submodules[0], commit: '6'.repeat(40) }] },
    }),
    ['source'],
  );
  const { build } = aPlan();
  t.deepEqual(
    await changed({ plan: aPlan({ build: { environment: { ...build.environment, locale: 'de_DE' } } }) }),
    ['plan'],
  );
  t.deepEqual(await changed({ linkable: ['lib/libz.a', 'lib/other.a'] }), ['inputs']);
  t.deepEqual(await changed({ deviations: [] }), ['environment']);
  t.deepEqual(await changed({ run: aRun({ ...FULL.run, tool: { name: 'samesource', version: '9.9.9' } }) }), [
    'verdict',
  ]);
  // the text of a recipe is no part of what was done
  t.deepEqual(await changed({ plan: { ...aPlan(), recipeSha256: '0'.repeat(64) } }), []);
  t.deepEqual(parted(one, await reportOf(PUBLISHED, OTHER, { ...FULL })), ['outputs', 'verdict']);
});

test('reports of different targets are set against nothing', async (t) => {
  const one = await reportOf(PUBLISHED, PUBLISHED, { ...FULL });
  for (const target of [
    { app: 'demo', version: '1.1', channel: 'website' },
    { app: 'demo', version: '1.0', channel: 'play' },
  ]) {
    const other = await reportOf(PUBLISHED, PUBLISHED, { ...FULL, target });
    t.throws(() => reconcile(one, other), {
      code: 'other-target',
      message: /demo 1\.0 \(website\), and demo/,
    });
  }
  const { target: _target, plan: _plan, ...bare } = FULL;
  const none = await reportOf(PUBLISHED, PUBLISHED, bare);
  t.throws(() => reconcile(one, none), { code: 'other-target' });
});

test('a match under other conditions parts from a build as planned at the condition', async (t) => {
  const planned = await reportOf(PUBLISHED, OTHER, FULL);
  const varied = await reportOf(PUBLISHED, PUBLISHED, {
    ...FULL,
    deviations: [...(FULL.deviations ?? []), variedDeparture(['host-name', 'time-zone'])],
    run: aRun({
      ...FULL.run,
      builds: 2,
      matchingBuilds: 1,
      variations: [
        {
          varied: ['host-name', 'time-zone'],
          outcome: 'differs',
          members: ['app-unsigned.apk > classes3.dex'],
          reported: true,
        },
      ],
    }),
  });
  const result = reconcile(planned, varied);
  t.is(result.first, 'environment');
  t.is(
    result.sentence,
    'same file, same source, same plan; condition of the build differs; then classes3.dex; then verdict',
  );
  t.deepEqual(result.stages.find(({ stage }) => stage === 'environment')?.partings, [
    {
      what: 'condition of the build',
      one: 'as planned',
      other: 'with another host name and another time zone',
    },
  ]);
  t.deepEqual(
    result.triedByOne.map(({ one, other }) => [one, other]),
    [[undefined, 'other bytes than the first one in app-unsigned.apk > classes3.dex']],
  );
});

test('a mismatch that held under other conditions on one machine and not on the other', async (t) => {
  const variation = (
    varied: 'cpus' | 'time-zone',
    outcome: 'same' | 'differs',
  ): NonNullable<Report['run']['variations']>[number] => ({
    varied: [varied],
    outcome,
    ...(outcome === 'differs' ? { members: ['app-unsigned.apk > classes3.dex'] } : {}),
  });
  const report = (...variations: NonNullable<Report['run']['variations']>) =>
    reportOf(PUBLISHED, OTHER, {
      ...FULL,
      run: aRun({ ...FULL.run, builds: 2, standing: 'confirmed', variations }),
    });
  const held = await report(variation('cpus', 'same'), variation('time-zone', 'same'));
  const not = await report(variation('cpus', 'differs'));
  const result = reconcile(held, not);
  t.is(result.first, 'outputs');
  t.regex(result.sentence, /, same inputs; a build with another number of CPUs differs$/);
  t.deepEqual(result.stages.find(({ stage }) => stage === 'outputs')?.partings, [
    {
      what: 'a build with another number of CPUs',
      one: 'the bytes of the first one',
      other: 'other bytes than the first one in app-unsigned.apk > classes3.dex',
    },
  ]);
  t.deepEqual(
    result.triedByOne.map(({ what }) => what),
    ['a build with another time zone'],
  );
  // what one could not try, or did not, parts nothing
  const none = await report({ varied: ['cpus'], outcome: 'not-possible', detail: 'one CPU' });
  const alone = reconcile(held, none);
  t.is(alone.first, undefined);
  t.is(alone.triedByOne.length, 2);
});

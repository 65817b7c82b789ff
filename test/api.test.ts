// SPDX-License-Identifier: Apache-2.0
/** The package as a library: every operation, typed, silent, stoppable, and never the end of its caller's process. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as samesource from 'samesource';
import type {
  BuildOperationResult,
  CheckResult,
  CompareRequest,
  DemoRequest,
  Diagnosis,
  OperationOptions,
  Plan,
  PlanResult,
  ProgressEvent,
  Report,
  Verdict,
  VerifyRequest,
  VerifyResult,
} from 'samesource';
import { packageRoot } from '../src/inputs/package-files.js';
import { temporaryDirectory } from './helpers/temp-directory.js';

const PUBLISHED = path.join(packageRoot(), 'demo/published');
const APP = path.join(PUBLISHED, 'app.apk');
const TAMPERED = path.join(PUBLISHED, 'tampered-dex.apk');

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
// of its own: other tests run beside these
process.env['TMPDIR'] = path.join(cache, 'tmp');
mkdirSync(tmpdir());
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

/* oxlint-disable typescript/unbound-method -- what is put aside is put back unchanged */
/** What a library must leave alone while `work` runs: streams, console, exit code, exit. */
async function silent<T>(t: ExecutionContext, work: () => Promise<T>): Promise<T> {
  const said: string[] = [];
  const trap = (name: string) => (): never => {
    said.push(name);
    throw new Error(`${name} was called`);
  };
  const taken: { readonly of: object; readonly name: string; readonly was: unknown }[] = [];
  const take = (of: object, name: string, called: string): void => {
    taken.push({ of, name, was: Reflect.get(of, name) });
    Reflect.set(of, name, trap(called));
  };
  const code = process.exitCode;
  take(process.stdout, 'write', 'process.stdout.write');
  take(process.stderr, 'write', 'process.stderr.write');
  take(process, 'exit', 'process.exit');
  for (const name of ['log', 'error', 'warn', 'info', 'debug']) take(console, name, `console.${name}`);
  try {
    return await work();
  } finally {
    for (const { of, name, was } of taken) Reflect.set(of, name, was);
    t.deepEqual(said, []);
    t.is(process.exitCode, code);
  }
}

/** Of all runs: work below the cache, and trees of builds without a container. */
const leftovers = (): readonly string[] => [
  ...readdirSync(path.join(cache, 'samesource/runs'), { encoding: 'utf8' }),
  ...readdirSync(tmpdir()).filter((name) => /^samesource-[A-Za-z0-9]{6}$/.test(name)),
];

test.serial('demo, verify, compare, plan and build: data, and events by callback', async (t) => {
  const events: ProgressEvent[] = [];
  const options: OperationOptions = { onProgress: (event) => events.push(event) };
  await silent(t, async () => {
    const [result] = (await samesource.demo({} satisfies DemoRequest, options)) as [VerifyResult];
    const verdict: Verdict = result.report.statement.verdict;
    t.is(verdict.kind, 'reproducible');
    t.is(result.location, undefined);
    const kinds = new Set(events.map(({ kind }) => kind));
    for (const kind of ['plan', 'phase-started', 'phase-finished'] as const) t.true(kinds.has(kind), kind);

    const request: VerifyRequest = { app: 'demo', version: '1.x', published: TAMPERED, confirm: false };
    const { report } = await samesource.verify(request, options);
    t.is(report.statement.verdict.kind, 'unreproducible');
    const checked: CheckResult = await samesource.checkReport(report);
    t.is(checked.kind, 'consistent');

    const sides: CompareRequest = { published: APP, rebuilt: TAMPERED };
    const compared: Report = await samesource.compare(sides, options);
    t.is(compared.statement.verdict.kind, 'unreproducible');
    t.true(samesource.renderText(compared).includes('Not reproduced'));

    const planned: PlanResult = await samesource.plan({ app: 'telegram-android', version: '10.14.5' });
    const plan: Plan = planned.plan;
    t.is(plan.target.version, '10.14.5');

    const built: BuildOperationResult = await samesource.build({ app: 'demo', version: 'latest' }, options);
    t.is(built.files.length, 1);
    t.is(built.files[0]?.path, undefined);
    const diagnosis: Diagnosis = await samesource.doctor();
    t.true(diagnosis.node.enough);
    t.true((await samesource.imageNames()).includes('debian-12'));
    t.true((await samesource.recipes()).length > 0);
    t.deepEqual(
      (await samesource.lintRecipes()).flatMap(({ problems }) => problems),
      [],
    );
  });
  t.deepEqual(leftovers(), []);
});

test.serial('what the caller got wrong and what cannot be done here are errors with a code', async (t) => {
  await silent(t, async () => {
    const usage = async (work: Promise<unknown>): Promise<string | undefined> =>
      (await t.throwsAsync(work, { instanceOf: samesource.UsageError }))?.code;
    t.is(await usage(samesource.plan({ app: 'nobody', version: '1' })), 'unknown-app');
    t.is(await usage(samesource.verify({ app: 'demo', version: '9' })), 'unknown-version');
    t.is(await usage(samesource.compare({ published: APP, rebuilt: APP })), 'same-file');
    t.is(
      await usage(samesource.compare({ published: APP, rebuilt: TAMPERED, rules: ['x'] })),
      'unknown-rule',
    );
    const release = { app: 'demo', version: '1.0.0' };
    const other = path.join(temporaryDirectory(t), 'app.apk');
    writeFileSync(other, 'no APK');
    t.is(
      (await samesource.compare({ published: APP, rebuilt: other, recipe: release })).statement.verdict.kind,
      'unreproducible',
    );
    const elsewhere = { app: 'telegram-android', version: '10.14.5', published: APP };
    t.is((await samesource.verify(elsewhere)).report.statement.verdict.kind, 'not-authentic');
    const unresolved = await t.throwsAsync(samesource.verify({ ...elsewhere, buildAnyway: true }), {
      instanceOf: samesource.FailedHere,
    });
    t.is(unresolved?.code, 'plan-unresolved');
  });
});

test.serial('a signal stops a run wherever it is, and nothing is left of it', async (t) => {
  const events: string[] = [];
  const describe = (event: ProgressEvent): string =>
    'phase' in event ? `${event.kind} ${event.phase}` : event.kind;
  // kept builds would make later runs shorter
  const request = { app: 'demo', version: 'latest', published: TAMPERED, madeSince: new Date() } as const;
  await samesource.verify(request, { onProgress: (event) => events.push(describe(event)) });
  t.true(events.length >= 5, events.join(', '));
  for (const at of [-1, ...events.keys()]) {
    const out = temporaryDirectory(t);
    const controller = new AbortController();
    let n = 0;
    if (at < 0) controller.abort();
    const error = await silent(t, async () =>
      t.throwsAsync(
        samesource.verify(
          { ...request, madeSince: new Date(), out },
          {
            signal: controller.signal,
            onProgress: () => {
              if (n++ === at) controller.abort();
            },
          },
        ),
        { instanceOf: samesource.FailedHere },
        `aborted at ${events[at] ?? 'the start'}`,
      ),
    );
    t.is(error?.code, 'interrupted');
    t.false(readdirSync(out).includes('reports'));
    t.deepEqual(leftovers(), []);
  }
});

test.serial('a comparison is stopped as well', async (t) => {
  const controller = new AbortController();
  controller.abort();
  const error = await t.throwsAsync(
    samesource.compare({ published: APP, rebuilt: TAMPERED }, { signal: controller.signal }),
    { instanceOf: samesource.FailedHere },
  );
  t.is(error?.code, 'interrupted');
});

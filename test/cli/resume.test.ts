// SPDX-License-Identifier: Apache-2.0
/** A shell inside of a kept run, and taking one up again: what may give a verdict, and what may not. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { hasEngine, type EngineName } from '../helpers/engines.js';
import { contained, folder, keptIn, runs } from '../helpers/kept.js';
import { appRecipe, type ScratchPackage } from '../helpers/scratch-package.js';

const asked = (engine: EngineName) => ['contained', '1.0.0', '--engine', engine];

function published(scratch: ScratchPackage, text: string): string {
  const file = path.join(scratch.root, 'result.txt');
  writeFileSync(file, text);
  return file;
}

/** The run that is kept and was not before. */
async function keep(scratch: ScratchPackage, args: readonly string[], code: number, t: ExecutionContext) {
  const before = keptIn(scratch);
  const ended = await scratch.run(args);
  t.is(ended.code, code, ended.stderr);
  const [run = ''] = keptIn(scratch).filter((name) => !before.includes(name));
  return run;
}

const refused = async (
  t: ExecutionContext,
  scratch: ScratchPackage,
  args: readonly string[],
  code: number,
  name: string,
): Promise<void> => {
  const ended = await scratch.run(args);
  t.is(ended.code, code, ended.stderr);
  t.regex(ended.stderr, new RegExp(`^error \\[${name}\\]`, 'm'));
};

const attemptClasses = (scratch: ScratchPackage): readonly string[] =>
  scratch
    .written()
    .filter((name) => name.endsWith('failure.json'))
    .map((name) => {
      const { failure } = JSON.parse(readFileSync(path.join(scratch.work, name), 'utf8')) as {
        readonly failure: { readonly class: string };
      };
      return failure.class;
    });

const reports = (scratch: ScratchPackage): readonly string[] =>
  scratch.written().filter((name) => name.startsWith('reports/') && name.endsWith('report.json'));

for (const engine of ['docker', 'podman'] as const) {
  test.serial(`${engine}: a shell sees what the phase saw, on a copy that stays`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const see =
      'echo "$PWD $HOME $LANG $TZ ${SOURCE_DATE_EPOCH-none} ${TERM-none} ${http_proxy-none}"; umask; cat /proc/net/dev /etc/hosts';
    const scratch = contained(t, {
      prepare: 'echo prepared > prepared.txt',
      build: `(${see}) > seen.txt\necho half > half.o\nexit 3`,
    });
    const run = await keep(scratch, ['build', ...asked(engine), '--keep', 'failed'], 2, t);
    t.false((await runs(scratch))[0]?.assisted);
    const sh = (...args: readonly string[]) => scratch.run(['shell', run, '--quiet', ...args]);
    const seen = await sh(
      '--command',
      `(${see}) > now.txt; cat seen.txt > /tmp/one; while read -r line; do echo "$line"; done < now.txt`,
    );
    t.is(seen.code, 0, seen.stderr);
    const before = await sh('--command', 'cat seen.txt');
    t.is(
      seen.stdout.replaceAll(/^.*(lo|eth0|face).*$/gm, ''),
      before.stdout.replaceAll(/^.*(lo|eth0|face).*$/gm, ''),
    );
    // no network there: lo alone
    t.is(before.stdout.match(/^ *(?:lo|eth\d+):/gm)?.length, 1);
    t.true((await runs(scratch))[0]?.assisted);
    // what is done stays, on the copy
    t.is((await sh('--command', 'echo mine > mine.txt; exit 7')).code, 7);
    t.is((await sh('--command', 'cat mine.txt half.o')).stdout, 'mine\nhalf\n');
    const container = `samesource-${run}-build-1`;
    const diff = execFileSync(engine, ['diff', container], { encoding: 'utf8' });
    t.false(diff.includes('mine.txt'));
    const running = ['ps', '--quiet', '--filter', `label=org.samesource.run=${run}`];
    t.is(execFileSync(engine, running, { encoding: 'utf8' }), '');
    // the other phase: its end, not that of the build
    const other = await sh(
      '--phase',
      'prepare',
      '--command',
      'cat prepared.txt; test -e half.o || echo none',
    );
    t.is(other.stdout, 'prepared\nnone\n');
    // where the command comes from standard input
    const typed = execFileSync(
      process.execPath,
      [path.join(scratch.root, 'dist/bin/main.js'), 'shell', run, '--quiet'],
      {
        input: 'cat mine.txt\n',
        encoding: 'utf8',
        env: { ...process.env, XDG_CACHE_HOME: scratch.cacheHome, TMPDIR: scratch.temporary },
      },
    );
    t.is(typed, 'mine\n');
  });

  test.serial(`${engine}: a clean resume gives a verdict, whatever was done to the containers`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, {
      prepare: 'echo prepared > prepared.txt',
      build:
        'test ! -e touched || cat touched > result.txt\ntest -e touched || cat prepared.txt > result.txt',
    });
    const verify = [...asked(engine), '--published', published(scratch, 'other\n'), '--no-confirm'];
    const run = await keep(scratch, [...verify, '--keep', 'failed'], 1, t);
    // by hand, and nobody was told
    const container = `samesource-${run}-build-1`;
    execFileSync(engine, ['cp', path.join(scratch.root, 'result.txt'), `${container}:/build/app/touched`]);
    execFileSync(engine, ['cp', path.join(scratch.root, 'result.txt'), `${container}:/build/app/result.txt`]);
    for (const from of ['build', 'compare']) {
      const { code, stdout, stderr } = await scratch.run([
        'resume',
        run,
        '--from',
        from,
        '--json',
        '--quiet',
      ]);
      t.is(code, 1, stderr);
      const { run: record, statement } = JSON.parse(stdout) as {
        readonly run: {
          readonly resumed?: { readonly from: string };
          readonly statements: readonly { readonly code: string }[];
        };
        readonly statement: { readonly verdict: { readonly kind: string } };
      };
      t.is(statement.verdict.kind, 'unreproducible');
      t.is(record.resumed?.from, from);
      t.true(record.statements.some((line) => line.code === 'resumed'));
    }
    // with the shell: the build phase was touched, and a build from what was prepared has nothing of it
    t.is(
      (
        await scratch.run([
          'shell',
          run,
          '--quiet',
          '--command',
          'echo other > result.txt; echo other > touched',
        ])
      ).code,
      0,
    );
    t.is((await scratch.run(['resume', run, '--from', 'build', '--quiet'])).code, 1);
    t.is((await scratch.run(['resume', run, '--from', 'prepare', '--quiet'])).code, 1);
    t.is(reports(scratch).length, 5);
    for (const name of reports(scratch))
      t.is((await scratch.run(['report', name, '--check', '--quiet'])).code, 0);
    t.deepEqual(attemptClasses(scratch), []);
    // what lies in the shell is compared, and judged by nobody
    const assisted = await scratch.run(['resume', run, '--from', 'compare', '--keep', 'failed']);
    t.is(assisted.code, 75, assisted.stderr);
    t.regex(assisted.stdout, /^No verdict: this run is assisted/);
    t.regex(assisted.stdout, /the same bytes/);
    t.notRegex(assisted.stdout, /reproduc/i);
    t.is(reports(scratch).length, 5);
    t.deepEqual(attemptClasses(scratch), ['assisted']);
    const [attempt = ''] = readdirSync(path.join(scratch.work, 'attempts'));
    t.true(existsSync(path.join(scratch.work, 'attempts', attempt, 'comparison.json')));
    // nor of a run that took it up
    const last = keptIn(scratch).at(-1) ?? '';
    t.like((await runs(scratch)).at(-1), { run: last, assisted: true, end: { outcome: 'assisted' } });
    await refused(t, scratch, ['resume', last, '--from', 'compare'], 64, 'phase-not-run');
  });

  test.serial(`${engine}: what a phase left that did not end well is assisted`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, {
      prepare: 'echo half > half.txt\nexit 9',
      build: 'cat fixed.txt > result.txt',
    });
    const verify = [...asked(engine), '--published', published(scratch, 'fixed\n')];
    const run = await keep(scratch, [...verify, '--keep', 'failed'], 75, t);
    t.is((await scratch.run(['shell', run, '--quiet', '--command', 'cat half.txt > fixed.txt'])).code, 0);
    t.is((await scratch.run(['shell', run, '--quiet', '--command', 'echo fixed > fixed.txt'])).code, 0);
    const assisted = await scratch.run(['resume', run, '--from', 'build']);
    t.is(assisted.code, 75, assisted.stderr);
    t.regex(assisted.stdout, /the prepare phase was touched/);
    t.regex(assisted.stdout, /the same bytes/);
    await refused(t, scratch, ['resume', run, '--from', 'compare'], 64, 'phase-not-run');
    // without a hand in it
    const untouched = await keep(scratch, [...verify, '--keep', 'failed'], 75, t);
    const failed = await scratch.run(['resume', untouched, '--from', 'build', '--keep', 'failed']);
    t.is(failed.code, 75, failed.stderr);
    t.regex(failed.stdout, /it did not end well, and what it left was used/);
    t.regex(failed.stdout, /The build phase ended with exit code 1/);
    // nor may the run that took it up begin anew from there
    const again = keptIn(scratch).at(-1) ?? '';
    t.not(again, untouched);
    t.is((await scratch.run(['resume', again, '--from', 'build'])).code, 75);
    t.deepEqual(reports(scratch), []);
  });

  test.serial(
    `${engine}: an image that is gone or another one, a folder that is not as it was, another recipe`,
    async (t) => {
      if (!hasEngine(t, engine)) return;
      const scripts = { prepare: 'echo prepared > prepared.txt', build: 'cat prepared.txt > result.txt' };
      const scratch = contained(t, scripts);
      const verify = [...asked(engine), '--published', published(scratch, 'prepared\n'), '--no-confirm'];
      const run = await keep(scratch, [...verify, '--keep', 'always'], 0, t);
      const resume = (from: string) => ['resume', run, '--from', from];
      t.is((await scratch.run(resume('build'))).code, 0);
      // an output that somebody changed
      const output = path.join(folder(scratch, run), 'outputs/1/result.txt');
      writeFileSync(output, 'other\n');
      await refused(t, scratch, resume('compare'), 75, 'kept-run-damaged');
      rmSync(output);
      await refused(t, scratch, resume('compare'), 75, 'kept-run-damaged');
      // another image of the same name
      const image = `localhost/samesource-${run}-prepared:latest`;
      execFileSync(engine, ['commit', `samesource-${run}-build-1`, image], { stdio: 'ignore' });
      const nameless = ['images', '--quiet', '--filter', 'dangling=true', '--filter'];
      const lost = (): string =>
        execFileSync(engine, [...nameless, `label=org.samesource.run=${run}`], { encoding: 'utf8' });
      await refused(t, scratch, resume('build'), 75, 'kept-state-changed');
      await refused(
        t,
        scratch,
        ['shell', run, '--phase', 'prepare', '--command', 'true'],
        75,
        'kept-state-changed',
      );
      execFileSync(engine, ['rmi', '-f', image], { stdio: 'ignore' });
      await refused(t, scratch, resume('build'), 75, 'kept-state-gone');
      execFileSync(engine, ['rm', '-f', `samesource-${run}-build-1`], { stdio: 'ignore' });
      await refused(t, scratch, ['shell', run, '--command', 'true'], 75, 'kept-state-gone');
      // Podman removes it with the one that was made of it
      if (engine === 'docker') t.not(lost(), '');
      t.is((await scratch.run(resume('prepare'))).code, 0);
      const recipe = path.join(scratch.root, 'recipes/contained.yaml');
      const text = readFileSync(recipe, 'utf8');
      writeFileSync(recipe, `# read again\n${text}`);
      t.is((await scratch.run(resume('prepare'))).code, 0);
      writeFileSync(
        recipe,
        appRecipe({ app: 'contained', image: '{ kind: lock, name: tiny }', ...scripts, build: 'true' }),
      );
      for (const from of ['prepare', 'build', 'compare'])
        await refused(t, scratch, resume(from), 64, 'plan-changed');
      writeFileSync(recipe, text);
      writeFileSync(path.join(folder(scratch, run), 'plan.json'), '{"plan": {');
      await refused(t, scratch, resume('prepare'), 75, 'kept-run-damaged');
      await refused(t, scratch, ['resume', '20200101t000000-000000', '--from', 'build'], 64, 'unknown-run');
      await refused(t, scratch, ['shell', '../kept'], 64, 'unknown-run');
      t.is((await scratch.run(['clean', 'runs', '--yes'])).code, 0);
      t.is(lost(), '');
    },
  );

  test.serial(`${engine}: one at a time, Ctrl-C, and a kill inside of the shell`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, { build: 'exit 3' });
    const run = await keep(scratch, ['build', ...asked(engine), '--keep', 'failed'], 2, t);
    const slow = () => scratch.start(['shell', run, '--command', 'echo here >&2; sleep 300']);
    const running = ['ps', '--quiet', '--filter', `label=org.samesource.run=${run}`];
    const still = (): string => execFileSync(engine, running, { encoding: 'utf8' });
    const one = slow();
    await one.said(/^here$/m);
    await refused(t, scratch, ['shell', run, '--command', 'true'], 75, 'run-in-use');
    await refused(t, scratch, ['resume', run, '--from', 'build'], 75, 'run-in-use');
    await refused(t, scratch, ['runs', '--remove', run], 75, 'run-in-use');
    // the next run has nothing to tidy up there
    t.is((await scratch.run(['demo', '--quiet'])).code, 0);
    t.not(still(), '');
    one.child.kill('SIGINT');
    t.is((await one.ended).code, 130);
    t.is(still(), '');
    const other = slow();
    await other.said(/^here$/m);
    other.child.kill('SIGKILL');
    await other.ended;
    const until = Date.now() + 30_000;
    while (
      (still() !== '' || existsSync(path.join(folder(scratch, run), 'owner.json'))) &&
      Date.now() < until
    )
      await sleep(200);
    t.is(still(), '');
    t.is((await scratch.run(['shell', run, '--quiet', '--command', 'true'])).code, 0);
    t.like((await runs(scratch))[0], { run, assisted: true, end: { outcome: 'unbuildable' } });
  });

  test.serial(`${engine}: the network of a shell is its phase's, and goes with it`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, { prepare: 'true', build: 'exit 3' });
    const run = await keep(scratch, ['build', ...asked(engine), '--keep', 'failed'], 2, t);
    const see = 'echo "${http_proxy-none}" >&2; echo here >&2';
    const args = (command: string) => ['shell', run, '--phase', 'prepare', '--command', command];
    const networks = (): string =>
      execFileSync(engine, ['network', 'ls', '--format', '{{.Name}}'], { encoding: 'utf8' })
        .split('\n')
        .filter((name) => name.includes(run))
        .join(' ');
    const quiet = await scratch.run(args(see));
    t.is(quiet.code, 0, quiet.stderr);
    t.regex(quiet.stderr, /^http:\/\/[\d.]+:\d+\nhere$/m);
    t.regex(quiet.stderr, /went over the network from this shell, and into no report: 0 requests, 0 bytes$/m);
    t.is(networks(), '');
    const stopped = scratch.start(args(`${see}; sleep 300`));
    await stopped.said(/^here$/m);
    t.is(networks(), engine === 'docker' ? `samesource-${run}-shell-prepare-network` : '');
    stopped.child.kill('SIGINT');
    const { code, stderr } = await stopped.ended;
    t.is(code, 130);
    t.regex(stderr, /went over the network/);
    t.is(networks(), '');
    const killed = scratch.start(args(`${see}; sleep 300`));
    await killed.said(/^here$/m);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const until = Date.now() + 30_000;
    while (existsSync(path.join(folder(scratch, run), 'owner.json')) && Date.now() < until) await sleep(200);
    t.is(networks(), '');
    t.is((await scratch.run(args('true'))).code, 0);
    // without the proxy, as its phase was
    const engines = ['build', ...asked(engine), '--keep', 'failed', '--no-record'];
    const bare = await keep(scratch, engines, 2, t);
    const { stderr: said } = await scratch.run(['shell', bare, '--phase', 'prepare', '--command', see]);
    t.notRegex(said, /went over the network|samesource-proxy/);
    t.regex(said, /^(?:none|http.*)\nhere$/m);
    // what the phase was allowed stands in its plan
    writeFileSync(path.join(folder(scratch, run), 'plan.json'), '{"plan": {');
    await refused(t, scratch, args('true'), 75, 'kept-run-damaged');
  });
}

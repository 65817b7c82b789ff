// SPDX-License-Identifier: Apache-2.0
/** The pipeline between the request and the report, with sources, builds and published files that do not behave. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { FailedHere, UsageError } from '../../src/errors.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import type { Plan, Verdict } from '../../src/model.js';
import { renderBrief } from '../../src/report/brief.js';
import { headline } from '../../src/report/title.js';
import { GitRepository } from '../helpers/git-repository.js';
import { localPlan, verified, world, type World } from '../helpers/local-plan.js';
import { verifyPlan } from '../../src/operations/verify.js';

const APK = path.join(packageRoot(), 'demo/published/app.apk');
const SIGNER = '4760d8f6a5fc8591475df14786fef53f278277cb577a646840c2dd344b248185';

// one cache for all: they run at the same time
const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

function publish(at: World, files: Readonly<Record<string, string>> = { 'chat.bin': 'hello\n' }): string {
  const directory = path.join(at.directory, 'published');
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
  return directory;
}

function codes(verdict: Verdict): readonly string[] {
  return 'reasons' in verdict ? verdict.reasons.map(({ code }) => code) : [];
}

const details = (verdict: Verdict): string =>
  'reasons' in verdict ? verdict.reasons.map(({ detail }) => detail).join('\n') : '';

// ---------------------------------------------------------------- source

test('a tag of the upstream repository is built, with submodules and LFS recorded', async (t) => {
  const at = world(t);
  const library = new GitRepository(path.join(at.directory, 'library'));
  const inner = library.commit('library', { 'lib.txt': 'lib' });
  at.upstream.write({
    '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = ../library\n',
    'big.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`,
  });
  at.upstream.git('add', '--all');
  at.upstream.git('update-index', '--add', '--cacheinfo', `160000,${inner},lib`);
  at.upstream.git('commit', '--quiet', '--message', 'with a library');
  const commit = at.upstream.git('rev-parse', 'HEAD');
  at.upstream.git('tag', '--force', 'v1.0');
  const plan = localPlan(at, {
    source: { commit, submodules: true },
    script: 'mkdir out; cat lib/lib.txt text.txt > out/chat.bin; printf $SOURCE_DATE_EPOCH >> out/chat.bin',
  });
  const published = publish(at, { 'chat.bin': 'libhello\n1577934245' });
  const { statement, run } = await verified(t, at, plan, { published });
  t.is(statement.verdict.kind, 'reproducible');
  t.like(statement.source, { kind: 'git', commit, from: 'upstream', tag: 'v1.0' });
  if (statement.source?.kind !== 'git') return t.fail();
  t.deepEqual(
    statement.source.submodules.map(({ path: where, commit: id }) => [where, id]),
    [['lib', inner]],
  );
  t.deepEqual(
    statement.source.lfs.map(({ path: where, sha256 }) => [where, sha256]),
    [['big.bin', 'a'.repeat(64)]],
  );
  t.is(run.builds, 1);
});

for (const [what, code, spoil] of [
  [
    'a commit that no branch or tag leads to',
    'commit-not-upstream',
    ({ upstream }: World): Partial<Plan['build']['source']> => {
      upstream.git('checkout', '--quiet', '-b', 'fork');
      const commit = upstream.commit('evil', { 'text.txt': 'evil' });
      upstream.git('checkout', '--quiet', 'main');
      upstream.git('branch', '--quiet', '-D', 'fork');
      return { commit };
    },
  ],
  [
    'a tag that was moved',
    'tag-moved',
    ({ upstream }: World) => {
      upstream.commit('later', { 'text.txt': 'later' });
      upstream.git('tag', '--force', 'v1.0');
      return {};
    },
  ],
  [
    'a source of another version',
    'version-file-mismatch',
    ({ upstream }: World) => {
      const commit = upstream.commit('1.1', { 'version.txt': 'name=1.1\n' });
      upstream.git('tag', '--force', 'v1.0');
      return { commit };
    },
  ],
] as const)
  test(`${what} is not built: ${code}`, async (t) => {
    const at = world(t);
    const plan = localPlan(at, { source: spoil(at), script: 'exit 9' });
    const { statement, run } = await verified(t, at, plan, { published: publish(at) });
    t.deepEqual(codes(statement.verdict), ['source-untrusted']);
    t.regex(details(statement.verdict), new RegExp(`^${code}: `));
    t.is(run.builds, 0);
  });

test('a commit or a repository that is not there is missing; one that cannot be reached is no verdict', async (t) => {
  const at = world(t);
  const published = publish(at);
  const gone = await verified(t, at, localPlan(at, { source: { commit: '1'.repeat(40) } }), { published });
  t.deepEqual(codes(gone.statement.verdict), ['source-missing-for-version']);
  const nowhere = localPlan(at, { source: { repository: path.join(at.directory, 'nowhere') } });
  t.deepEqual(codes((await verified(t, at, nowhere, { published })).statement.verdict), [
    'source-missing-for-version',
  ]);
  const unreachable = localPlan(at, { source: { repository: 'https://localhost:9/chat' } });
  const error = await t.throwsAsync(verifyPlan(unreachable, { published }), { instanceOf: FailedHere });
  t.is(error?.code, 'network');
});

const REPLACED = {
  code: 'source-replaced',
  what: 'the source comes from a local directory',
  reason: 'the user asked for it with --source',
  canChangeOutput: 'unknown',
} as const;

test('a directory that is handed over as source: the report claims no commit, and takes the time of its own', async (t) => {
  const at = world(t);
  const source = path.join(at.directory, 'mine');
  at.upstream.git('clone', '--quiet', at.upstream.directory, source);
  writeFileSync(path.join(source, 'text.txt'), 'changed\n');
  const plan = localPlan(at, {
    script: 'mkdir out; cp text.txt out/chat.bin; printf $SOURCE_DATE_EPOCH >> out/chat.bin; test ! -e .git',
    deviations: [REPLACED],
  });
  const published = publish(at, { 'chat.bin': 'changed\n1577934245' });
  const report = await verified(t, at, plan, { published, source });
  t.is(report.statement.verdict.kind, 'reproducible');
  t.is(headline(report), 'Reproduced from another source than the publisher’s');
  t.true(report.statement.statements.some(({ code }) => code === 'source-not-upstream'));
  t.false(report.statement.statements.some(({ code }) => code === 'source-commit'));
  t.regex(renderBrief(report), /Source: a directory that was handed over/);
});

test('a source directory that cannot be taken is the user’s to mend', async (t) => {
  const at = world(t);
  const published = publish(at);
  const code = async (source: string): Promise<string | undefined> =>
    (await t.throwsAsync(verifyPlan(localPlan(at), { published, source }), { instanceOf: UsageError }))?.code;
  t.is(await code(path.join(at.directory, 'nowhere')), 'bad-source');
  t.is(await code(cache), 'bad-source');
});

// ---------------------------------------------------------------- published files

test('a published file of the source tree is an input', async (t) => {
  const at = world(t, { 'prebuilt/chat.bin': 'once built, and committed\n' });
  const plan = localPlan(at, { script: 'mkdir out; cp prebuilt/chat.bin out/chat.bin' });
  const { statement } = await verified(t, at, plan, {
    published: publish(at, { 'chat.bin': 'once built, and committed\n' }),
  });
  t.deepEqual(codes(statement.verdict), ['artifact-in-inputs']);
});

const signed = (at: World, script: string, signer = SIGNER): Plan =>
  localPlan(at, {
    script,
    compare: {
      packageId: 'org.samesource.demo',
      signers: [{ sha256: signer, statedBy: 'publisher', source: 'test' }],
      versionCodes: [1],
    },
  });

test('a build that gives the publisher’s own signature had the published file', async (t) => {
  const at = world(t);
  const plan = signed(at, `mkdir out; cp '${APK}' out/chat.bin`);
  const { statement } = await verified(t, at, plan, { published: APK });
  t.deepEqual(codes(statement.verdict), ['artifact-in-inputs']);
});

test('a file that was cut off is nobody’s published file; a directory without it is not listed', async (t) => {
  const at = world(t);
  const plan = signed(at, 'exit 9');
  const directory = publish(at, { 'private.txt': 'x', 'more.txt': 'x' });
  symlinkSync('/etc/hostname', path.join(directory, 'link'));
  const { statement } = await verified(t, at, plan, { published: directory });
  t.deepEqual(codes(statement.verdict), ['no-published-artifact']);
  t.notRegex(JSON.stringify(statement), /private\.txt|more\.txt|"link"|link is/);
  const cut = path.join(directory, 'chat.bin');
  writeFileSync(cut, readFileSync(APK).subarray(0, -500));
  const error = await t.throwsAsync(verifyPlan(plan, { published: cut }), { instanceOf: UsageError });
  t.is(error?.code, 'damaged-file');
});

test('a plan that cannot run says nothing of a file that is at hand before the file was looked at', async (t) => {
  const at = world(t);
  const open = (made: Plan): Plan => {
    const { buildDigest: _, ...rest } = made;
    return { ...rest, unresolved: ['unresolved: the image'] };
  };
  const plan = open(signed(at, 'exit 9'));
  const stranger = open(signed(at, 'exit 9', 'b'.repeat(64)));
  const refused = await verified(t, at, stranger, { published: APK });
  t.deepEqual(codes(refused.statement.verdict), ['signer-not-pinned', 'signer-not-pinned']);
  t.is(refused.statement.verdict.kind, 'not-authentic');
  const older: Plan = { ...plan, compare: { ...plan.compare, versionCodes: [2] } };
  await t.throwsAsync(verifyPlan(older, { published: APK }), {
    instanceOf: UsageError,
    code: 'other-version',
  });
  for (const [what, request] of [
    ['the publisher’s file', { published: APK }],
    ['a file that is not, and is to be built all the same', { published: APK, buildAnyway: true }],
    ['none', {}],
  ] as const)
    await t.throwsAsync(
      verifyPlan('buildAnyway' in request ? stranger : plan, request),
      { instanceOf: FailedHere, code: 'plan-unresolved' },
      what,
    );
});

test('a file of another signer is not built, and stays it when it is built all the same', async (t) => {
  const at = world(t);
  const plan = signed(at, 'mkdir out; cp text.txt out/chat.bin', 'b'.repeat(64));
  const refused = await verified(t, at, plan, { published: APK });
  t.deepEqual([...new Set(codes(refused.statement.verdict))], ['signer-not-pinned']);
  t.is(refused.run.builds, 0);
  for (const script of ['mkdir out; cp text.txt out/chat.bin', 'true', 'echo "error: no" >&2; exit 1']) {
    const { statement, run } = await verified(t, at, signed(at, script, 'b'.repeat(64)), {
      published: APK,
      buildAnyway: true,
    });
    t.deepEqual([...new Set(codes(statement.verdict))], ['signer-not-pinned'], script);
    t.is(run.standing, undefined);
  }
});

test('a handed-over package that the signed index does not list is not the archive’s', async (t) => {
  const at = world(t);
  const binary = {
    package: 'chat',
    version: '1.0',
    architecture: 'amd64',
    path: 'pool/main/c/chat/chat.bin',
    size: 6,
    sha256: 'c'.repeat(64),
  };
  const acquisition = { kind: 'debian-archive', suite: 'test', files: [binary] } as const;
  const { statement } = await verified(t, at, localPlan(at, { compare: { acquisition } }), {
    published: publish(at),
  });
  t.deepEqual(codes(statement.verdict), ['not-in-index']);
});

test('a file whose package nobody can read is not taken for another app', async (t) => {
  const at = world(t);
  for (const [text, kind] of [
    ['hello\n', 'unverifiable'],
    ['other\n', 'unreproducible'],
  ] as const) {
    rmSync(path.join(at.directory, 'published'), { recursive: true, force: true });
    const plan = localPlan(at, { compare: { packageId: 'org.example.chat' } });
    const { statement } = await verified(t, at, plan, { published: publish(at, { 'chat.bin': text }) });
    t.is(statement.verdict.kind, kind);
  }
});

// ---------------------------------------------------------------- sets

const TWO = {
  outputs: [
    { id: 'chat', path: 'out/chat.bin' },
    { id: 'doc', path: 'out/doc.bin' },
  ],
  compare: {
    pairs: [
      { published: 'chat.bin', output: 'chat' },
      { published: 'doc.bin', output: 'doc' },
    ],
  },
} as const;
const MAKE_TWO = 'mkdir out; cp text.txt out/chat.bin; cp text.txt out/doc.bin';

test('half of a set: what was not obtained is the only reason, and nothing is built again', async (t) => {
  const at = world(t);
  const { statement, run } = await verified(t, at, localPlan(at, { ...TWO, script: MAKE_TWO }), {
    published: publish(at),
  });
  t.deepEqual(codes(statement.verdict), ['incomplete-set']);
  t.regex(details(statement.verdict), /^doc\.bin is published and was not obtained$/);
  t.is(run.builds, 1);
  t.is(run.standing, undefined);
});

test('an output that the build did not make has no twin, whatever lies beside it', async (t) => {
  const at = world(t);
  const script = 'mkdir -p out; cp text.txt out/chat.bin; cp text.txt out/doc-1.bin';
  const published = publish(at, { 'chat.bin': 'hello\n', 'doc.bin': 'hello\n' });
  const { statement } = await verified(t, at, localPlan(at, { ...TWO, script }), { published });
  t.is(statement.verdict.kind, 'unreproducible');
  t.deepEqual(
    statement.comparison?.unpairedPublished.map(({ name }) => name),
    ['doc.bin'],
  );
});

test('a file beside the outputs with the name of a published one is not its twin', async (t) => {
  const at = world(t);
  const plan = localPlan(at, {
    script: 'mkdir -p out; cp text.txt out/release.bin',
    outputs: [{ id: 'chat', path: 'out/app.bin' }],
    compare: { pairs: [{ published: 'release.bin', output: 'chat' }] },
  });
  const published = publish(at, { 'release.bin': 'hello\n' });
  const { statement } = await verified(t, at, plan, { published });
  t.is(statement.verdict.kind, 'unreproducible');
  t.is(statement.comparison?.pairs.length, 0);
});

test('an output that no published file is paired with is said, or declared', async (t) => {
  const at = world(t);
  const published = publish(at);
  const compare = { pairs: [{ published: 'chat.bin', output: 'chat' }] };
  const open = localPlan(at, { ...TWO, compare, script: MAKE_TWO });
  t.deepEqual(codes((await verified(t, at, open, { published })).statement.verdict), ['incomplete-set']);
  const notPublished = [{ pattern: 'doc.bin', reason: 'the file of another channel' }];
  const declared = localPlan(at, { ...TWO, compare: { ...compare, notPublished }, script: MAKE_TWO });
  t.is((await verified(t, at, declared, { published })).statement.verdict.kind, 'reproducible');
});

test('files of one name in several directories are told apart', async (t) => {
  const at = world(t);
  const dirs = ['a', 'b', 'c'];
  const plan = localPlan(at, {
    script: `for d in ${dirs.join(' ')}; do mkdir $d; cp text.txt $d/app.bin; echo $d >> $d/app.bin; cp text.txt $d/list.json; done`,
    outputs: dirs.map((id) => ({ id, path: `${id}/app.bin` })),
    compare: {
      pairs: dirs.map((id) => ({ published: `${id}.bin`, output: id })),
      notPublished: [{ pattern: 'list.json', reason: 'a list' }],
    },
  });
  const published = publish(at, Object.fromEntries(dirs.map((d) => [`${d}.bin`, `hello\n${d}\n`])));
  const { statement } = await verified(t, at, plan, { published });
  t.is(statement.verdict.kind, 'reproducible');
  t.deepEqual(
    statement.comparison?.pairs.map((pair) => `${pair.published.name} ${pair.rebuilt.name}`),
    dirs.map((d) => `${d}.bin chat/${d}/app.bin`),
  );
});

// ---------------------------------------------------------------- several builds

/** A build script that knows how often it ran: nothing keeps a local build from the machine. */
const counted = (at: World, script: string): string =>
  `mkdir out; echo >> '${at.directory}/runs'; n=$(wc -l < '${at.directory}/runs'); ${script}`;

test('a mismatch is confirmed by a second build', async (t) => {
  const at = world(t);
  const report = await verified(t, at, localPlan(at), { published: publish(at, { 'chat.bin': 'other\n' }) });
  t.is(report.statement.verdict.kind, 'unreproducible');
  t.like(report.run, { builds: 2, matchingBuilds: 0, standing: 'confirmed' });
  const single = await verified(t, at, localPlan(at), {
    published: path.join(at.directory, 'published'),
    confirm: false,
    madeSince: new Date(),
  });
  t.like(single.run, { builds: 1, standing: 'single' });
});

test('builds that disagree where they differ from the published file are unstable', async (t) => {
  const at = world(t);
  const plan = localPlan(at, { script: counted(at, 'echo $n > out/chat.bin') });
  const report = await verified(t, at, plan, { published: publish(at) });
  t.like(report.run, { builds: 2, standing: 'unstable', unstableMembers: ['chat.bin'] });
});

test('one matching build is proof, whichever it is', async (t) => {
  for (const [match, rebuild, builds] of [
    [2, 1, 2],
    [1, 3, 3],
    [3, 3, 3],
  ] as const) {
    const at = world(t);
    const plan = localPlan(at, {
      script: counted(
        at,
        `if test $n = ${match}; then cp text.txt out/chat.bin; else echo $n > out/chat.bin; fi`,
      ),
    });
    const report = await verified(t, at, plan, { published: publish(at), rebuild });
    t.is(report.statement.verdict.kind, 'reproducible');
    t.is(report.run.standing, undefined);
    t.is(headline(report), `Reproduced (in 1 of ${builds} builds)`);
  }
});

test('a confirming build that fails confirms nothing, and the report says so', async (t) => {
  for (const [script, outcome] of [
    ['echo "error: no" >&2; exit 3', /ended with exit code 3/],
    ['kill -9 $$', /could not be done here/],
  ] as const) {
    const at = world(t);
    const plan = localPlan(at, {
      script: counted(at, `if test $n = 2; then ${script}; fi; echo x > out/chat.bin`),
    });
    const { run, statement } = await verified(t, at, plan, { published: publish(at) });
    t.is(statement.verdict.kind, 'unreproducible');
    t.like(run, { builds: 1, standing: 'single' });
    t.is(run.otherBuilds?.[0]?.attempt, 2);
    t.regex(run.otherBuilds?.[0]?.outcome ?? '', outcome);
    t.true(run.statements.some(({ code }) => code === 'build-ended-otherwise'));
  }
});

test('a failing build shows its first error and its end, without this machine', async (t) => {
  const at = world(t);
  const plan = localPlan(at, { script: 'echo "$PWD/main.c:1:1: error: no $HOME" >&2; echo end >&2; exit 3' });
  const published = publish(at);
  const { statement, statementSha256, run } = await verified(t, at, plan, { published });
  t.deepEqual(statement.verdict, { kind: 'unbuildable', phase: 'build', exitCode: 3 });
  t.deepEqual(statement.buildFailure?.firstError, [
    '/build/chat/main.c:1:1: error: no <temporary>/home',
    'end',
  ]);
  t.is(run.failureTail?.at(-1), 'end');
  t.is((await verified(t, at, plan, { published })).statementSha256, statementSha256);
});

test('what the log of a failed build is known to say is told of the run and changes nothing', async (t) => {
  const at = world(t);
  const published = publish(at);
  const words = 'error: 3: fatal error: $HOME/zlib.h: No such file or directory';
  const script = (line: string): string => `echo ${JSON.stringify(line)} >&2; exit 1`;
  const { statement, run } = await verified(t, at, localPlan(at, { script: script(words) }), { published });
  t.deepEqual(statement.verdict, { kind: 'unbuildable', phase: 'build', exitCode: 1 });
  t.deepEqual(run.knownFailures, [
    {
      id: 'header-missing',
      line: 'error: 3: fatal error: <temporary>/home/zlib.h: No such file or directory',
    },
  ]);
  const said = run.statements.find(({ code }) => code === 'known-failure-header-missing');
  t.regex(
    said?.sentence ?? '',
    /^A line of the log is known: .+ was not in this environment\. To try: install it .+ The line: “.+”\.$/,
  );
  t.deepEqual(said?.basis, ['/run/knownFailures/0']);
  t.false(JSON.stringify(statement).includes('known-failure'));
  const other = await verified(t, at, localPlan(at, { script: script('an error: of nobody') }), {
    published,
  });
  t.is(other.run.knownFailures, undefined);
});

test('a record of the build that is another one each time stands in the statement by name', async (t) => {
  const at = world(t);
  const plan = localPlan(at, {
    script: counted(at, 'cp text.txt out/chat.bin; echo $n > out/chat.buildinfo'),
    compare: { notPublished: [{ pattern: '*.buildinfo', reason: 'a record' }] },
  });
  const published = publish(at);
  const [one, two] = [await verified(t, at, plan, { published }), await verified(t, at, plan, { published })];
  t.is(one.statementSha256, two.statementSha256);
  t.deepEqual(one.statement.comparison?.notPublished, [{ name: 'chat.buildinfo', reason: 'a record' }]);
});

test('the same inputs give the same statement', async (t) => {
  const at = world(t);
  const published = publish(at, { 'chat.bin': 'other\n' });
  const [one, two] = [
    await verified(t, at, localPlan(at), { published }),
    await verified(t, at, localPlan(at), { published, confirm: false }),
  ];
  t.is(one.statementSha256, two.statementSha256);
  t.is(one.statementSha256, digestOf(one.statement));
});

test('a source directory with something else than files is refused, and no verdict', async (t) => {
  const at = world(t);
  const source = path.join(at.directory, 'mine');
  mkdirSync(source);
  writeFileSync(path.join(source, 'version.txt'), 'name=1.0\n');
  execFileSync('mkfifo', [path.join(source, 'pipe')]);
  const published = publish(at);
  const error = await t.throwsAsync(verifyPlan(localPlan(at), { published, source }), {
    instanceOf: FailedHere,
  });
  t.is(error?.code, 'unreadable-input');
});

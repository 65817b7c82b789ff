// SPDX-License-Identifier: Apache-2.0
/** What a site serves against a directory that was built: file by file, by path. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { FailedHere, UsageError } from '../../src/errors.js';
import type { AcquisitionPlan, Plan } from '../../src/model.js';
import { checkReport } from '../../src/report/check.js';
import { concluded } from '../../src/report/assemble.js';
import type { Report } from '../../src/report/types.js';
import { localServer } from '../helpers/http-server.js';
import { localPlan, verified, world, type World } from '../helpers/local-plan.js';

// one cache for all: they run at the same time
const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

/** The site as its source builds it: nothing names `stats.txt`. */
const SITE = {
  '/a/': '<script src="js/main.js"></script><a href="#top">',
  '/a/js/main.js': 'fetch("style.css")',
  '/a/style.css': 'b { color: red }',
};
const SCRIPT = `
  mkdir -p dist/js
  printf '<script src="js/main.js"></script><a href="#top">' > dist/index.html
  printf 'fetch("style.css")' > dist/js/main.js
  printf 'b { color: red }' > dist/style.css
  printf 'built' > dist/stats.txt`;

type Pages = Readonly<Record<string, string>>;

const serve = async (t: ExecutionContext, pages: Pages): Promise<string> => {
  const { url } = await localServer(t, (request, response) => {
    const page = Object.hasOwn(pages, request.url ?? '') ? pages[request.url ?? ''] : undefined;
    if (page === undefined) response.writeHead(404).end();
    else response.end(page);
  });
  return url;
};

const pairs = [{ published: 'a/', output: 'dist' }];
const outputs = [{ id: 'dist', path: 'dist/' }];

function sitePlan(at: World, url: string, script: string = SCRIPT): Plan {
  const acquisition: AcquisitionPlan = { kind: 'site-files', entry: `${url}/a/` };
  return localPlan(at, { script, outputs, compare: { acquisition, pairs } });
}

async function verifySite(t: ExecutionContext, pages: Pages, script?: string): Promise<Report> {
  const at = world(t);
  return await verified(t, at, sitePlan(at, await serve(t, pages), script), {});
}

test.serial('each served file has its twin at the same path; what no page names is told', async (t) => {
  const { statement, run } = await verifySite(t, SITE);
  t.is(statement.verdict.kind, 'reproducible', JSON.stringify(statement.verdict));
  t.deepEqual(
    statement.comparison?.pairs.map(({ published, rebuilt }) => [published.name, rebuilt.name]),
    [
      ['a/index.html', 'dist/index.html'],
      ['a/js/main.js', 'dist/js/main.js'],
      ['a/style.css', 'dist/style.css'],
    ],
  );
  t.deepEqual(statement.comparison?.folders, { outside: [], notSeen: ['dist/stats.txt'] });
  t.true(
    statement.statements.some(
      ({ code, sentence }) => code === 'rebuilt-not-seen' && sentence.includes('dist/stats.txt'),
    ),
  );
  for (const code of ['not-other-visitors', 'not-all-of-site'])
    t.true(statement.doesNotSay.some((said) => said.code === code));
  t.is(run.published?.length, 3);
});

test.serial('one other byte in one served file is found in that file, and confirmed', async (t) => {
  const { statement, run } = await verifySite(t, { ...SITE, '/a/style.css': 'b { color: rad }' });
  t.like(statement.verdict, { kind: 'unreproducible', differentBytes: 1, unpaired: [] });
  t.deepEqual(
    statement.comparison?.pairs
      .filter(({ worst }) => worst !== 'identical')
      .map(({ published }) => published.name),
    ['a/style.css'],
  );
  t.is(run.standing, 'confirmed');
});

test.serial(
  'a served file that the build does not make, or makes at another path, has no twin',
  async (t) => {
    // the source names it and does not make it
    const script = `${SCRIPT}; printf 'x.src="extra.js"' > dist/js/main.js`;
    const extra = { ...SITE, '/a/js/main.js': 'x.src="extra.js"', '/a/extra.js': 'steal()' };
    const added = await verifySite(t, extra, script);
    t.like(added.statement.verdict, { kind: 'unreproducible', unpaired: ['a/extra.js'] });
    const moved = await verifySite(t, extra, `${script}; printf 'steal()' > dist/js/extra.js`);
    t.like(moved.statement.verdict, { kind: 'unreproducible', unpaired: ['a/extra.js'] });
    t.true(moved.statement.comparison?.folders?.notSeen.includes('dist/js/extra.js'));
    const right = await verifySite(t, extra, `${script}; printf 'steal()' > dist/extra.js`);
    t.is(right.statement.verdict.kind, 'reproducible');
  },
);

test.serial(
  'what is served outside of the folder is compared with nothing, and nothing is proven',
  async (t) => {
    const script = `${SCRIPT}; printf '<script src="/x.js"></script>' > dist/index.html`;
    const pages = { ...SITE, '/a/': '<script src="/x.js"></script>', '/x.js': '1' };
    const { statement } = await verifySite(t, pages, script);
    t.like(statement.verdict, {
      kind: 'unverifiable',
      reasons: [
        {
          code: 'incomplete-set',
          detail: 'x.js is published outside of what was built: nothing to compare it with',
        },
      ],
    });
    t.deepEqual(
      statement.subject.published.map(({ name }) => name),
      ['a/index.html', 'x.js'],
    );
    const other = await verifySite(t, pages);
    t.is(other.statement.verdict.kind, 'unreproducible');
  },
);

test.serial('a file that is served in two ways at one path proves nothing', async (t) => {
  const script = `${SCRIPT}; printf 'fetch("style.css"), fetch("style.css?v=2")' > dist/js/main.js`;
  const pages = { ...SITE, '/a/js/main.js': 'fetch("style.css"), fetch("style.css?v=2")' };
  const same = await verifySite(t, { ...pages, '/a/style.css?v=2': SITE['/a/style.css'] }, script);
  t.is(same.statement.verdict.kind, 'reproducible');
  const { statement } = await verifySite(t, { ...pages, '/a/style.css?v=2': 'other' }, script);
  t.like(statement.verdict, { kind: 'unverifiable', reasons: [{ code: 'incomplete-set' }] });
  t.regex(JSON.stringify(statement.verdict), /\/a\/style\.css \(names no file of its own\)/);
});

test.serial('a site that answers every address serves no files without a twin', async (t) => {
  const { url } = await localServer(t, (request, response) => {
    const page = Object.entries(SITE).find(([name]) => name === request.url)?.[1];
    response.end(page ?? SITE['/a/']);
  });
  const at = world(t);
  const reports = [
    await verified(t, at, sitePlan(at, url), {}),
    await verified(t, at, sitePlan(at, url), {}),
  ] as const;
  t.like(reports[0].statement.verdict, {
    kind: 'unverifiable',
    reasons: [{ code: 'no-published-artifact' }],
  });
  t.regex(JSON.stringify(reports[0].statement.verdict), /answers a random name, which no file has/);
  t.is(reports[0].statementSha256, reports[1].statementSha256);
});

test.serial('a link in the built directory is refused, and no directory is none', async (t) => {
  await t.throwsAsync(verifySite(t, SITE, `${SCRIPT}; ln -s style.css dist/other.css`), {
    instanceOf: FailedHere,
    code: 'output-refused',
    message: /dist\/ holds a link at "other\.css"/,
  });
  const { statement } = await verifySite(t, SITE, 'printf x > dist');
  t.like(statement.verdict, { kind: 'unreproducible', differentBytes: 0 });
  t.is(statement.comparison?.unpairedPublished.length, 3);
});

test.serial('a folder that is handed over is compared in the same way', async (t) => {
  const at = world(t);
  const plan = sitePlan(at, 'http://127.0.0.1:9');
  const directory = path.join(at.directory, 'site');
  const put = (name: string, content: string): void => {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), content);
  };
  put('a/index.html', SITE['/a/']);
  put('a/style.css', SITE['/a/style.css']);
  put('note.txt', 'of the user');
  const { statement } = await verified(t, at, plan, { published: directory });
  t.is(statement.verdict.kind, 'reproducible');
  t.false(JSON.stringify(statement).includes('note.txt'));
  put('a/style.css', 'other');
  const other = await verified(t, at, plan, { published: directory, confirm: false });
  t.is(other.statement.verdict.kind, 'unreproducible');
  await t.throwsAsync(verified(t, at, plan, { published: path.join(directory, 'note.txt') }), {
    instanceOf: UsageError,
    code: 'unknown-published-file',
  });
  symlinkSync('/etc/passwd', path.join(directory, 'a/passwd'));
  await t.throwsAsync(verified(t, at, plan, { published: directory }), { code: 'unreadable-input' });
});

test.serial(
  'a site that serves another version, or does not say which, says nothing about this one',
  async (t) => {
    const at = world(t);
    const script = `${SCRIPT}; printf '1.0\\n' > dist/version.txt`;
    const planFor = async (pages: Pages): Promise<Plan> => {
      const entry = `${await serve(t, pages)}/a/`;
      const acquisition: AcquisitionPlan = { kind: 'site-files', entry, versionFile: 'version.txt' };
      return localPlan(at, { script, outputs, compare: { acquisition, pairs } });
    };
    const right = await verified(t, at, await planFor({ ...SITE, '/a/version.txt': '1.0\n' }), {});
    t.is(right.statement.verdict.kind, 'reproducible');
    t.true(right.statement.subject.published.some(({ name }) => name === 'a/version.txt'));
    for (const [pages, detail] of [
      [{ ...SITE, '/a/version.txt': '1.1\n' }, /a\/version\.txt says "1\.1", expected 1\.0/],
      [SITE, /a\/version\.txt, which says the version, is not there/],
    ] as const) {
      const { verdict } = (await verified(t, at, await planFor(pages), {})).statement;
      t.like(verdict, { kind: 'unverifiable', reasons: [{ code: 'no-published-artifact' }] });
      t.regex(verdict.kind === 'unverifiable' ? (verdict.reasons[0]?.detail ?? '') : '', detail);
    }
    const directory = path.join(at.directory, 'site/a');
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'version.txt'), '1.1');
    await t.throwsAsync(verified(t, at, await planFor(SITE), { published: path.dirname(directory) }), {
      instanceOf: UsageError,
      code: 'other-version',
    });
  },
);

test.serial(
  'a report that moves a file out of its folder, or a twin to another path, is inconsistent',
  async (t) => {
    const report = await verifySite(t, { ...SITE, '/a/style.css': 'other' });
    const tampered = (
      change: (comparison: NonNullable<Report['statement']['comparison']>) => object,
    ): string => {
      const { statement } = report;
      if (statement.comparison === undefined) throw new Error('nothing was compared');
      const comparison = { ...statement.comparison, ...change(statement.comparison) };
      const facts = {
        ...statement,
        comparison,
        subject: {
          ...statement.subject,
          published: [
            ...comparison.pairs.map(({ published }) => published),
            ...comparison.unpairedPublished,
            ...(comparison.folders?.outside ?? []),
          ],
          rebuilt: comparison.pairs.map(({ rebuilt }) => rebuilt),
        },
      };
      const made = concluded(facts);
      const checked = checkReport({ ...report, statement: made, statementSha256: digestOf(made) });
      return checked.kind === 'inconsistent' ? JSON.stringify(checked.problems) : checked.kind;
    };
    t.regex(
      tampered(({ pairs: all, folders }) => ({
        pairs: all.slice(0, 2),
        folders: { outside: [all[2]?.published], notSeen: folders?.notSeen ?? [] },
      })),
      /the plan names the folder of a\/style\.css/,
    );
    t.regex(
      tampered(({ pairs: [first, ...rest] }) => ({
        pairs: [{ ...first, rebuilt: { ...first?.rebuilt, name: 'dist/other.html' } }, ...rest],
      })),
      /a\/index\.html is compared with dist\/other\.html/,
    );
    t.regex(
      tampered(() => ({ folders: undefined })),
      /1 folders are planned/,
    );
    t.regex(
      tampered(() => ({ folders: { outside: [], notSeen: ['chat.apk'] } })),
      /chat\.apk lies in no output/,
    );
  },
);

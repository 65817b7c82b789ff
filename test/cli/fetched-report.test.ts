// SPDX-License-Identifier: Apache-2.0
/** A whole run whose published file comes from a server: what its report tells of that, and in which part. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Report } from '../../src/report/types.js';
import { localServer } from '../helpers/http-server.js';
import { need } from '../helpers/need.js';
import { appRecipe } from '../helpers/scratch-package.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { verify } from '../helpers/transcript.js';

interface Run {
  readonly code: number | null;
  readonly report: Report;
  readonly file: string;
}

async function setUp(
  t: ExecutionContext,
  answer: (response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly run: () => Promise<Run> }> {
  const root = temporaryDirectory(t);
  const recipes = path.join(root, 'recipes');
  mkdirSync(recipes);
  const { url } = await localServer(t, (_request, response) => answer(response));
  writeFileSync(
    path.join(recipes, 'fetched.yaml'),
    appRecipe({
      app: 'fetched',
      build: 'echo built > result.txt',
      channel: `acquisition: { kind: url, url: '${url}/{version}.txt', onlyLatest: false }`,
    }),
  );
  let runs = 0;
  const run = async (): Promise<Run> => {
    const out = path.join(root, `out-${runs++}`);
    const { code, stderr } = await verify(
      ['fetched', '1.0.0', '--recipes', recipes, '--engine', 'local', '--out', out],
      { env: { XDG_CACHE_HOME: path.join(root, 'cache'), NO_PROXY: '127.0.0.1' } },
    );
    const file = readdirSync(out, { recursive: true, encoding: 'utf8' }).find((name) =>
      /^reports\/.*\/report\.json$/.test(name),
    );
    if (file === undefined) throw new Error(`no report: ${stderr}`);
    const place = path.join(out, file);
    return { code, file: place, report: JSON.parse(readFileSync(place, 'utf8')) as Report };
  };
  return { url, run };
}

test('address, time and digest stand in the run part; the statement is the same for every run', async (t) => {
  if (!need(t, 'git')) return;
  const { url, run } = await setUp(
    t,
    (response) => void response.writeHead(200, { etag: '"1"' }).end('built\n'),
  );
  const [first, second] = [await run(), await run()];
  t.is(first.code, 0);
  t.is(first.report.statement.verdict.kind, 'reproducible');
  const [published] = first.report.run.published ?? [];
  t.like(published, {
    file: 'result.txt',
    from: 'url',
    fetched: { url: `${url}/1.0.0.txt`, hops: [], etag: '"1"', size: 6, digestExpected: false },
  });
  t.true(first.report.run.statements.some(({ code }) => code === 'published-fetched'));
  t.is(first.report.statementSha256, second.report.statementSha256);
  t.false(JSON.stringify(first.report.statement).includes(published?.fetched?.time ?? 'none'));
  t.is((await verify(['report', first.file, '--check'])).code, 0);
});

for (const [status, exit] of [
  [404, 2],
  [410, 2],
] as const)
  test(`status ${status} is no verdict on the source: exit ${exit}, with a code of its own`, async (t) => {
    if (!need(t, 'git')) return;
    const { run } = await setUp(t, (response) => void response.writeHead(status).end());
    const { code, report } = await run();
    t.is(code, exit);
    const { verdict } = report.statement;
    t.is(verdict.kind, 'unverifiable');
    t.regex(JSON.stringify(verdict), /"no-published-artifact","detail":"gone: http/);
  });

test('another file than the built one is unreproducible, and its origin is told all the same', async (t) => {
  if (!need(t, 'git')) return;
  const { url, run } = await setUp(t, (response) => void response.end('tampered\n'));
  const { code, report } = await run();
  t.is(code, 1);
  t.is(report.run.published?.[0]?.fetched?.url, `${url}/1.0.0.txt`);
});

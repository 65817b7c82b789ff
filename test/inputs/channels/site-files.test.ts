// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { FailedHere } from '../../../src/errors.js';
import { referencesIn } from '../../../src/formats/page-references.js';
import {
  fetchSite,
  type Site,
  type SiteLimits,
  type SiteOutcome,
} from '../../../src/inputs/channels/site-files.js';
import { localServer } from '../../helpers/http-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

type Answer = string | ((response: ServerResponse) => void);

async function site(
  t: ExecutionContext,
  pages: Readonly<Record<string, Answer>>,
  limits: Partial<SiteLimits> = {},
): Promise<{
  readonly url: string;
  readonly requests: readonly string[];
  readonly directory: string;
  readonly outcome: () => Promise<SiteOutcome>;
  readonly get: () => Promise<Site>;
}> {
  const { url, requests } = await localServer(t, (request, response) => {
    const answer = Object.hasOwn(pages, request.url ?? '') ? pages[request.url ?? ''] : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'string') response.setHeader('etag', '"1"').end(answer);
    else answer(response);
  });
  const directory = temporaryDirectory(t);
  const cache = temporaryDirectory(t);
  const outcome = (): Promise<SiteOutcome> => fetchSite(`${url}/a/`, { directory, cache, limits });
  const get = async (): Promise<Site> => {
    const found = await outcome();
    if (found.kind !== 'site') throw new Error(found.kind);
    return found;
  };
  return { url, requests, directory, outcome, get };
}

const namesOf = ({ files }: Site): string[] => files.map(({ name }) => name);

test('what a page and its files name is fetched into a folder: scripts, styles, manifest, worker, chunks', async (t) => {
  const { get, directory, url } = await site(t, {
    '/a/':
      '<link rel=manifest href="site.webmanifest"><LINK href=\'style.css?v=2\'><script src=main.js></script><a href="#x">',
    '/a/site.webmanifest': '{"icons":[{"src":"./icon.png"}]}',
    '/a/style.css?v=2': '@font-face{src:url(fonts/x.woff2)}',
    '/a/fonts/x.woff2': 'font',
    '/a/icon.png': 'icon',
    '/a/main.js':
      'navigator.serviceWorker.register("/sw.js");r.u=e=>"js/"+({7:"chat"}[e]||e)+"."+{7:"ab12",9:"cd34"}[e]+".chunk.js"',
    '/sw.js': 'const x="a/lib.wasm"',
    '/a/lib.wasm': 'code',
    '/a/js/chat.ab12.chunk.js': '1',
    '/a/js/9.cd34.chunk.js': '2',
  });
  const found = await get();
  t.deepEqual(namesOf(found), [
    'a/fonts/x.woff2',
    'a/icon.png',
    'a/index.html',
    'a/js/9.cd34.chunk.js',
    'a/js/chat.ab12.chunk.js',
    'a/lib.wasm',
    'a/main.js',
    'a/site.webmanifest',
    'a/style.css',
    'sw.js',
  ]);
  t.is(readFileSync(path.join(directory, 'a/js/9.cd34.chunk.js'), 'utf8'), '2');
  t.like(found.files[0]?.fetched, { url: `${url}/a/fonts/x.woff2`, size: 4, etag: '"1"' });
  t.false(found.cut);
});

test('other hosts, other schemes, paths that lead out and names that collide are not taken', async (t) => {
  const other = await localServer(t, (_request, response) => void response.end('other'));
  const { get, requests } = await site(t, {
    '/a/': `<img src="data:image/png;base64,xx.png"><a href="javascript:alert(1)"><img src="${other.url}/x.png"><img src="../../../etc/passwd.txt"><img src="%2e%2e/%2e%2e/x.png"><img src="away.png"><img src="b.js"><img src="b.js/c.js"><img src="..%2f..%2fy.png">`,
    '/etc/passwd.txt': 'a file of the site',
    '/a/away.png': (response) => void response.writeHead(302, { location: `${other.url}/y.png` }).end(),
    '/a/b.js': '1',
    '/a/b.js/c.js': '2',
    '/a/..%2f..%2fy.png': 'out',
  });
  const found = await get();
  t.deepEqual(namesOf(found), ['a/b.js', 'a/index.html', 'etc/passwd.txt']);
  t.deepEqual(found.omitted, [
    '/a/away.png (leads to another host)',
    '/a/b.js/c.js and 1 more (names no file of its own)',
  ]);
  t.false(requests.includes('/a/..%2f..%2fy.png'));
  t.deepEqual(other.requests, ['/y.png']);
});

test('a page with a million links is asked for as many as the limit says', async (t) => {
  const links = Array.from({ length: 1_000_000 }, (_, at) => `<a href="${at}.js">`).join('');
  const { get, requests } = await site(t, { '/a/': links }, { requests: 20 });
  const found = await get();
  // two of them for random names
  t.is(requests.length, 22);
  t.true(found.cut);
  t.deepEqual(namesOf(found), ['a/index.html']);
});

test('a file above the limit, also one that unpacks to that, is our failure', async (t) => {
  const bomb = gzipSync(Buffer.alloc(8 << 20));
  for (const answer of [
    (response: ServerResponse) => void response.end(Buffer.alloc(2 << 20)),
    (response: ServerResponse) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
  ]) {
    const { get } = await site(t, { '/a/': '<script src=x.js>', '/a/x.js': answer }, { fileBytes: 1 << 20 });
    await t.throwsAsync(get(), { instanceOf: FailedHere });
  }
});

test('an entry page that is not there is no site', async (t) => {
  t.deepEqual(await (await site(t, {})).outcome(), { kind: 'gone' });
});

test('a site that answers names that no file has is not taken: by the page, by a redirect, by names without extension alone', async (t) => {
  for (const answers of [
    (_address: string, response: ServerResponse) => void response.end('<script src=x.js>'),
    (address: string, response: ServerResponse) =>
      void (address === '/a/' ? response.end('page') : response.writeHead(302, { location: '/a/' }).end()),
    (address: string, response: ServerResponse) =>
      void (address.includes('.') ? response.writeHead(404).end() : response.end('<a href=about>')),
  ]) {
    const { url } = await localServer(t, (request, response) => answers(request.url ?? '', response));
    const directory = temporaryDirectory(t);
    t.deepEqual(await fetchSite(`${url}/a/`, { directory, cache: temporaryDirectory(t) }), {
      kind: 'answers-everything',
    });
    t.deepEqual(readdirSync(directory), []);
  }
});

test('names that are refused are not there; a server that fails for them is our failure', async (t) => {
  for (const [status, expected] of [
    [403, 'site'],
    [503, 'network'],
    [429, 'rate-limited'],
  ] as const) {
    const { url } = await localServer(t, (request, response) => {
      if (request.url === '/a/') response.end('page');
      else response.writeHead(status).end();
    });
    const outcome = await fetchSite(`${url}/a/`, {
      directory: temporaryDirectory(t),
      cache: temporaryDirectory(t),
    }).then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof FailedHere ? error.code : error),
    );
    t.is(outcome, expected);
  }
});

test('a scan of odd texts takes no longer than they are long', (t) => {
  for (const text of [
    '"'.repeat(2e6),
    'src='.repeat(5e5),
    `"a"+e+"."+${'{1:"a",'.repeat(1e5)}`,
    '"x"+'.repeat(5e5),
    '{'.repeat(1e6),
  ]) {
    const started = performance.now();
    referencesIn(text);
    t.true(performance.now() - started < 20_000, text.slice(0, 20));
  }
  t.true(referencesIn(Array.from({ length: 30_000 }, (_, at) => `"${at}.js"`).join()).cut);
});

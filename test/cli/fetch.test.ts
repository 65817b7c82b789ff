// SPDX-License-Identifier: Apache-2.0
/** `verify fetch` against servers of this machine: what is put where, and an exit code for each way in which it ends. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { packageDirectory } from '../helpers/cli.js';
import { fakeAdb } from '../helpers/fake-adb.js';
import { localServer } from '../helpers/http-server.js';
import { appRecipe } from '../helpers/scratch-package.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify, type Transcript } from '../helpers/transcript.js';

const APK = readFileSync(path.join(packageDirectory, 'demo/published/app.apk'));
const SHA256 = createHash('sha256').update(APK).digest('hex');
const SIGNER = '4760d8f6a5fc8591475df14786fef53f278277cb577a646840c2dd344b248185';
const PACKAGE = 'org.samesource.demo';
const OTHER = 'ab'.repeat(32);

const pinned = (sha256: string): string =>
  `signers: [{ sha256: '${sha256}', statedBy: publisher, source: a test }]`;

interface Run {
  readonly directory: string;
  readonly cache: string;
  (...args: readonly string[]): Promise<Transcript>;
}

/** A recipe directory with one app, whose published name is `result.txt`. */
function setUp(
  t: ExecutionContext,
  acquisition: string,
  {
    version = '1.0.0',
    channel = `packageId: ${PACKAGE}\n    ${pinned(SIGNER)}`,
    env = {},
  }: {
    readonly version?: string;
    readonly channel?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Run {
  const root = temporaryDirectory(t);
  const [recipes, directory, cache] = ['recipes', 'out', 'cache'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(recipes);
  const text = appRecipe({
    app: 'fetched',
    build: 'cp src result.txt',
    channel: `${channel}\n    acquisition: ${acquisition}`,
  });
  writeFileSync(path.join(recipes, 'fetched.yaml'), text.replace("'1.0.0'", `'${version}'`));
  const environment = {
    XDG_CACHE_HOME: cache,
    NO_PROXY: '127.0.0.1',
    GITHUB_TOKEN: '',
    ...env,
  };
  const run = (...args: readonly string[]): Promise<Transcript> =>
    verify(['fetch', 'fetched', version, '--recipes', recipes, '-o', directory, ...args], {
      env: environment,
    });
  return Object.assign(run, { directory, cache });
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const serve = async (t: ExecutionContext, answer: Answer | Buffer): Promise<string> =>
  (
    await localServer(t, (request, response) =>
      typeof answer === 'function' ? answer(request, response) : void response.end(answer),
    )
  ).url;
const byUrl = (url: string): string => `{ kind: url, url: '${url}/app-{version}.apk', onlyLatest: false }`;
const listed = (directory: string): readonly string[] =>
  existsSync(directory) ? readdirSync(directory).sort() : [];

// ---------------------------------------------------------------- what is put where

test('the file lies there, with its record; people are told package, version and signer in a line', async (t) => {
  const url = await serve(t, ({ url: asked = '' }, response) => {
    if (asked === '/app-1.0.0.apk') response.writeHead(302, { location: '/cdn?key=secret' }).end();
    else response.writeHead(200, { etag: '"e1"' }).end(APK);
  });
  const run = setUp(t, byUrl(url));
  const { code, stdout } = await run();
  t.is(code, 0, stdout);
  t.deepEqual(listed(run.directory), ['result.txt', 'result.txt.fetched.json']);
  t.deepEqual(readFileSync(path.join(run.directory, 'result.txt')), APK);
  t.regex(
    stdout,
    new RegExp(`^package +${PACKAGE} 1\\.0\\.0 \\(code 1\\), signature verified by ${SIGNER}$`, 'm'),
  );
  t.regex(stdout, /nobody had stated it beforehand/);
  t.true(stdout.includes(`redirect   ${url}/cdn?… (302)`));
  const record = JSON.parse(readFileSync(path.join(run.directory, 'result.txt.fetched.json'), 'utf8')) as {
    readonly fetched: { readonly time: string };
  };
  t.like(record, {
    schemaVersion: 1,
    app: 'fetched',
    version: '1.0.0',
    channel: 'own',
    name: 'result.txt',
    size: APK.length,
    sha256: SHA256,
    from: 'url',
    digestExpected: false,
    fetched: {
      url: `${url}/app-1.0.0.apk`,
      hops: [{ to: `${url}/cdn?…`, status: 302 }],
      etag: '"e1"',
      sha256: SHA256,
    },
  });
  t.true(Math.abs(Date.now() - Date.parse(record.fetched.time)) < 600_000);
});

test('--json gives the result as one document', async (t) => {
  const run = setUp(t, byUrl(await serve(t, APK)));
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 0);
  t.like(document(t, transcript), {
    outcome: 'fetched',
    target: { app: 'fetched', version: '1.0.0', channel: 'own' },
    files: [
      {
        name: 'result.txt',
        sha256: SHA256,
        path: path.join(run.directory, 'result.txt'),
        signatures: [{ status: 'verified', signers: [SIGNER] }],
      },
    ],
    missing: [],
  });
});

test('the same file again changes nothing, its record neither', async (t) => {
  const run = setUp(t, byUrl(await serve(t, APK)));
  t.is((await run()).code, 0);
  const record = path.join(run.directory, 'result.txt.fetched.json');
  const first = readFileSync(record, 'utf8');
  t.is((await run()).code, 0);
  t.is(readFileSync(record, 'utf8'), first);
});

const inTheWay: Readonly<Record<string, (directory: string) => void>> = {
  'another file': (directory) => writeFileSync(path.join(directory, 'result.txt'), 'mine'),
  'a directory': (directory) => mkdirSync(path.join(directory, 'result.txt')),
  'a link that leads nowhere': (directory) =>
    symlinkSync('/no/such/file', path.join(directory, 'result.txt')),
  'a record of another file': (directory) =>
    writeFileSync(path.join(directory, 'result.txt.fetched.json'), JSON.stringify({ sha256: OTHER })),
};
for (const [what, make] of Object.entries(inTheWay))
  test(`${what} in its place is left as it is, and nothing is put`, async (t) => {
    const run = setUp(t, byUrl(await serve(t, APK)));
    mkdirSync(run.directory);
    make(run.directory);
    const before = listed(run.directory);
    const transcript = await run('--json', '--quiet');
    t.is(transcript.code, 64);
    t.is(errorOf(t, transcript), 'file-exists');
    t.deepEqual(listed(run.directory), before);
    if (what === 'another file') t.is(readFileSync(path.join(run.directory, 'result.txt'), 'utf8'), 'mine');
    if (what.startsWith('a link')) t.true(lstatSync(path.join(run.directory, 'result.txt')).isSymbolicLink());
  });

// ---------------------------------------------------------------- exit 2: the channel does not give it

async function notThere(t: ExecutionContext, run: Run, code: string): Promise<string> {
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 2, transcript.stderr);
  const found = document(t, transcript) as { readonly detail: string; readonly hint: string };
  t.like(found, { outcome: 'no-published-artifact', code });
  t.deepEqual(listed(run.directory), []);
  t.true(found.hint.length > 10);
  return found.detail;
}

for (const status of [404, 410])
  test(`status ${status} is told with the address`, async (t) => {
    const url = await serve(t, (_request, response) => void response.writeHead(status).end());
    t.is(
      await notThere(t, setUp(t, byUrl(url)), 'gone'),
      `${url}/app-1.0.0.apk answers with status ${status}`,
    );
  });

test('a channel that nothing is fetched from says how to get the file', async (t) => {
  const run = setUp(t, '{ kind: handed-over, how: copy it from a phone }');
  t.regex(await notThere(t, run, 'not-fetched'), /channel own has no address/);
  t.regex((await run()).stdout, /copy it from a phone/);
});

test('an older version than asked for', async (t) => {
  const run = setUp(t, byUrl(await serve(t, APK)), { version: '1.2.0' });
  t.regex(await notThere(t, run, 'other-version'), /versionName 1\.0\.0, expected 1\.2\.0/);
});

test('half a file, and a page in its place', async (t) => {
  for (const [body, what] of [
    [APK.subarray(0, 5000), 'no end of an APK'],
    [Buffer.from('<html>sorry</html>'), 'is no APK'],
  ] as const) {
    const run = setUp(t, byUrl(await serve(t, body)));
    t.regex(await notThere(t, run, 'damaged-file'), new RegExp(`${body.length} bytes and ${what}`));
  }
});

const LATEST =
  "{ kind: latest-json, index: 'URL/latest.json', versionField: versionName, urlField: url, sha256Field: sha256sum MORE }";
const latest = (url: string, more = ''): string => LATEST.replace('URL', url).replace('MORE', more);

test('the index of the publisher: its digest is told as the one that was expected', async (t) => {
  const index = JSON.stringify({ versionName: '1.0.0', url: 'app.apk', sha256sum: SHA256 });
  const url = await serve(
    t,
    ({ url: asked }, response) => void response.end(asked === '/latest.json' ? index : APK),
  );
  const run = setUp(t, latest(url));
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 0, transcript.stderr);
  t.like(document(t, transcript), {
    files: [{ from: 'latest-json', digestExpected: true, digestFrom: `${url}/latest.json` }],
  });
});

test('the index of the publisher: another digest, another version', async (t) => {
  const index = (fields: object): string =>
    JSON.stringify({ versionName: '1.0.0', url: 'app.apk', sha256sum: OTHER, ...fields });
  for (const [fields, code] of [
    [{}, 'other-content'],
    [{ versionName: '1.1.0' }, 'other-version'],
  ] as const) {
    const url = await serve(
      t,
      ({ url: asked }, response) => void response.end(asked === '/latest.json' ? index(fields) : APK),
    );
    await notThere(t, setUp(t, latest(url)), code);
  }
});

test('an index of another version with an address for each: fetched from there, and said', async (t) => {
  const index = JSON.stringify({ versionName: '9.9', url: 'app.apk', sha256sum: OTHER });
  const url = await serve(t, ({ url: asked }, response) => {
    if (asked === '/latest.json') response.end(index);
    else if (asked === '/1.0.0.apk') response.end(APK);
    else response.writeHead(404).end();
  });
  const { code, stdout } = await setUp(t, latest(url, `, url: '${url}/{version}.apk'`))();
  t.is(code, 0);
  t.regex(stdout, /^note .*names version 9\.9, expected 1\.0\.0: fetched from .*without a digest/m);
  t.regex(stdout, /nobody had stated it beforehand/);
});

const GITHUB =
  "{ kind: github-release, repository: owner/name, tag: 'v{version}', asset: 'app-{version}.apk' }";

test('an asset that was renamed: what there is; the token is in no file and no line', async (t) => {
  const asset = {
    name: 'app-release-1.0.0.apk',
    state: 'uploaded',
    browser_download_url: 'http://127.0.0.1:9/x',
  };
  const url = await serve(
    t,
    ({ url: asked = '' }, response) =>
      void response.end(JSON.stringify(asked.includes('/assets') ? [asset] : { id: 1, assets: [asset] })),
  );
  const env = { SAMESOURCE_GITHUB_API: url, GITHUB_TOKEN: 'ghp_verysecret' };
  const run = setUp(t, GITHUB, { env });
  t.is(
    await notThere(t, run, 'asset-missing'),
    'release v1.0.0 of owner/name has no asset app-1.0.0.apk; it has app-release-1.0.0.apk',
  );
});

test('the asset of a release, with a token: it is in no file and no line', async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await serve(t, ({ url: asked = '', headers }, response) => {
    seen.push(headers.authorization);
    if (asked === '/file') response.end(APK);
    else
      response.end(
        JSON.stringify({
          id: 1,
          assets: [
            {
              name: 'app-1.0.0.apk',
              state: 'uploaded',
              size: APK.length,
              digest: `sha256:${SHA256}`,
              browser_download_url: `http://${headers.host ?? ''}/file`,
            },
          ],
        }),
      );
  });
  const env = { SAMESOURCE_GITHUB_API: url, GITHUB_TOKEN: 'ghp_verysecret' };
  const run = setUp(t, GITHUB, { env });
  const { code, stdout, stderr } = await run();
  t.is(code, 0, stderr);
  t.deepEqual(seen, ['Bearer ghp_verysecret', undefined]);
  t.regex(stdout, /as the API of GitHub says/);
  t.false(`${stdout}${stderr}`.includes('verysecret'));
  for (const place of [run.directory, run.cache])
    for (const entry of readdirSync(place, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        t.false(
          readFileSync(path.join(entry.parentPath, entry.name), 'latin1').includes('verysecret'),
          entry.name,
        );
});

// ---------------------------------------------------------------- exit 3: somebody else's

for (const [what, channel, code] of [
  ['of another app', 'packageId: org.example.other', 'other-package'],
  ['of another signer', `packageId: ${PACKAGE}\n    ${pinned(OTHER)}`, 'signer-not-pinned'],
] as const)
  test(`a file ${what} is not put anywhere`, async (t) => {
    const run = setUp(t, byUrl(await serve(t, APK)), { channel });
    const transcript = await run('--json', '--quiet');
    t.is(transcript.code, 3);
    t.like(document(t, transcript), { outcome: 'not-authentic', reasons: [{ code, file: 'result.txt' }] });
    t.deepEqual(listed(run.directory), []);
  });

test('a file that was changed after it was signed is not put anywhere', async (t) => {
  const changed = Buffer.from(APK);
  const at = changed.indexOf('classes.dex') + 40;
  changed[at] = (changed[at] ?? 0) ^ 1;
  const run = setUp(t, byUrl(await serve(t, changed)));
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 3);
  t.like(document(t, transcript), { outcome: 'not-authentic', reasons: [{ code: 'signature-invalid' }] });
  t.deepEqual(listed(run.directory), []);
});

// ---------------------------------------------------------------- exit 75 and 64: nothing is said of the publisher

test('a host that nobody answers at is a failure of the network', async (t) => {
  const run = setUp(t, byUrl('http://127.0.0.1:9'));
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 75);
  t.is(errorOf(t, transcript), 'network');
  t.deepEqual(listed(run.directory), []);
});

for (const [status, code] of [
  [500, 'network'],
  [429, 'rate-limited'],
] as const)
  test(`status ${status} again and again is ${code}`, async (t) => {
    const run = setUp(
      t,
      byUrl(
        await serve(t, (_request, response) => void response.writeHead(status, { 'retry-after': '0' }).end()),
      ),
    );
    const transcript = await run('--json', '--quiet');
    t.is(transcript.code, 75);
    t.is(errorOf(t, transcript), code);
  });

test('an index that is no JSON is unreadable', async (t) => {
  const run = setUp(t, latest(await serve(t, Buffer.from('<html>'))));
  const transcript = await run('--json', '--quiet');
  t.is(transcript.code, 75);
  t.is(errorOf(t, transcript), 'unreadable-input');
});

test('fails: an app that nobody knows, a directory that nobody may write to', async (t) => {
  const unknown = await verify(['fetch', 'weechatt', '1.0', '--json', '--quiet']);
  t.is(unknown.code, 64);
  t.is(errorOf(t, unknown), 'unknown-app');
  const nowhere = await verify([
    'fetch',
    'demo',
    '1.0.0',
    '--out',
    path.join(packageDirectory, 'package.json/none'),
    '--json',
    '--quiet',
  ]);
  t.is(nowhere.code, 64);
  t.is(errorOf(t, nowhere), 'not-writable');
  // where the superuser may write, and nothing can be made
  const kernel = await verify(['fetch', 'demo', '1.0.0', '--out', '/proc/none', '--json', '--quiet']);
  t.is(kernel.code, 64);
  t.is(errorOf(t, kernel), 'not-writable');
});

test('a file of this package is put as any other', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'new/place');
  const transcript = await verify(['fetch', 'demo', '1.0.0', '-o', directory, '--json', '--quiet']);
  t.is(transcript.code, 0, transcript.stderr);
  t.like(document(t, transcript), { files: [{ from: 'bundled', sha256: SHA256, digestExpected: false }] });
  t.deepEqual(listed(directory), ['app.apk', 'app.apk.fetched.json']);
});

test('what a site serves is put into a folder of its own, with one list of where each file came from', async (t) => {
  const { url } = await localServer(t, (request, response) => {
    if (request.url === '/') response.end('<script src=js/a.js></script>');
    else if (request.url === '/js/a.js')
      response
        .setHeader('etag', '"7"')
        .setHeader('content-type', 'text/javascript')
        .setHeader('last-modified', 'Sat, 01 Aug 2026 10:00:00 GMT')
        .end('hello');
    else response.writeHead(404).end();
  });
  const run = setUp(t, `{ kind: site-files, entry: '${url}/' }`, { channel: '' });
  const { code, stdout } = await run();
  t.is(code, 0, stdout);
  t.deepEqual((readdirSync(run.directory, { recursive: true }) as string[]).toSorted(), [
    'site',
    'site.fetched.json',
    'site/index.html',
    'site/js',
    'site/js/a.js',
  ]);
  const list = JSON.parse(readFileSync(path.join(run.directory, 'site.fetched.json'), 'utf8')) as {
    readonly files: readonly { readonly name: string; readonly fetched: object }[];
  };
  t.deepEqual(
    list.files.map(({ name }) => name),
    ['index.html', 'js/a.js'],
  );
  t.like(list.files[1]?.fetched, {
    url: `${url}/js/a.js`,
    size: 5,
    etag: '"7"',
    contentType: 'text/javascript',
    lastModified: 'Sat, 01 Aug 2026 10:00:00 GMT',
  });
  t.is((await run()).code, 64);
});

test('an app of a phone is put where it is wanted, with what the phone said', async (t) => {
  fakeAdb(t, {
    package: PACKAGE,
    devices: 'ONE\tdevice\nTWO\tdevice',
    files: { '/data/app/x/base.apk': APK },
    shell: { [`dumpsys package ${PACKAGE}`]: '    versionCode=3\n    versionName=1.0.0\n' },
  });
  const run = setUp(t, '{ kind: phone }', { env: { PATH: process.env['PATH'] ?? '' } });
  t.is((await run()).code, 64);
  const { code, stdout } = await run('--serial', 'TWO');
  t.is(code, 0, stdout);
  t.deepEqual(readFileSync(path.join(run.directory, 'result.txt')), APK);
  t.like(JSON.parse(readFileSync(path.join(run.directory, 'result.txt.fetched.json'), 'utf8')), {
    from: 'phone',
    phone: { package: PACKAGE, versionName: '1.0.0', versionCode: 3 },
  });
});

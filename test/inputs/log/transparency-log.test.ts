// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import { FailedHere, type FailureClass } from '../../../src/errors.js';
import type { ApkLog, LogLayout } from '../../../src/inputs/log/known-logs.js';
import { entryOf, type LoggedFile } from '../../../src/inputs/log/log-search.js';
import { askLog, type LogAnswer } from '../../../src/inputs/log/transparency-log.js';
import {
  apkLog,
  checkpointText,
  entryFor,
  listing,
  logFiles,
  logSigner,
  otherEntries,
  serve,
  sha256,
  treeHash,
  uint16,
} from '../../helpers/build-log.js';
import { localServer } from '../../helpers/http-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const file: LoggedFile = {
  sha256: sha256('the file').toString('hex'),
  package: 'org.example.chat',
  versionCode: '12',
};
const signer = logSigner('log.example/apk/1');
const LISTING: LogLayout = { kind: 'listing', files: ['package_info.txt', 'package_info2.txt'] };

/** Entries of others, the file's among them at `at`. */
const entriesWith = (size: number, at: number): readonly Buffer[] =>
  otherEntries(size).map((entry, i) => (i === at ? entryOf(file) : entry));

interface Lab {
  /** What the server has; may be exchanged while it runs. */
  files: Map<string, Buffer>;
  readonly log: ApkLog;
  readonly requests: readonly string[];
  readonly ask: (wanted?: LoggedFile) => Promise<LogAnswer>;
}

async function lab(
  t: ExecutionContext,
  files: Map<string, Buffer>,
  layout: LogLayout = { kind: 'tiles' },
): Promise<Lab> {
  const cache = temporaryDirectory(t);
  const it: { files: Map<string, Buffer> } = { files };
  const { url, requests } = await localServer(t, (request, response) =>
    serve(it.files, request.url ?? '', response),
  );
  const log = apkLog(url, signer, layout);
  return Object.assign(it, {
    log,
    requests,
    ask: async (wanted = file) => await askLog(log, wanted, { cache, backoffMs: 1, attempts: 2 }),
  });
}

const codeOf = (answer: LogAnswer): string => (answer.status === 'refused' ? answer.code : answer.status);
const changed = (
  files: Map<string, Buffer>,
  path: string,
  change: (bytes: Buffer) => Buffer,
): Map<string, Buffer> => {
  const old = files.get(path);
  if (old === undefined) throw new Error(`no ${path} among ${[...files.keys()].join(', ')}`);
  return new Map([...files, [path, change(old)]]);
};
const flipped = (at: number) => (bytes: Buffer) =>
  Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
/** A checkpoint that the log's key signed over whatever. */
const signed = (text: string): Buffer => Buffer.from(`${text}\n${signer.line(text)}`);

// ---------------------------------------------------------------- found

for (const [size, at] of [
  [1, 0],
  [2, 1],
  [255, 100],
  [256, 255],
  [257, 256],
  [300, 3],
  [700, 511],
] as const)
  test(`tiles: entry ${at} of ${size} is found and proven`, async (t) => {
    const entries = entriesWith(size, at);
    const answer = await (await lab(t, logFiles(entries, signer))).ask();
    t.like(answer, { status: 'listed', index: at });
    t.is(answer.checkpoint?.size, size);
    t.is(answer.checkpoint?.root, treeHash(entries).toString('hex'));
    t.is(answer.before, undefined);
  });

for (const algorithm of ['ed25519', 'ecdsa'] as const)
  test(`listing: entries of two text files are found and proven, ${algorithm}`, async (t) => {
    const own = logSigner('log.example/apk/0', algorithm);
    const entries = entriesWith(400, 350);
    const files = logFiles(entries, own, { layout: LISTING });
    files.set('package_info.txt', listing(entries.slice(0, 200)));
    files.set('package_info2.txt', listing(entries.slice(200), 200));
    const { url, requests } = await localServer(t, (request, response) =>
      serve(files, request.url ?? '', response),
    );
    const options = { cache: temporaryDirectory(t), backoffMs: 1, attempts: 1 };
    const answer = await askLog(apkLog(url, own, LISTING), file, options);
    t.like(answer, { status: 'listed', index: 350 });
    t.true(requests.includes('/tile/8/0/001.p/144'));
    t.is(
      codeOf(await askLog(apkLog(url, own, LISTING), { ...file, sha256: '0'.repeat(64) }, options)),
      'not-listed',
    );
  });

test('signatures of witnesses beside the one of the log change nothing', async (t) => {
  const entries = entriesWith(5, 2);
  const text = checkpointText(signer.name, 5, treeHash(entries));
  const extraSignatures = [
    logSigner('witness.example/1'),
    logSigner('witness.example/2'),
    logSigner(signer.name),
  ]
    .map((witness) => witness.line(text))
    .join('');
  t.is(codeOf(await (await lab(t, logFiles(entries, signer, { extraSignatures }))).ask()), 'listed');
});

test('a partial file that gave way to the full one is read from that', async (t) => {
  const now = logFiles(entriesWith(512, 10), signer);
  const before = logFiles(entriesWith(512, 10).slice(0, 300), signer);
  const mixed = new Map([...now, ['checkpoint', before.get('checkpoint') ?? Buffer.alloc(0)]]);
  mixed.set('tile/1/000.p/1', before.get('tile/1/000.p/1') ?? Buffer.alloc(0));
  const { ask, requests } = await lab(t, mixed);
  t.is(codeOf(await ask()), 'listed');
  t.true(requests.includes('/tile/entries/001.p/44') && requests.includes('/tile/entries/001'));
});

test('an entry that lists the file otherwise does not hide the one that lists it as it is', async (t) => {
  const otherwise = entryOf({ ...file, versionCode: '13' });
  const entries = entriesWith(600, 5).map((entry, i) => (i === 4 || i === 599 ? otherwise : entry));
  t.like(await (await lab(t, logFiles(entries, signer))).ask(), { status: 'listed', index: 5 });
});

// ---------------------------------------------------------------- not there

test('absence is proven by all entries; other files of the version and the package are counted', async (t) => {
  const other = (hash: string, code: string): Buffer =>
    entryFor(sha256(hash).toString('hex'), file.package, code);
  const entries = [...otherEntries(600), other('a', '12'), other('b', '12'), other('c', '11')];
  const { ask, requests } = await lab(t, logFiles(entries, signer));
  t.like(await ask(), { status: 'not-listed', proven: true, otherFiles: 2, samePackage: 3 });
  t.deepEqual(requests.filter((path) => path.startsWith('/tile/entries/')).length, 3);
});

test('an empty log lists nothing', async (t) => {
  t.like(await (await lab(t, logFiles([], signer))).ask(), { status: 'not-listed', proven: true });
});

test('a list that leaves an entry out, or is out of order, proves no absence', async (t) => {
  const entries = otherEntries(20);
  const files = logFiles(entries, signer, { layout: LISTING });
  t.like(await (await lab(t, files, LISTING)).ask(), { status: 'not-listed', proven: true });
  const short = changed(files, 'package_info.txt', () => listing(entries.slice(0, 19)));
  t.like(await (await lab(t, short, LISTING)).ask(), { status: 'not-listed', proven: false });
  const other = changed(files, 'package_info.txt', () =>
    listing([...entries.slice(0, 19), entryFor('a', 'b', 'c')]),
  );
  t.like(await (await lab(t, other, LISTING)).ask(), { status: 'not-listed', proven: false });
});

// ---------------------------------------------------------------- a log that lies

const SIZE = 300;
const good = logFiles(entriesWith(SIZE, 5), signer);
const root = treeHash(entriesWith(SIZE, 5));

for (const [what, files, code] of [
  [
    'another root',
    changed(good, 'checkpoint', () => signed(checkpointText(signer.name, SIZE, sha256('another')))),
    'transparency-log/entry-not-signed',
  ],
  [
    'a root changed after it was signed',
    changed(good, 'checkpoint', (bytes) =>
      Buffer.from(bytes.toString().replace(root.toString('base64'), sha256('another').toString('base64'))),
    ),
    'signed-note/bad-signature',
  ],
  [
    'a checkpoint by another key of the same name',
    logFiles(entriesWith(SIZE, 5), logSigner(signer.name)),
    'signed-note/not-signed-by-key',
  ],
  [
    'a checkpoint of another log of the same key',
    changed(good, 'checkpoint', () => signed(checkpointText('log.example/apk/2', SIZE, root))),
    'transparency-log/other-log',
  ],
  [
    'an entry that is no leaf of the tree',
    changed(good, 'tile/entries/000', (bytes) => {
      const entry = entryOf(file);
      const first = 2 + bytes.readUInt16BE(0);
      return Buffer.concat([uint16(entry.length), entry, bytes.subarray(first)]);
    }),
    'transparency-log/entry-not-signed',
  ],
  [
    'this file under another version',
    logFiles(
      entriesWith(SIZE, 5).map((entry, i) => (i === 5 ? entryOf({ ...file, versionCode: '13' }) : entry)),
      signer,
    ),
    'transparency-log/listed-otherwise',
  ],
  [
    'this file with a line more',
    logFiles(
      entriesWith(SIZE, 5).map((entry, i) =>
        i === 5 ? Buffer.concat([entry, Buffer.from('\u202e\n')]) : entry,
      ),
      signer,
    ),
    'transparency-log/listed-otherwise',
  ],
  [
    'a hash changed in a tile',
    changed(good, 'tile/0/000', flipped(32 * 4)),
    'transparency-log/entry-not-signed',
  ],
  ['a tile cut in a hash', changed(good, 'tile/0/000', (bytes) => bytes.subarray(0, -1)), 'log-tile/length'],
  [
    'a tile without its last hash',
    changed(good, 'tile/0/000', (bytes) => bytes.subarray(0, -32)),
    'log-tile/length',
  ],
  [
    'a partial tile with a hash too many',
    changed(good, 'tile/0/001.p/44', (bytes) => Buffer.concat([bytes, root])),
    'log-tile/length',
  ],
  ['an empty tile', changed(good, 'tile/0/001.p/44', () => Buffer.alloc(0)), 'log-tile/length'],
  [
    'a bundle cut in an entry',
    changed(good, 'tile/entries/000', (bytes) => bytes.subarray(0, -1)),
    'log-tile/bundle-truncated',
  ],
  [
    'a bundle without an entry',
    changed(good, 'tile/entries/000', (bytes) => bytes.subarray(2 + bytes.readUInt16BE(0))),
    'log-tile/bundle-count',
  ],
  [
    '2^63 entries',
    changed(good, 'checkpoint', () => signed(checkpointText(signer.name, '9223372036854775808', root))),
    'log-checkpoint/size',
  ],
  ['no note', changed(good, 'checkpoint', () => Buffer.from('<html>\n')), 'signed-note/no-signatures'],
] as const)
  test(`refused: ${what}`, async (t) => {
    t.is(codeOf(await (await lab(t, files)).ask()), code);
  });

test('refused: entries held back that would have shown absence to be false', async (t) => {
  const files = changed(
    good,
    'tile/entries/000',
    () => logFiles(otherEntries(SIZE), signer).get('tile/entries/000') ?? root,
  );
  t.is(codeOf(await (await lab(t, files)).ask()), 'transparency-log/entries-not-signed');
});

test('refused: records of a list that are none', async (t) => {
  const files = logFiles(entriesWith(5, 2), signer, { layout: LISTING });
  for (const [bytes, code] of [
    ['x\nentry\n', 'log-listing/record'],
    ['1\n\n', 'log-listing/record'],
    ['-1\nentry\n', 'log-listing/record'],
    [`1\n${'a'.repeat(3 << 20)}`, 'log-listing/line'],
    ['1\n'.repeat(200), 'not-listed'],
  ] as const)
    t.is(
      codeOf(
        await (
          await lab(
            t,
            changed(files, 'package_info.txt', () => Buffer.from(bytes)),
            LISTING,
          )
        ).ask(),
      ),
      code,
    );
});

// ---------------------------------------------------------------- the log of before

for (const [before, now] of [
  [1, 2],
  [3, 300],
  [256, 257],
  [255, 700],
  [512, 700],
] as const)
  test(`a log of ${before} entries that grew to ${now} continues; a changed entry of before is a fork`, async (t) => {
    const entries = entriesWith(now, 0);
    const it = await lab(t, logFiles(entries.slice(0, before), signer));
    t.is(codeOf(await it.ask()), 'listed');
    const grown = logFiles(entries, signer);
    it.files = logFiles(
      entries.map((entry, i) => (i === before - 1 && before > 1 ? entryFor('f', 'o', 'rk') : entry)),
      signer,
    );
    if (before > 1) {
      const answer = await it.ask();
      t.is(codeOf(answer), 'transparency-log/forked');
      // both are signed: proof of it for others
      t.is(answer.before?.size, before);
      t.is(answer.checkpoint?.size, now);
      t.not(answer.before?.note, answer.checkpoint?.note);
    }
    it.files = grown;
    t.like(await it.ask(), { status: 'listed', before: { size: before }, checkpoint: { size: now } });
    t.like(await it.ask(), { status: 'listed', before: { size: now } });
  });

test('a shrunken log is refused, and what was seen before is not forgotten over it', async (t) => {
  const entries = entriesWith(300, 5);
  const it = await lab(t, logFiles(entries, signer));
  t.is(codeOf(await it.ask()), 'listed');
  for (const size of [299, 256, 6, 0]) {
    it.files = logFiles(entries.slice(0, size), signer);
    t.is(codeOf(await it.ask()), 'transparency-log/rolled-back');
  }
  it.files = logFiles(entries, signer);
  t.is(codeOf(await it.ask()), 'listed');
});

test('another root for the same size is a fork', async (t) => {
  const it = await lab(t, logFiles(entriesWith(10, 5), signer));
  t.is(codeOf(await it.ask()), 'listed');
  it.files = logFiles(entriesWith(10, 6), signer);
  t.is(codeOf(await it.ask()), 'transparency-log/forked');
});

test('damaged tiles on the way from before are told from a fork', async (t) => {
  const entries = entriesWith(300, 5);
  for (const before of [128, 129]) {
    const it = await lab(t, logFiles(entries.slice(0, before), signer));
    t.is(codeOf(await it.ask()), 'listed');
    it.files = changed(logFiles(entries, signer), 'tile/0/000', flipped(32 * 200));
    t.is(codeOf(await it.ask()), 'transparency-log/tiles-not-signed');
  }
});

// ---------------------------------------------------------------- the network

for (const [what, missing] of [
  ['checkpoint', 'checkpoint'],
  ['tile', 'tile/0/000'],
  ['bundle', 'tile/entries/000'],
] as const)
  test(`a ${what} that is not there is no answer`, async (t) => {
    const files = new Map(good);
    files.delete(missing);
    await t.throwsAsync((await lab(t, files)).ask(), { instanceOf: FailedHere, code: 'mirror-incomplete' });
  });

test('a list that is not there is no answer', async (t) => {
  const files = logFiles(entriesWith(5, 2), signer, { layout: LISTING });
  files.delete('package_info.txt');
  await t.throwsAsync((await lab(t, files, LISTING)).ask(), {
    instanceOf: FailedHere,
    code: 'mirror-incomplete',
  });
});

test('a log of more entries than anybody reads is no answer', async (t) => {
  const files = changed(good, 'checkpoint', () => signed(checkpointText(signer.name, 2 ** 53 - 1, root)));
  const error = await t.throwsAsync((await lab(t, files)).ask(), { instanceOf: FailedHere });
  t.is(error.code, 'unreadable-input');
  t.regex(error.message, /9007199254740991/);
});

for (const [what, at, code, answer] of [
  ['status 500', '/checkpoint', 'network', { status: 500 }],
  ['status 429', '/tile/entries/001.p/44', 'rate-limited', { status: 429 }],
  ['a broken body', '/tile/entries/000', 'network', { cut: true }],
  ['a silent server', '/tile/0/000', 'network', { silent: true }],
  ['an endless checkpoint', '/checkpoint', 'unreadable-input', { endless: true }],
] as const)
  test(`${what} at ${at} is our failure, no answer of the log`, async (t) => {
    const { url } = await localServer(t, (request, response) => {
      if (request.url !== at) return serve(good, request.url ?? '', response);
      if ('status' in answer) response.writeHead(answer.status).end();
      else if ('cut' in answer) {
        response.writeHead(200, { 'content-length': 5000 }).write('half');
        response.destroy();
      } else if ('endless' in answer) {
        const more = (): void => {
          while (response.write(Buffer.alloc(1 << 16)));
        };
        response.on('drain', more);
        more();
      }
    });
    const options = {
      cache: temporaryDirectory(t),
      backoffMs: 1,
      attempts: 2,
      pace: { idleMs: 'silent' in answer ? 300 : 20_000 },
    };
    await t.throwsAsync(askLog(apkLog(url, signer), file, options), {
      instanceOf: FailedHere,
      code: code satisfies FailureClass,
    });
  });

test('a server that fails once is asked again', async (t) => {
  const { url } = await localServer(t, (request, response, before) => {
    if (before === 0) response.writeHead(503).end();
    else serve(good, request.url ?? '', response);
  });
  const options = { cache: temporaryDirectory(t), backoffMs: 1, attempts: 2 };
  t.is(codeOf(await askLog(apkLog(url, signer), file, options)), 'listed');
});

// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { LogResult } from '../../src/index.js';
import { buildManifest } from '../helpers/build-axml.js';
import { entryFor, logFiles, logSigner, otherEntries, serve, sha256 } from '../helpers/build-log.js';
import { buildZip } from '../helpers/build-zip.js';
import { localServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify, type Transcript } from '../helpers/transcript.js';

const apk = buildZip([
  { name: 'AndroidManifest.xml', data: buildManifest({ versionCode: 12, package: 'org.example.chat' }) },
]);
const hash = sha256(apk).toString('hex');
const signer = logSigner('log.example/apk/1');
const mine = entryFor(hash, 'org.example.chat', '12');

interface Lab {
  readonly directory: string;
  files: Map<string, Buffer>;
  readonly run: (...more: readonly string[]) => Promise<Transcript>;
}

async function lab(t: ExecutionContext, entries: readonly Buffer[]): Promise<Lab> {
  const directory = temporaryDirectory(t);
  writeFileSync(path.join(directory, 'app.apk'), apk);
  const it: { files: Map<string, Buffer> } = { files: logFiles(entries, signer) };
  const { url } = await localServer(t, (request, response) => serve(it.files, request.url ?? '', response));
  const env = { XDG_CACHE_HOME: path.join(directory, 'cache') };
  return Object.assign(it, {
    directory,
    run: async (...more: readonly string[]) =>
      await verify(['log', 'app.apk', '--quiet', '--log', url, '--key', signer.key, ...more], {
        cwd: directory,
        env,
      }),
  });
}

test('listed: exit 0, and in words what that shows and what it does not', async (t) => {
  const { run } = await lab(t, [...otherEntries(300), mine]);
  const { code, stdout } = await run();
  t.is(code, 0);
  t.true(stdout.startsWith(`listed: org.example.chat 12 sha256:${hash}\n`));
  t.regex(
    stdout,
    /301 entries, root [0-9a-f]{64}\n {4}seen here for the first time\n {4}entry 300 is this file/,
  );
  t.regex(stdout, /log\.example\/apk\/1 listed exactly this file as this package and version/);
  t.regex(stdout, /does not show from which source the file was built/);
  const again = await run('--json');
  const result = document(t, again) as LogResult;
  t.is(again.code, 0);
  t.like(result, {
    status: 'listed',
    file: { sha256: hash, package: 'org.example.chat', versionCode: '12' },
  });
  t.like(result.logs[0], { status: 'listed', index: 300, before: { size: 301 } });
});

test('not listed: exit 2, with what the log has of the package', async (t) => {
  const other = entryFor('0'.repeat(64), 'org.example.chat', '12');
  const { code, stdout } = await (await lab(t, [...otherEntries(10), other])).run();
  t.is(code, 2);
  t.regex(stdout, /no entry is this file; 1 are other files of this version, 1 of this package/);
  t.regex(stdout, /every entry was read, and together they give the signed root/);
});

test('a fork: exit 3, with its own code, and both checkpoints in the result', async (t) => {
  const it = await lab(t, [...otherEntries(10), mine]);
  t.is((await it.run()).code, 0);
  it.files = logFiles([...otherEntries(12, 5), mine], signer);
  const { code, stdout } = await it.run('--json');
  const [answer] = (document(t, { code, stdout, stderr: '' }) as LogResult).logs;
  t.is(code, 3);
  t.like(answer, {
    status: 'refused',
    code: 'transparency-log/forked',
    before: { size: 11 },
    checkpoint: { size: 13 },
  });
  t.regex((await it.run()).stdout, /refused \[transparency-log\/forked\].*\nNothing about the file/);
});

test('wrong use and a log that does not answer are told apart', async (t) => {
  const { directory, files, run } = await lab(t, [mine]);
  const env = { XDG_CACHE_HOME: path.join(directory, 'cache') };
  const log = async (...args: readonly string[]): Promise<Transcript> =>
    await verify(['log', '--json', ...args], { cwd: directory, env });
  const nobody = 'http://127.0.0.1:9/log';
  writeFileSync(path.join(directory, 'text.apk'), 'no APK');
  for (const [args, exit, code] of [
    [['app.apk', '--log', nobody], 64, 'log-key'],
    [['app.apk', '--key', signer.key], 64, 'log-key'],
    [['app.apk', '--log', nobody, '--key', `${signer.key}A`], 64, 'log-key'],
    [['app.apk', '--log', 'ftp://log.example', '--key', signer.key], 64, 'bad-url'],
    [['text.apk', '--log', nobody, '--key', signer.key], 64, 'not-an-apk'],
    [['.', '--log', nobody, '--key', signer.key], 64, 'not-an-apk'],
    [['none.apk', '--log', nobody, '--key', signer.key], 75, 'unreadable-input'],
    [['app.apk', '--log', nobody, '--key', signer.key], 75, 'network'],
  ] as const) {
    const transcript = await log(...args);
    t.is(transcript.code, exit, args.join(' '));
    t.is(errorOf(t, transcript), code, args.join(' '));
  }
  files.delete('tile/entries/000.p/1');
  t.is(errorOf(t, await run('--json')), 'mirror-incomplete');
});

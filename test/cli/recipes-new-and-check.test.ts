// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { newRecipe, RECIPE_QUESTIONS, type RecipeCheck, type RecipeQuestion } from '../../src/index.js';
import { GitRepository } from '../helpers/git-repository.js';
import { localServer } from '../helpers/http-server.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, MAIN, verify, type Transcript } from '../helpers/transcript.js';

const ANSWERS = {
  app: 'chat-android',
  title: 'Chat',
  repository: 'https://example.org/chat',
  release: '1.2.3',
  tag: 'v{version}',
  package: 'org.example.chat',
  url: 'https://example.org/chat-{version}.apk',
  image: 'debian:bookworm',
  script: './build.sh',
  built: 'out/chat.apk',
} as const satisfies Record<RecipeQuestion, string>;
const FLAGS = Object.entries(ANSWERS).flatMap(([name, value]) => [`--${name}`, value]);

test('new: with all options a recipe that lint accepts, on standard output or in a new file', async (t) => {
  const cwd = temporaryDirectory(t);
  const shown = await verify(['recipes', 'new', ...FLAGS], { cwd });
  t.is(shown.code, 0, shown.stderr);
  t.regex(shown.stdout, /# TODO signers: /);
  const written = await verify(['recipes', 'new', ...FLAGS, '-o', 'chat-android.yaml'], { cwd });
  t.is(written.code, 0);
  t.is(readFileSync(path.join(cwd, 'chat-android.yaml'), 'utf8'), shown.stdout);
  t.is((await verify(['recipes', 'lint', 'chat-android.yaml'], { cwd })).code, 0);
  t.is(
    errorOf(t, await verify(['recipes', 'new', ...FLAGS, '-o', 'chat-android.yaml', '--json'], { cwd })),
    'not-writable',
  );
});

test('new: without a terminal what is missing is named; what is wrong has its place', async (t) => {
  const some = await verify(['recipes', 'new', '--app', 'chat', '--json']);
  t.is(errorOf(t, some), 'recipe-questions');
  t.regex(some.stderr, /--title, --repository, --release/);
  const wrong = FLAGS.map((word) => (word === ANSWERS.repository ? 'git@example.org:chat' : word));
  const refused = await verify(['recipes', 'new', ...wrong, '--json']);
  t.is(errorOf(t, refused), 'recipe-invalid');
  t.regex(refused.stderr, /source\.repository: expected an https address/);
});

test('new: what no option says is asked for, in order', async (t) => {
  const asked: string[] = [];
  const { text } = await newRecipe({
    answers: { app: 'chat-android' },
    date: '2026-11-29',
    ask: async (question) => {
      asked.push(question);
      return await Promise.resolve(ANSWERS[question]);
    },
  });
  t.deepEqual(asked, Object.keys(RECIPE_QUESTIONS).slice(1));
  t.regex(text, /repository: https:\/\/example\.org\/chat/);
});

test('new: on a terminal it asks', async (t) => {
  if (!need(t, 'script')) return;
  const cwd = temporaryDirectory(t);
  const missing = FLAGS.filter((word) => word !== '--title' && word !== ANSWERS.title);
  const command = [process.execPath, MAIN, 'recipes', 'new', ...missing, '-o', 'chat-android.yaml']
    .map((word) => `'${word}'`)
    .join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd });
  let said = '';
  // an answer before the question would be lost with the mode of the terminal
  child.stdout.on('data', (chunk: Buffer) => {
    const asked = said.includes('title for people');
    said += chunk.toString();
    if (!asked && said.includes('title for people')) child.stdin.write('My Chat\r');
  });
  t.is(await new Promise((resolve) => child.on('close', resolve)), 0, said);
  t.regex(readFileSync(path.join(cwd, 'chat-android.yaml'), 'utf8'), /^title: My Chat$/m);
});

// ---------------------------------------------------------------- check

interface Lab {
  readonly repository: GitRepository;
  readonly recipe: string;
  readonly run: (...more: readonly string[]) => Promise<Transcript>;
  readonly online: () => Promise<{ readonly code: number | null; readonly said: readonly string[] }>;
}

/** `status`: of the published file. */
async function lab(
  t: ExecutionContext,
  change: (text: string) => string = (text) => text,
  status = 206,
): Promise<Lab> {
  const directory = temporaryDirectory(t);
  const { url } = await localServer(t, (request, response) => {
    if (request.url?.startsWith('/v2/') === true)
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }).end('{}');
    else response.writeHead(request.url === '/page' ? 200 : status).end();
  });
  const { text } = await newRecipe({
    date: '2026-11-29',
    answers: { ...ANSWERS, url: `${url}/chat-{version}.apk`, image: `${new URL(url).host}/base:1` },
  });
  const recipe = path.join(directory, 'chat-android.yaml');
  writeFileSync(recipe, change(text.replace('- url: https://example.org/chat', `- url: ${url}/page`)));
  mkdirSync(path.join(directory, 'source'));
  const repository = new GitRepository(path.join(directory, 'source'));
  repository.commit('first');
  const env = { XDG_CACHE_HOME: path.join(directory, 'cache') };
  const run = async (...more: readonly string[]): Promise<Transcript> =>
    await verify(['recipes', 'check', 'chat-android', '--recipes', directory, '--json', ...more], { env });
  return {
    repository,
    recipe,
    run,
    online: async () => {
      const transcript = await run('--online', '--source', repository.directory);
      const { items } = document(t, transcript) as RecipeCheck;
      return {
        code: transcript.code,
        said: items.map((item) => `${item.status} ${item.path}: ${item.message}`),
      };
    },
  };
}

test('check without network: what the recipe says of itself', async (t) => {
  const { run } = await lab(t);
  const transcript = await run();
  t.is(transcript.code, 0);
  const { items, online } = document(t, transcript) as RecipeCheck;
  t.false(online);
  t.deepEqual(
    items.map(({ status, path: at }) => `${status} ${at}`),
    ['open evidence[0]', 'open builds[0].environment.image', 'open channels.website.signers'],
  );
});

test('check online: all there, and what is new', async (t) => {
  const { repository, online } = await lab(t);
  for (const tag of ['v1.2.3', 'v1.2.2', 'v1.3.0', 'v2.0.0', 'other']) repository.git('tag', tag);
  const { code, said } = await online();
  t.is(code, 0, said.join('\n'));
  t.true(said.includes('there versions.resolve[0]: 1.2.3 has its tag'));
  t.deepEqual(
    said.filter((line) => line.startsWith('new')),
    [
      'new versions: 1.3.0 has a tag and came after 1.2.3',
      'new versions: 2.0.0 has a tag and came after 1.2.3',
    ],
  );
  t.true(said.some((line) => line.startsWith('there channels.website: http://127.0.0.1')));
  t.true(said.some((line) => /^there builds\[0\]\.environment\.image: .* is sha256:44136fa3/.test(line)));
});

test('check online: a tag and a file that are gone', async (t) => {
  const { online } = await lab(t, undefined, 404);
  const { code, said } = await online();
  t.is(code, 64);
  t.true(said.includes('gone versions.resolve[0]: 1.2.3: no tag v{version}'));
  t.true(said.some((line) => /^gone channels\.website: .*chat-1\.2\.3\.apk: status 404$/.test(line)));
});

test('check online: a tag that was moved, and one that has no name any more', async (t) => {
  const pinned = (text: string): string =>
    text.replace(
      / {4}- kind: tag[^]*?(?=channels:)/,
      `    - kind: pinned\n      evidence: none\n      versions:\n        - { version: 1.2.3, commit: ${'a'.repeat(40)}, ref: v1.2.3 }\n        - { version: 1.2.4, commit: ${'b'.repeat(40)}, ref: v1.2.4 }\n`,
    );
  const { repository, online } = await lab(t, pinned);
  repository.git('tag', 'v1.2.3');
  const { code, said } = await online();
  t.is(code, 64);
  t.true(
    said.some((line) =>
      /^changed versions\.resolve\[0\]: 1\.2\.3: the tag v1\.2\.3 is at [0-9a-f]{40}, the recipe has a{40}$/.test(
        line,
      ),
    ),
  );
  t.true(
    said.some((line) => line.startsWith('gone versions.resolve[0]: 1.2.4: there is no v1.2.4 any more')),
  );
});

test('check online: a repository that is gone is told from a server that has a bad day', async (t) => {
  const { run, repository } = await lab(t, undefined, 503);
  repository.git('tag', 'v1.2.3');
  const busy = await run('--online', '--source', repository.directory);
  t.is(busy.code, 75);
  t.true(
    (document(t, busy) as RecipeCheck).items.some(
      ({ status, message }) => status === 'unknown' && message.includes('503'),
    ),
  );
  const gone = await run('--online', '--source', `${repository.directory}-gone`);
  t.is(gone.code, 64);
  t.true(
    (document(t, gone) as RecipeCheck).items.some(
      ({ status, path: at }) => status === 'gone' && at === 'source.repository',
    ),
  );
});

test('check: an app that nobody knows', async (t) => {
  t.is(errorOf(t, await verify(['recipes', 'check', 'chat-androit', '--json'])), 'unknown-app');
});

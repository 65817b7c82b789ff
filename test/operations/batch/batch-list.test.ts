// SPDX-License-Identifier: Apache-2.0
/** The list of a batch: what is read, and each mistake with its line. */
import test from 'ava';
import { UsageError } from '../../../src/errors.js';
import { parseBatchList } from '../../../src/operations/batch/batch-list.js';
import { recipesNamedIn } from '../../../src/operations/recipes.js';

const known = await recipesNamedIn('weechat demo telegram-android');
const DIGEST = 'a'.repeat(64);

test('an entry with everything, one with nothing but its app, one of two channels', (t) => {
  const entries = parseBatchList(
    '/lists/apps.yaml',
    `schemaVersion: 1
apps:
  - app: weechat
    version: 3.10
    channel: debian
    engine: podman
    minutes: 90
    published: files/
    expect: unreproducible@${DIGEST}
  - app: demo
  - { app: telegram-android, version: '>=10.9 <11', channel: [website, play] }
`,
    known,
  );
  t.deepEqual(entries, [
    {
      app: 'weechat',
      // no number, which would be 3.1
      version: '3.10',
      channel: 'debian',
      engine: 'podman',
      minutes: 90,
      published: '/lists/files',
      expect: { verdict: 'unreproducible', statementSha256: DIGEST },
    },
    { app: 'demo', version: 'latest', channel: 'demo' },
    { app: 'telegram-android', version: '>=10.9 <11', channel: 'website' },
    { app: 'telegram-android', version: '>=10.9 <11', channel: 'play' },
  ]);
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  [
    'an unknown app',
    'apps:\n  - app: demo\n  - app: wechat\n',
    /:3:10 apps\[1\]\.app: .*"wechat"; did you mean weechat\?/,
  ],
  [
    'the same entry twice',
    'apps:\n  - app: demo\n  - app: demo\n    version: latest\n',
    /:3:5 apps\[1\]: the same as entry 1: demo latest \(demo\)/,
  ],
  ['a channel twice', 'apps:\n  - { app: demo, channel: [demo, demo] }\n', /:2:5 .*the same as entry 1/],
  ['an unknown channel', 'apps:\n  - app: demo\n    channel: play\n', /:3:14 .*no channel "play", only demo/],
  ['a version that is none', 'apps:\n  - app: demo\n    version: newest\n', /:3:14 .*expected a version/],
  [
    'minutes that are none',
    'apps:\n  - app: demo\n    minutes: 1h\n',
    /:3:14 .*expected a number of minutes/,
  ],
  ['no minutes', 'apps:\n  - app: demo\n    minutes: 0\n', /:3:14 .*expected a number of minutes/],
  ['an unknown engine', 'apps:\n  - app: demo\n    engine: runc\n', /:3:13 /],
  ['an expectation that is none', 'apps:\n  - app: demo\n    expect: good\n', /:3:13 .*expected a verdict/],
  [
    'a cut digest',
    `apps:\n  - app: demo\n    expect: unreproducible@${DIGEST.slice(1)}\n`,
    /:3:13 .*64 hex digits/,
  ],
  ['a word that nobody knows', 'apps:\n  - app: demo\n    versions: 1\n', /:3:5 .*versions/],
  [
    'one file of two channels',
    'apps:\n  - { app: telegram-android, channel: [website, play], published: a }\n',
    /one published file is of one channel/,
  ],
  ['no apps', 'apps: []\n', /:1:7 /],
  ['nothing', '', /expected/],
  ['no YAML', 'apps:\n  - app: "demo\n', /not valid YAML/],
  ['a key twice', 'apps:\n  - app: demo\n    app: demo\n', /:3:5: .*unique/],
  ['an alias to itself', 'apps: &a\n  - *a\n', /cycle/],
  ['another schema', 'schemaVersion: 2\napps: [{ app: demo }]\n', /:1:16 /],
];

for (const [title, text, says] of WRONG)
  test(`a list with ${title} is told by line`, (t) => {
    const error = t.throws(() => parseBatchList('apps.yaml', text, known), { instanceOf: UsageError });
    t.is(error?.code, 'list-invalid');
    t.regex(error?.message ?? '', /^apps\.yaml:\d+:\d+/);
    t.regex(error?.message ?? '', says);
  });

test('every mistake is told at once, and not more than a screen', (t) => {
  const text = `apps:\n${Array.from({ length: 30 }, (_, n) => `  - app: nobody-${n}\n`).join('')}`;
  const error = t.throws(() => parseBatchList('apps.yaml', text, known), { instanceOf: UsageError });
  t.is(error?.message.split('\n').length, 21);
  t.regex(error?.message ?? '', /and 10 more$/);
});

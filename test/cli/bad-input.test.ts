// SPDX-License-Identifier: Apache-2.0
/** Bad input on the command line: what each gets. Every row both ways round: published hostile, and rebuilt hostile. */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { buildAr } from '../helpers/build-ar.js';
import { buildTar } from '../helpers/build-tar.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { runCli, type Ran, type RunOptions } from '../helpers/run-cli.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);
const members: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: text },
  { name: 'classes.dex', data: text.toUpperCase() },
  { name: 'resources.arsc', data: text, method: 0, align: 4 },
];
const fine = buildZip(members);
const more = (...added: readonly ZipMember[]): Buffer => buildZip([...members, ...added]);
const changed = (change: Partial<ZipMember>): Buffer =>
  buildZip(members.map((member, at) => (at === 1 ? { ...member, ...change } : member)));
const find = (bytes: Buffer, magic: string, last = false): number =>
  last ? bytes.lastIndexOf(magic, undefined, 'latin1') : bytes.indexOf(magic, 0, 'latin1');

/** What no output may hold: a stack, a raw control character, a bug of ours. */
function isDecent(t: ExecutionContext, { output, seconds }: Ran): void {
  t.notRegex(output, /^ {4}at |node:internal|\bbug\b/m);
  // eslint-disable-next-line no-control-regex
  t.notRegex(output, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufffd]/);
  t.true(seconds < 120, `${seconds} s`);
}

async function expectRun(
  t: ExecutionContext,
  args: readonly string[],
  exitCode: number,
  says: readonly (string | RegExp)[],
  options: RunOptions = {},
): Promise<Ran> {
  const ran = await runCli(args, options);
  isDecent(t, ran);
  t.is(ran.exitCode, exitCode, ran.output);
  for (const words of says)
    t.true(
      typeof words === 'string' ? ran.output.includes(words) : words.test(ran.output),
      `${String(words)} in ${ran.output}`,
    );
  return ran;
}

// ---------------------------------------------------------------- one hostile file against a fine one

interface Row {
  readonly hostile: () => Buffer;
  /** Default: `fine`. */
  readonly against?: () => Buffer;
  /** Exit codes with the hostile file published, and rebuilt; default 1. */
  readonly exit?: readonly [number, number];
  /** SIDE stands for the hostile one. */
  readonly says: readonly string[];
  readonly args?: readonly string[];
}

const GET_AGAIN = 'get the SIDE file again';
const malformed = (code: string, offset: number): readonly string[] => [
  `the SIDE side does not parse: ${code} at offset ${offset}`,
  GET_AGAIN,
];

function overlapping(): Buffer {
  const bytes = Buffer.from(fine);
  bytes.writeUInt32LE(0, find(bytes, 'PK\x01\x02', true) + 42);
  return bytes;
}

function zip64With(change: (bytes: Buffer, record: number) => void): Buffer {
  const bytes = buildZip(members, { zip64: true });
  change(bytes, find(bytes, 'PK\x06\x06'));
  return bytes;
}

const odd = (name: string | Buffer): ZipMember => ({ name, data: 'evil' });
const only = (shown: string): readonly string[] => [`${shown}: 4 bytes in the SIDE file only`];

const deb = (control: Buffer): Buffer =>
  buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: 'control.tar', data: control },
  ]);
const control = buildTar([{ name: './control', data: 'Package: chat\n' }]);
const NULS = Buffer.alloc(64 << 20);

const ROWS: Readonly<Record<string, Row>> = {
  'not a ZIP': {
    hostile: () => Buffer.from('hello, this is no archive\n'),
    says: malformed('zip/not-recognized', 0),
  },
  empty: { hostile: () => Buffer.alloc(0), says: malformed('zip/not-recognized', 0) },
  'cut in the middle': {
    hostile: () => fine.subarray(0, fine.length >> 1),
    says: malformed('zip/no-end-record', 0),
  },
  'ZIP64 on one side': { hostile: () => buildZip(members, { zip64: true }), says: ['zip/zip64-end'] },
  'ZIP64 with two counts': {
    hostile: () => zip64With((bytes, record) => bytes.writeUInt8(9, record + 24)),
    says: malformed('zip/entry-count', find(buildZip(members, { zip64: true }), 'PK\x06\x06') + 24),
  },
  'ZIP64 of 2^63 bytes': {
    hostile: () => zip64With((bytes, record) => bytes.writeUInt8(0x80, record + 47)),
    says: ['does not parse: zip/number-too-large', GET_AGAIN],
  },
  'overlapping entries': { hostile: overlapping, says: malformed('zip/overlap', 0) },
  'an end record inside the comment': {
    hostile: () => buildZip(members, { comment: fine.subarray(-22) }),
    says: malformed('zip/ambiguous-end-record', fine.length),
  },
  'a name with ..': { hostile: () => more(odd('../../etc/passwd')), says: only('../../etc/passwd') },
  'an absolute name': { hostile: () => more(odd('/etc/passwd')), says: only('/etc/passwd') },
  'a name with NUL': { hostile: () => more(odd('a\0b')), says: only('a\\x00b') },
  'a name with newline': { hostile: () => more(odd('a\nb')), says: only('a\\x0ab') },
  'a name with escape sequences': { hostile: () => more(odd('\x1b[2Ja')), says: only('\\x1b[2Ja') },
  'a name with backslash': { hostile: () => more(odd('a\\b')), says: ['in the SIDE file only', 'a\\'] },
  'a name that is no UTF-8': { hostile: () => more(odd(Buffer.from([0x61, 0xff]))), says: only('a\\xff') },
  'a name __proto__': { hostile: () => more(odd('__proto__')), says: only('__proto__') },
  'two names __proto__': { hostile: () => more(odd('__proto__'), odd('__proto__')), says: only('__proto__') },
  'no name': { hostile: () => more(odd('')), says: ['in the SIDE file only'] },
  'a symbolic link': {
    hostile: () =>
      more({ name: 'x', data: '/etc/passwd', madeBy: 0x0314, externalAttributes: (0o120777 << 16) >>> 0 }),
    against: () =>
      more({ name: 'x', data: '/etc/passwd', madeBy: 0x0314, externalAttributes: (0o100644 << 16) >>> 0 }),
    says: ['x: zip/directory-attributes'],
  },
  'the encryption bit': { hostile: () => changed({ flags: 1 }), says: ['classes.dex: zip/local-flags'] },
  'the encryption bit on both sides': {
    hostile: () => changed({ flags: 1, raw: Buffer.from('one') }),
    against: () => changed({ flags: 1, raw: Buffer.from('two') }),
    // Android's resource code reads what lies there, whatever the bit says
    says: ['[unreproducible]', 'classes.dex'],
  },
  'an unknown method': {
    hostile: () => changed({ method: 93, raw: Buffer.from('x') }),
    says: ['classes.dex: zip/local-method'],
  },
  'an unknown method on both sides': {
    hostile: () => changed({ method: 93, raw: Buffer.from('one') }),
    against: () => changed({ method: 93, raw: Buffer.from('two') }),
    says: ['[unreproducible]', 'classes.dex'],
  },
  'a local name unlike the directory': {
    hostile: () => changed({ localName: 'classez.dex' }),
    says: ['classes.dex: zip/local-name'],
  },
  'a local CRC unlike the directory': {
    hostile: () => changed({ localCrc32: 1 }),
    says: ['classes.dex: zip/local-crc32'],
  },
  'a local method unlike the directory': {
    hostile: () => changed({ localMethod: 0 }),
    says: ['classes.dex: zip/local-method'],
  },
  'deflate slack': {
    hostile: () =>
      changed({ raw: Buffer.concat([deflateRawSync(text.toUpperCase()), Buffer.from('hidden')]) }),
    says: ['classes.dex: deflate stream', 'slack'],
  },
  'deflate slack of 20 MB': {
    hostile: () =>
      changed({ raw: Buffer.concat([deflateRawSync(text.toUpperCase()), Buffer.alloc(20 << 20, 1)]) }),
    says: ['classes.dex: deflate stream', 'slack'],
  },
  'a deflate stream that breaks off': {
    hostile: () => changed({ raw: deflateRawSync(text.toUpperCase()).subarray(0, 30) }),
    says: ['classes.dex', 'invalid-deflate'],
  },
  'trailing bytes': {
    hostile: () => buildZip(members, { trailing: Buffer.from('hidden') }),
    says: [`6 bytes at offset ${fine.length} of the SIDE file that no structure owns (zip/trailing-bytes)`],
  },
  'bytes in front': {
    hostile: () => buildZip(members, { prefix: Buffer.from('dex\n035\0') }),
    says: ['8 bytes at offset 0 of the SIDE file that no structure owns (zip/prefix)'],
  },
  'a count that is wrong': {
    hostile: () => buildZip(members, { entryCount: 7 }),
    says: ['does not parse: zip/entry-count', GET_AGAIN],
  },
  'a broken ar header': {
    hostile: () => {
      const bytes = deb(control);
      bytes[8 + 58] = 0;
      return bytes;
    },
    against: () => deb(control),
    says: malformed('ar/header-magic', 66),
  },
  'a broken ar size': {
    hostile: () => buildAr([{ name: 'debian-binary', data: '2.0\n', size: '99999' }]),
    against: () => deb(control),
    says: malformed('ar/truncated', 56),
  },
  'a broken tar checksum': {
    hostile: () => {
      const tar = Buffer.from(control);
      tar[0] = 0x2f;
      return deb(tar);
    },
    against: () => deb(control),
    says: ['control.tar: the SIDE side does not parse: tar/checksum at offset 148'],
  },
  'a gzip of NULs': {
    hostile: () => gzipSync(NULS, { level: 9 }),
    against: () => gzipSync(NULS, { level: 1 }),
    exit: [0, 0],
    says: ['[equivalent]'],
  },
  'a gzip of more NULs than the other': {
    hostile: () => gzipSync(NULS),
    against: () => gzipSync(NULS.subarray(1)),
    says: ['[unreproducible]'],
  },
  'a gzip of NULs beyond the limit of a member': {
    hostile: () => gzipSync(NULS, { level: 9 }),
    against: () => gzipSync(NULS, { level: 1 }),
    exit: [2, 2],
    args: ['--max-member', '1M'],
    says: ['limits', '(--max-member)'],
  },
};

for (const [what, { hostile, against, exit = [1, 1], says, args = [] }] of Object.entries(ROWS))
  test(`${what}: both ways round`, async (t) => {
    const cwd = temporaryDirectory(t);
    writeFileSync(path.join(cwd, 'hostile.apk'), hostile());
    writeFileSync(path.join(cwd, 'fine.apk'), against?.() ?? fine);
    for (const [side, files, code] of [
      ['published', ['hostile.apk', 'fine.apk'], exit[0]],
      ['rebuilt', ['fine.apk', 'hostile.apk'], exit[1]],
    ] as const)
      await expectRun(
        t,
        ['compare', ...files, ...args],
        code,
        says.map((words) => words.replaceAll('SIDE', side)),
        { cwd },
      );
  });

test('equal bytes are equal, whatever they are; only nothing at all is no result', async (t) => {
  const cwd = temporaryDirectory(t);
  for (const directory of ['one', 'other']) {
    mkdirSync(path.join(cwd, directory));
    for (const [at, { hostile }] of Object.values(ROWS).entries())
      writeFileSync(path.join(cwd, directory, `${at}.apk`), hostile());
  }
  await expectRun(t, ['compare', 'one', 'other'], 0, ['[reproducible]'], { cwd });
  for (const name of ['a', 'b']) writeFileSync(path.join(cwd, name), '');
  await expectRun(t, ['compare', 'a', 'b'], 2, ['no-published-artifact: what was compared is empty'], {
    cwd,
  });
});

test('truncated at every 1/64 of its length: every part is found, with the offset where it ends', async (t) => {
  const cwd = temporaryDirectory(t);
  const big = more(
    { name: 'assets/x', data: text.repeat(7), level: 1 },
    { name: 'assets/y', data: text, method: 0 },
  );
  for (const directory of ['cut', 'whole']) mkdirSync(path.join(cwd, directory));
  for (let part = 0; part < 64; part++) {
    const name = `${String(part).padStart(2, '0')}.apk`;
    writeFileSync(path.join(cwd, 'cut', name), big.subarray(0, Math.floor((big.length * part) / 64)));
    writeFileSync(path.join(cwd, 'whole', name), big);
  }
  for (const [side, args] of [
    ['published', ['cut', 'whole']],
    ['rebuilt', ['whole', 'cut']],
  ] as const) {
    const ran = await expectRun(t, ['compare', ...args, '--json', '--quiet'], 1, [], { cwd });
    const report = JSON.parse(ran.stdout) as {
      statement: { verdict: { kind: string }; comparison: { pairs: readonly Pair[] } };
    };
    t.is(report.statement.verdict.kind, 'unreproducible');
    t.is(report.statement.comparison.pairs.length, 64);
    for (const pair of report.statement.comparison.pairs) {
      const end = Math.floor((big.length * Number(pair.published.name.slice(0, 2))) / 64);
      t.true(['different', 'missing'].includes(pair.worst));
      t.true(pair.differences.some((found) => found.kind === 'malformed' && found.side === side));
      t.true(pair.differences.some((found) => found.kind === 'bytes' && found.publishedOffset === end));
    }
  }
});

interface Pair {
  readonly worst: string;
  readonly published: { readonly name: string };
  readonly differences: readonly {
    readonly kind: string;
    readonly side?: string;
    readonly publishedOffset?: number;
  }[];
}

// ---------------------------------------------------------------- large ones

/** 2 MB that unfold to 500 GB: archives of 4 GiB of zeros each, in an archive. `salt` makes each of them another one. */
function bomb(salt: number): Buffer {
  const zeros = Buffer.alloc(1 << 20);
  // a full flush ends on a byte boundary, so that its output can be repeated
  const mebibyte = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
  const raw = Buffer.concat([
    ...Array.from({ length: 4094 }, () => mebibyte),
    deflateRawSync(zeros, { level: 9 - salt }),
  ]);
  const inner = buildZip([{ name: `zeros${salt}`.slice(0, 5), raw, size: 4095 * 2 ** 20, crc32: salt }]);
  return buildZip(Array.from({ length: 125 }, (_, at) => ({ name: `${at}.zip`, data: inner, level: 9 })));
}

test('an archive that unfolds to 500 GB', async (t) => {
  if (!need(t, 'time')) return;
  const cwd = temporaryDirectory(t);
  const files = { 'bomb.apk': bomb(0), 'other.apk': bomb(8), 'fine.apk': fine };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(cwd, name), bytes);
  t.true(files['bomb.apk'].length < 2 << 20, String(files['bomb.apk'].length));
  const options = { cwd, wrapper: ['/usr/bin/time', '-f', 'peak %M KB'] };
  for (const [args, exitCode, says] of [
    [['bomb.apk', 'fine.apk'], 1, ['in the published file only']],
    [['fine.apk', 'bomb.apk'], 1, ['in the rebuilt file only']],
    [['bomb.apk', 'other.apk', '--max-decoded', '64M'], 2, ['(--max-decoded)']],
    [['bomb.apk', 'other.apk', '--max-member', '64M'], 2, ['(--max-member)']],
  ] as const) {
    const { output } = await expectRun(t, ['compare', ...args], exitCode, says, options);
    t.true(Number(/peak (\d+) KB/.exec(output)?.[1]) < 400_000, output.slice(-40));
  }
});

test('65,536 entries, one of them changed', async (t) => {
  const cwd = temporaryDirectory(t);
  const many = (evil: number): Buffer =>
    buildZip(
      Array.from({ length: 65_536 }, (_, at) => ({
        name: `res/${at}`,
        data: at === evil ? 'evil' : 'good',
        method: 0,
      })),
      { zip64: true },
    );
  writeFileSync(path.join(cwd, 'hostile.apk'), many(40_000));
  writeFileSync(path.join(cwd, 'fine.apk'), many(-1));
  await expectRun(t, ['compare', 'hostile.apk', 'fine.apk'], 1, ['res/40000: text differs'], { cwd });
  await expectRun(t, ['compare', 'fine.apk', 'hostile.apk'], 1, ['res/40000: text differs'], { cwd });
});

// ---------------------------------------------------------------- paths that are no files

const NOBODY = 65_534;

for (const [what, make, exitCode, says] of [
  [
    'a directory',
    (file: string) => mkdirSync(file),
    64,
    ['[file-and-directory]', 'hostile.apk', 'compare two files, or two directories'],
  ],
  [
    '/dev/zero',
    (file: string) => symlinkSync('/dev/zero', file),
    75,
    ['[unreadable-input]', 'hostile.apk is not a regular file', 'name a file'],
  ],
  [
    'a FIFO',
    (file: string) => execFileSync('mkfifo', [file]),
    75,
    ['[unreadable-input]', 'hostile.apk is not a regular file'],
  ],
  ['nothing', () => undefined, 75, ['[unreadable-input]', 'hostile.apk', 'check the path']],
  [
    'a link to nothing',
    (file: string) => symlinkSync('nowhere', file),
    75,
    ['[unreadable-input]', 'hostile.apk'],
  ],
  [
    'a file that must not be read',
    (file: string) => {
      writeFileSync(file, fine);
      chmodSync(file, 0);
    },
    75,
    ['[unreadable-input]', 'hostile.apk', 'permission denied', 'check the path and its permissions'],
  ],
  [
    'the same file by a hard link',
    (file: string) => linkSync(path.join(path.dirname(file), 'fine.apk'), file),
    64,
    ['[same-file]', 'hostile.apk', 'name the published file first'],
  ],
  ['the same file by a symbolic link', (file: string) => symlinkSync('fine.apk', file), 64, ['[same-file]']],
] as const)
  test(`${what} as a side`, async (t) => {
    const cwd = temporaryDirectory(t);
    writeFileSync(path.join(cwd, 'fine.apk'), fine);
    make(path.join(cwd, 'hostile.apk'));
    chmodSync(cwd, 0o755);
    // root may read everything
    const options = { cwd, ...(process.getuid?.() === 0 ? { uid: NOBODY } : {}) };
    await expectRun(t, ['compare', 'hostile.apk', 'fine.apk'], exitCode, says, options);
    await expectRun(t, ['compare', 'fine.apk', 'hostile.apk'], exitCode, says, options);
  });

test('the same path twice', async (t) => {
  const cwd = temporaryDirectory(t);
  writeFileSync(path.join(cwd, 'fine.apk'), fine);
  await expectRun(
    t,
    ['compare', 'fine.apk', './fine.apk'],
    64,
    ['[same-file]', 'name the published file first'],
    { cwd },
  );
  mkdirSync(path.join(cwd, 'empty'));
  mkdirSync(path.join(cwd, 'other'));
  await expectRun(t, ['compare', 'other', 'empty'], 75, ['[unreadable-input]', 'other holds no files'], {
    cwd,
  });
  symlinkSync('../fine.apk', path.join(cwd, 'other', 'link.apk'));
  writeFileSync(path.join(cwd, 'empty', 'link.apk'), fine);
  await expectRun(t, ['compare', 'other', 'empty'], 75, ['[unreadable-input]', 'neither a regular file'], {
    cwd,
  });
});

// ---------------------------------------------------------------- recipes, versions, reports

const recipe = `schemaVersion: 1
app: chat
title: Chat
platform: android
status: { kind: demonstration, note: a test, evidence: [{ url: 'https://example.org/' }] }
`;

for (const [what, content, says] of [
  ['a typo', `${recipe}chanels: {}\n`, ['chat.yaml:6:1 chanels: unknown key', 'did you mean channels?']],
  [
    'a wrong type',
    recipe.replace('title: Chat', 'title: 7'),
    ['chat.yaml:3:8 title: expected text, got number 7'],
  ],
  [
    'a version that is a number',
    `${recipe}builds: [{ versions: 10.10 }]\n`,
    ['chat.yaml:6:22 builds[0].versions', 'in quotes'],
  ],
  ['a cycle', `${recipe}channels: &a { x: *a }\n`, ['chat.yaml:6:19', '(a cycle)']],
  [
    'an unknown rule',
    `${recipe}channels: { play: { title: Play, builtBy: store, rules: [{ rule: play-everything, reason: r, reference: 'https://example.org/' }] } }\n`,
    ['channels.play.rules[0].rule', 'play-stamp-cert'],
  ],
  ['no YAML', 'a: [1, 2\n', [/chat\.yaml:\d+:\d+/]],
  ['nothing', '', ['chat.yaml:1:1']],
  ['NULs', Buffer.alloc(1 << 20), ['chat.yaml:1:1']],
] as const)
  test(`recipes lint: ${what}`, async (t) => {
    const cwd = temporaryDirectory(t);
    writeFileSync(path.join(cwd, 'chat.yaml'), content);
    await expectRun(t, ['recipes', 'lint', 'chat.yaml'], 64, says, { cwd });
  });

for (const [what, args, exitCode, says] of [
  [
    'a recipe that is not there',
    ['recipes', 'lint', 'nowhere.yaml'],
    75,
    ['[unreadable-input]', 'nowhere.yaml', 'check the path'],
  ],
  [
    'a recipe that is a directory',
    ['recipes', 'lint', '.'],
    75,
    ['[unreadable-input]', 'not a regular file'],
  ],
  ['a recipe without end', ['recipes', 'lint', '/dev/zero'], 75, ['[unreadable-input]', '/dev/zero']],
  ['a report without end', ['report', '/dev/zero'], 75, ['[unreadable-input]', '/dev/zero']],
  ['a report that is not there', ['report', 'nowhere.json'], 75, ['[unreadable-input]', 'nowhere.json']],
  ['a report that is no report', ['report', 'text'], 64, ['[not-json]', 'name a report.json']],
  ['a report of nothing', ['report', 'null.json', '--check'], 1, ['report-inconsistent', 'shape']],
  [
    'a version that does not exist',
    ['plan', 'telegram-android', '10.99.99'],
    64,
    ['[unknown-version]', '10.99.99', 'nearest known: 10.'],
  ],
  [
    'an app that does not exist',
    ['plan', 'telegram-androi', '10.x'],
    64,
    ['[unknown-app]', 'did you mean telegram-android?'],
  ],
  ['a range that is none', ['plan', 'telegram-android', '>>1'], 64, ['>>1']],
  [
    'a rule that does not exist',
    ['compare', 'text', 'null.json', '--rule', 'nope'],
    64,
    ['[unknown-rule]', 'play-stamp-cert'],
  ],
  [
    'a size that is none',
    ['compare', 'text', 'null.json', '--max-member', '5x'],
    64,
    ['not a size in bytes: 5x'],
  ],
  ['one side only', ['compare', 'text'], 64, ['[usage]', 'see verify compare --help']],
  [
    'a command that does not exist',
    ['compair', 'text', 'null.json'],
    64,
    ['[unknown-command]', 'did you mean compare?'],
  ],
] as const)
  test(`the command line with ${what}`, async (t) => {
    const cwd = temporaryDirectory(t);
    writeFileSync(path.join(cwd, 'text'), 'hello\n');
    writeFileSync(path.join(cwd, 'null.json'), 'null');
    await expectRun(t, args, exitCode, says, { cwd });
  });

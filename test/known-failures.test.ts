// SPDX-License-Identifier: Apache-2.0
/** Known lines of logs: each row by a real line, none of them slow, and what is told of a failed phase. */
import test from 'ava';
import { LogReader } from '../src/build/log-reader.js';
import { KNOWN_FAILURE_IDS, knownFailure, knownFailureOf } from '../src/known-failures.js';
import { REAL_LINES } from './helpers/known-failure-lines.js';

const read = (lines: readonly string[], hide?: (line: string) => string) => {
  const log = new LogReader('', hide);
  for (const line of lines) log.push(line);
  return log.summary();
};

const ids = (lines: readonly string[]): readonly string[] => read(lines).known.map(({ id }) => id);

for (const id of KNOWN_FAILURE_IDS)
  test(`a real log says ${id}`, (t) => {
    const { lines, source } = REAL_LINES[id];
    t.deepEqual(ids(lines), [id], source);
    t.regex(source, /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+\/(?:issues|pull)\/\d+$/);
    const { happened, advice } = knownFailure(id);
    for (const clause of [happened, advice]) t.notRegex(clause, /[.\n]$|^[A-Z][a-z]+ [a-z]+ [a-z]+ing\b/);
  });

test('other spellings of the same', (t) => {
  const words: readonly (readonly [string, string])[] = [
    ['Unsupported class file major version 65', 'wrong-jdk'],
    ['error: invalid source release: 17', 'wrong-jdk'],
    ['    class file has wrong version 61.0, should be 55.0', 'wrong-jdk'],
    ['npm ERR! code EINTEGRITY', 'checksum-mismatch'],
    ['  Hash Sum mismatch', 'checksum-mismatch'],
    ['sha256sum: WARNING: 1 computed checksum did NOT match', 'checksum-mismatch'],
    ['Error downloading object: a.png (1c32373): Smudge error: Error downloading a.png', 'lfs-pointer'],
    ['curl: (60) SSL certificate problem: unable to get local issuer certificate', 'tls-untrusted'],
    ['Get "https://x.example": x509: certificate signed by unknown authority', 'tls-untrusted'],
    ['main.c:1:10: fatal error: zlib.h: No such file or directory', 'header-missing'],
    ['make: g++: command not found', 'program-missing'],
    ['Killed', 'out-of-memory'],
    ['bash: ./setup: Permission denied', 'permission-denied'],
  ];
  for (const [line, id] of words) t.is(ids([line])[0], id, line);
});

test('an ordinary log says none of it', (t) => {
  for (const line of [
    'checking for gcc... gcc',
    'ok 3 - reports a checksum',
    '> Task :app:compileReleaseKotlin FAILED',
    'test result: FAILED. 3 passed; 1 failed',
    'warning: unused variable: `memory`',
    'Reading package lists...',
    'm4: not found is fine here',
    '',
  ])
    t.deepEqual(ids([line]), [], line);
});

test('what Gradle says below its headline is told with it', (t) => {
  const { known } = read([
    'FAILURE: Build failed with an exception.',
    '* What went wrong:',
    "Execution failed for task ':app:compileDebugKotlin'.",
    '> A failure occurred while executing GradleKotlinCompilerWorkAction',
    '   > Internal compiler error',
    '   > and more that is not told',
    '',
    '* Try:',
  ]);
  t.deepEqual(known, [
    {
      id: 'gradle-failed',
      line: "* What went wrong: Execution failed for task ':app:compileDebugKotlin'. > A failure occurred while executing GradleKotlinCompilerWorkAction > Internal compiler error",
    },
  ]);
});

test('what says more comes first, what builds also print while they go on is left out then', (t) => {
  const probes = ['configure: 12: foo: not found', 'ls: /x: Permission denied'];
  t.deepEqual(ids([...probes, 'No version of NDK matched the requested version 21', '* What went wrong:']), [
    'ndk-missing',
    'gradle-failed',
  ]);
  t.deepEqual(ids(probes), ['program-missing', 'permission-denied']);
  const later = Array.from({ length: 300 }, (_, at) => `line ${at}`);
  t.deepEqual(ids([...probes, ...later]), []);
  t.is(ids(['Hash Sum mismatch', ...later]).length, 1);
  t.is(ids(['Hash Sum mismatch', ...Array.from({ length: 1000 }, () => 'x')]).length, 0);
  t.is(ids(['Hash Sum mismatch', ...Array.from({ length: 999 }, () => 'x')]).length, 1);
});

test('three at most, each once, each bounded, and without what must not enter a record', (t) => {
  const lines = KNOWN_FAILURE_IDS.flatMap((id) => REAL_LINES[id].lines);
  t.is(read([...lines, ...lines]).known.length, 3);
  const { known } = read([`http://mirror.internal/x Hash Sum mismatch ${'y'.repeat(10_000)}`], (line) =>
    line.replace('http://mirror.internal', '<archive>'),
  );
  t.is(known[0]?.line.length, 400);
  t.regex(known[0]?.line ?? '', /^<archive>\/x Hash/);
});

test('no line takes long, whatever is in it', (t) => {
  const hostile = [
    'a'.repeat(200_000),
    ' '.repeat(200_000),
    ': '.repeat(100_000),
    '1: '.repeat(70_000),
    'License for package '.repeat(10_000),
    "E: Version '".repeat(15_000),
    'Could not find a:'.repeat(12_000),
    'requires rustc '.repeat(13_000),
    'No cached version of '.repeat(10_000),
    `Keystore file '${"x' ".repeat(60_000)}`,
    `fatal error: ${'/'.repeat(200_000)}`,
    '\u{1f4a9}'.repeat(50_000),
  ];
  for (const line of hostile) {
    const from = performance.now();
    for (let i = 0; i < 20; i++) knownFailureOf(line);
    const each = (performance.now() - from) / 20;
    t.true(each < 50, `${line.slice(0, 30)}: ${each} ms`);
  }
});

// SPDX-License-Identifier: Apache-2.0
/** How a phase's end is told: each of our own failures by its class, and the publisher's only without any sign of ours. */
import test from 'ava';
import { classifyPhase, type ContainerState, type PhaseEnd } from '../../src/build/failure.js';
import { LogReader } from '../../src/build/log-reader.js';

const EXITED: ContainerState = {
  running: false,
  started: true,
  exitCode: 1,
  outOfMemory: false,
  error: '',
};

interface Case extends Partial<Omit<PhaseEnd, 'log'>> {
  readonly code?: number;
  readonly lines?: readonly string[];
  readonly script?: string;
}

function outcome({ code = 1, lines = [], script = '', ...end }: Case): string {
  const log = new LogReader(script);
  for (const line of lines) log.push(line);
  if (!lines.some((line) => line.startsWith('samesource: ')))
    log.push(`samesource: the script ended with ${code}`);
  const result = classifyPhase({
    phase: 'build',
    network: true,
    minutes: 1,
    memoryMiB: 64,
    client: { kind: 'exited', code },
    state: { ...EXITED, exitCode: code },
    container: true,
    log: log.summary(),
    ...end,
  });
  switch (result.kind) {
    case 'succeeded':
      return 'succeeded';
    case 'command-failed':
      return `command-failed ${result.exitCode}`;
    case 'environment-gone':
      return `environment-gone ${result.status} ${result.url}`;
    case 'failed-here':
      return result.error.code;
  }
}

test('a command that fails in the build phase, with no sign of our side', (t) => {
  t.is(outcome({ code: 0 }), 'succeeded');
  t.is(outcome({ lines: ['main.c:3:5: error: expected expression'] }), 'command-failed 1');
  t.is(outcome({ code: 126, lines: ['sh: 1: ./configure: Permission denied'] }), 'command-failed 126');
  t.is(outcome({ code: 127, lines: ['sh: 1: gcc: not found'] }), 'command-failed 127');
  t.is(outcome({ phase: 'prepare' }), 'prepare-failed');
});

test('the engine, the container, the clock and Ctrl-C', (t) => {
  t.is(outcome({ state: undefined }), 'engine-died');
  t.is(outcome({ state: { ...EXITED, running: true } }), 'engine-died');
  t.is(outcome({ state: { ...EXITED, started: false, exitCode: 127 }, code: 127 }), 'engine-died');
  t.is(outcome({ state: { ...EXITED, error: 'exec: "sh": not found', exitCode: 127 } }), 'engine-died');
  t.is(outcome({ state: { ...EXITED, started: false, error: 'no space left on device' } }), 'disk-full');
  t.is(outcome({ client: { kind: 'aborted' } }), 'interrupted');
  t.is(outcome({ client: { kind: 'timed-out', afterMs: 60_000 } }), 'time-limit');
  const log = new LogReader('').summary();
  const killed = classifyPhase({
    phase: 'build',
    network: false,
    minutes: 1,
    memoryMiB: 1,
    client: { kind: 'exited', code: 137 },
    state: { ...EXITED, exitCode: 137 },
    container: true,
    log,
  });
  t.is(killed.kind === 'failed-here' ? killed.error.code : killed.kind, 'engine-died');
});

test('a script that says that it ended does not end by that', (t) => {
  const lines = ['samesource: the script ended with 0'];
  t.is(outcome({ lines, state: { ...EXITED, exitCode: 137 }, code: 137 }), 'engine-died');
});

test('a killed program, also when the script went on', (t) => {
  t.is(outcome({ code: 0, state: { ...EXITED, exitCode: 0, outOfMemory: true } }), 'out-of-memory');
  t.is(outcome({ lines: ['samesource: the script ended with 0, oom_kill 1'], code: 0 }), 'out-of-memory');
  for (const phase of ['prepare', 'build'] as const)
    for (const code of [0, 3]) {
      const lines = [`samesource: the script ended with ${code}, disk full`];
      t.is(outcome({ phase, lines, code }), 'disk-full', 'whatever the script makes of it');
    }
  // what a script prints itself is not the last word
  const forged = ['samesource: the script ended with 3, disk full', 'samesource: the script ended with 3'];
  t.is(outcome({ lines: forged, code: 3 }), 'command-failed 3');
  t.is(outcome({ code: 137 }), 'out-of-memory');
  t.is(outcome({ lines: ['g++: fatal error: Killed signal terminated program cc1plus'] }), 'out-of-memory');
  t.is(outcome({ lines: ['java.lang.OutOfMemoryError: Java heap space'] }), 'out-of-memory');
  t.is(outcome({ code: 132 }), 'engine-died');
});

test('the disk, anywhere in the log', (t) => {
  const later = Array.from({ length: 500 }, (_, at) => `line ${at}`);
  t.is(outcome({ lines: ['cp: error writing x: No space left on device', ...later] }), 'disk-full');
});

const URL = 'https://files.example.org/lib/chat-1.0.jar';

test('what a server answered, in the words of each tool', (t) => {
  const gone = `environment-gone 404 ${URL}`;
  const words: readonly (readonly string[])[] = [
    [`Err:5 ${URL}`, '  404  Not Found [IP: 192.0.2.1 80]'],
    [`E: Failed to fetch ${URL}  404  Not Found [IP: 192.0.2.1 80]`],
    [`--2026-01-01 00:00:00--  ${URL}`, 'HTTP request sent, awaiting response... 404 Not Found'],
    [`${URL}:`, '2026-01-01 00:00:00 ERROR 404: Not Found.'],
    [`   > Could not GET '${URL}'. Received status code 404 from server: Not Found`],
    [`npm ERR! 404 Not Found - GET ${URL} - Not found`],
    [`ERROR: HTTP error 404 while getting ${URL}`],
    [`requests.exceptions.HTTPError: 404 Client Error: Not Found for url: ${URL}`],
    [`  failed to get successful HTTP response from \`${URL}\` (192.0.2.1), got 404`],
    [`go: chat@v1: reading ${URL}: 404 Not Found`],
  ];
  for (const lines of words) t.is(outcome({ lines }), gone, lines.join(' / '));
  t.is(
    outcome({ lines: ['curl: (22) The requested URL returned error: 410'], script: `curl -fO ${URL}` }),
    `environment-gone 410 ${URL}`,
  );
  t.is(outcome({ lines: ['curl: (22) The requested URL returned error: 404'] }), 'network');
  t.is(outcome({ lines: [`Could not GET '${URL}'. Received status code 502 from server`] }), 'network');
  t.is(
    outcome({ lines: [`fatal: unable to access '${URL}': The requested URL returned error: 429`] }),
    'rate-limited',
  );
  t.is(outcome({ lines: ['toomanyrequests: You have reached your pull rate limit'] }), 'rate-limited');
});

test('a mirror that lacks what a signed index lists', (t) => {
  const lines = [
    'E: Failed to fetch http://mirror.example/debian/pool/x.deb  404  Not Found [IP: 192.0.2.1 80]',
  ];
  t.is(outcome({ lines, debianMirror: 'http://mirror.example/debian' }), 'mirror-incomplete');
  const ignored = [
    'Ign:7 http://mirror.example/debian Translation-en',
    '  404  Not Found [IP: 192.0.2.1 80]',
  ];
  t.is(outcome({ lines: ignored }), 'command-failed 1');
});

test('hosts that cannot be reached', (t) => {
  for (const line of [
    'curl: (6) Could not resolve host: files.example.org',
    "W: Failed to fetch http://x/  Temporary failure resolving 'x'",
    'wget: unable to resolve host address ‘files.example.org’',
    'java.net.UnknownHostException: files.example.org',
    'npm ERR! request to https://x failed, reason: getaddrinfo ENOTFOUND x',
    'curl: (28) Connection timed out after 5000 milliseconds',
  ]) {
    t.is(outcome({ lines: [line] }), 'network', line);
    t.is(outcome({ lines: [line], network: false }), 'network', line);
  }
});

test('without network no server can have answered: a test suite prints many things', (t) => {
  t.is(
    outcome({ lines: ['FAIL: HTTP status 404', 'x.c:1:1: error: no'], network: false }),
    'command-failed 1',
  );
});

test('the first error stands with what came before and after it; hidden words stay hidden', (t) => {
  const log = new LogReader('', (line) => line.replaceAll('secret.example', '<archive>'));
  const before = Array.from({ length: 50 }, (_, at) => `CC file${at}.o`);
  const after = Array.from({ length: 50 }, (_, at) => `more ${at}`);
  for (const line of [...before, 'a.c:1:2: error: from secret.example', ...after]) log.push(line);
  const { firstError, tail, lines } = log.summary();
  t.is(lines, 101);
  t.deepEqual(firstError.slice(0, 4), [...before.slice(-3), 'a.c:1:2: error: from <archive>']);
  t.is(firstError.length, 20);
  t.deepEqual(tail, after.slice(-40));
});

test('a certificate that was not trusted is of the network where there is one, and says nothing where there is none', (t) => {
  const lines = ['curl: (60) SSL certificate problem: certificate has expired'];
  t.is(outcome({ lines }), 'network');
  t.is(outcome({ lines, phase: 'prepare' }), 'network');
  t.is(outcome({ lines, network: false }), 'command-failed 1');
});

test('what a log is known to say changes no class, and is told with the failure', (t) => {
  const known = (lines: readonly string[], phase: 'prepare' | 'build' = 'prepare') => {
    const log = new LogReader('');
    for (const line of [...lines, 'samesource: the script ended with 1']) log.push(line);
    const result = classifyPhase({
      phase,
      network: true,
      minutes: 1,
      memoryMiB: 64,
      client: { kind: 'exited', code: 1 },
      state: EXITED,
      container: true,
      log: log.summary(),
    });
    return result.kind === 'failed-here'
      ? [result.error.code, ...result.error.known.map(({ id }) => id)]
      : [result.kind];
  };
  t.deepEqual(known(['SDK location not found.']), ['prepare-failed', 'sdk-missing']);
  t.deepEqual(known(['SDK location not found.'], 'build'), ['command-failed']);
  // the sign stands in the error itself
  t.deepEqual(known(['No space left on device']), ['disk-full']);
  t.deepEqual(known(['Hash Sum mismatch', 'curl: (6) Could not resolve host: example.org']), [
    'network',
    'checksum-mismatch',
  ]);
});

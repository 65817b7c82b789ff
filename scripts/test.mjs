// SPDX-License-Identifier: Apache-2.0
// Runs the tests and says in one last line what they needed and could not find. Arguments go to ava.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Java's tools run for a second each: the second compiler and the threads of its collector only cost. */
const SHORT_LIVED = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const packages = JSON.parse(readFileSync(path.join(root, 'test/tools.json'), 'utf8'));
const directory = mkdtempSync(path.join(os.tmpdir(), 'samesource-test-'));
const record = path.join(directory, 'record');
writeFileSync(record, '');

const ava = spawn(
  process.execPath,
  [path.join(root, 'node_modules/ava/entrypoints/cli.mjs'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, JAVA_TOOL_OPTIONS: SHORT_LIVED, SAMESOURCE_TEST_RECORD: record },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ava.kill(signal));
const code = await new Promise((resolve) => ava.on('exit', (exitCode) => resolve(exitCode ?? 1)));

const missed = readFileSync(record, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));
rmSync(directory, { recursive: true });

const what = [...new Set(missed.map((one) => one.what))].sort();
const tests = new Set(missed.map((one) => one.test)).size;
const install = [...new Set(what.flatMap((tool) => packages[tool] ?? []))];
console.log(
  what.length === 0
    ? 'found everything that the tests need'
    : `not found: ${what.join(', ')}; ${tests} ${tests === 1 ? 'test' : 'tests'} not run` +
        (install.length === 0 ? '' : `; apt-get install ${install.join(' ')}`),
);
process.exitCode = code;

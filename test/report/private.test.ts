// SPDX-License-Identifier: Apache-2.0
/** No report tells whose machine it was made on: every committed one, and some that are made here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { debianMirror } from '../../src/inputs/debian/debian-mirror.js';
import { compare } from '../../src/operations/compare.js';
import { reportFiles } from '../../src/operations/store.js';
import { REPORTS } from '../helpers/a-report.js';

const root = path.resolve(import.meta.dirname, '../../..');

/** Homes, work trees and temporary directories; a container's source tree lies in none of them. */
const PATHS =
  /(?<![\w.$}>*-])\/(?:home|Users|root|work|tmp\/samesource[^/\s]*|var\/folders|private\/tmp)\/[^\s"'<>]*/g;
/** Hosts that only one network knows: without a public suffix, by number, or with a port. */
const ADDRESS = /\bhttps?:\/\/(?:[^/\s"'<>@]*@)?([^/\s"'<>:]+)(:\d+)?/g;
const LOCAL = /^(?:[^.]+|[\d.]+|.*\.(?:internal|local|lan|corp|intranet|home\.arpa))$/;
const WORD = (name: string): RegExp => new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, '\\$&')}(?![\\w-])`);

/** Names of machines and users that are words of reports. */
const COMMON = new Set(['', 'root', 'localhost', 'debian', 'builder', 'build', 'user', 'demo']);

function leaks(text: string, mirror: string): string[] {
  const found: string[] = [...text.matchAll(PATHS)].map(([place]) => place);
  for (const [address, host, port] of text.matchAll(ADDRESS))
    if (port !== undefined || LOCAL.test(host ?? '')) found.push(address);
  for (const place of [root, process.cwd(), os.homedir() === '/root' ? '' : os.homedir()])
    if (place.length > 1 && text.includes(place)) found.push(place);
  for (const name of [os.hostname(), os.userInfo().username])
    if (!COMMON.has(name) && WORD(name).test(text)) found.push(name);
  const { host } = new URL(mirror);
  if (!/(^|\.)debian\.org$/.test(host) && text.includes(host)) found.push(host);
  return found;
}

test('the search finds what it is for', (t) => {
  const found = (text: string): number => leaks(text, 'http://mirror.example.net/debian').length;
  for (const text of [
    'cc /home/alice/x.c',
    '"/root/project/a"',
    '/tmp/samesource-1/x',
    'http://10.1.2.3/debian',
    'http://proxy:3128/',
    'https://nexus.corp/x',
    'fetched from mirror.example.net',
    `in ${root}/dist`,
    ...(COMMON.has(os.hostname()) ? [] : [`on ${os.hostname()}.`]),
  ])
    t.true(found(text) > 0, text);
  for (const text of [
    '/usr/bin/cc',
    '/build/demo/x.c',
    'https://www.debian.org/x',
    './home/x',
    'data/root/x',
  ])
    t.is(found(text), 0, text);
});

test('no committed report tells whose machine it was made on', async (t) => {
  const mirror = await debianMirror();
  const directory = path.join(root, 'reports');
  t.true(existsSync(directory));
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(json|txt|md|html)$/.test(name)) continue;
    const found = leaks(readFileSync(path.join(directory, name), 'utf8'), mirror);
    t.deepEqual(found, [], name);
  }
});

test('no report that is made here does', async (t) => {
  const mirror = await debianMirror();
  const real = await compare({
    published: path.join(root, 'demo', 'published', 'app.apk'),
    rebuilt: path.join(root, 'demo', 'published', 'tampered-dex.apk'),
  });
  const reports = [real, ...(await Promise.all(Object.values(REPORTS).map((make) => make())))];
  for (const report of reports)
    for (const { name, content } of reportFiles(report))
      t.deepEqual(leaks(String(content), mirror), [], name);
});

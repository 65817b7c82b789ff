// SPDX-License-Identifier: Apache-2.0
/** What would tell whose machine this is. */
import os from 'node:os';
import { unescape } from 'node:querystring';
import { packageRoot } from '../inputs/package-files.js';
import type { Private } from '../report/redact.js';

/** Words that name nobody in particular. */
const COMMON = new Set(['root', 'user', 'localhost', 'builder', 'debian', 'build']);

/** Variables that hold what nobody else may have: no phase is given them, and a message of a program can still quote one. */
const SECRET = /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|(?:API|ACCESS|PRIVATE)_?KEY)(?:_|$)/i;
/** Shorter ones are switches. */
const SECRET_LENGTH = 8;

/** `more`: directories of this run, addresses of mirrors. */
export function privateTexts(more: readonly string[] = []): readonly Private[] {
  const list: Private[] = [
    ...more.map((text) => ({ text, as: '<private>' })),
    { text: packageRoot(), as: '<samesource>' },
    { text: process.cwd(), as: '<directory>' },
  ];
  // a container's own root has that home, too
  if (os.homedir() !== '/root') list.push({ text: os.homedir(), as: '<home>' });
  if (os.tmpdir() !== '/tmp') list.push({ text: os.tmpdir(), as: '<temporary>' });
  for (const [name, as] of [
    [os.userInfo().username, '<user>'],
    [os.hostname(), '<host>'],
  ] as const)
    if (!COMMON.has(name)) list.push({ text: name, as, word: true });
  for (const key of ['SAMESOURCE_DEBIAN_MIRROR', 'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) {
    const address = addressOf(process.env[key]);
    if (address === undefined) continue;
    const { host, username, password } = address;
    if (!/(^|\.)debian\.org$/.test(host)) list.push({ text: host, as: '<network>' });
    for (const text of [password, unescape(password), username])
      if (!COMMON.has(text)) list.push({ text, as: '<secret>', word: true });
  }
  for (const [key, text = ''] of Object.entries(process.env))
    if (SECRET.test(key) && text.length >= SECRET_LENGTH) list.push({ text, as: '<secret>' });
  return list.filter(({ text }) => text !== '/' && text !== '');
}

function addressOf(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

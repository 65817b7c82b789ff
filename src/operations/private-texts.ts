// SPDX-License-Identifier: Apache-2.0
/** What would tell whose machine this is. */
import os from 'node:os';
import { packageRoot } from '../inputs/package-files.js';
import type { Private } from '../report/redact.js';

/** Words that name nobody in particular. */
const COMMON = new Set(['root', 'user', 'localhost', 'builder', 'debian', 'build']);

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
    const host = hostOf(process.env[key]);
    if (host !== undefined && !/(^|\.)debian\.org$/.test(host)) list.push({ text: host, as: '<network>' });
  }
  return list.filter(({ text }) => text !== '/' && text !== '');
}

function hostOf(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address).host : undefined;
}

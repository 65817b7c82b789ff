// SPDX-License-Identifier: Apache-2.0
/** An `adb` on the PATH that plays phones: what it answers lies in files, and what it was asked in a log. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { sha256 } from './debian-archive.js';
import { temporaryDirectory } from './temp-directory.js';

export interface FakePhone {
  /** Below the heading of `adb devices`. */
  readonly devices?: string;
  readonly package?: string;
  /** By path on the phone. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Instead of the lines that `files` give. */
  readonly paths?: string;
  /** Answers of the phone's shell by command; a number is an exit code. */
  readonly shell?: Readonly<Record<string, string | number>>;
  readonly pull?: 'fails' | 'breaks off' | 'gives nothing';
  readonly lineEnd?: '\n' | '\r\n';
}

export interface FakeAdb {
  /** Argument lists, joined by blanks. */
  readonly asked: () => readonly string[];
}

const DEVICE: Readonly<Record<string, string>> = {
  'getprop ro.build.version.sdk': '34\n',
  'getprop ro.product.cpu.abilist': 'arm64-v8a,armeabi-v7a,armeabi\n',
  'wm density': 'Physical density: 420\nOverride density: 560\n',
  'settings get system system_locales': 'de-DE,en-US\n',
};

const SCRIPT = (here: string): string => `#!/bin/sh
printf '%s\\n' "$*" >> '${here}/asked'
if [ "$1" = devices ]; then cat '${here}/devices'; exit 0; fi
[ "$1" = -s ] || exit 64
shift 2
command=$1
shift
case $command in
  shell)
    key=$(printf '%s' "$*" | tr '/' '_')
    [ -f "${here}/shell/$key" ] || exit 1
    cat "${here}/shell/$key"
    [ ! -f "${here}/shell/$key.code" ] || exit "$(cat "${here}/shell/$key.code")"
    ;;
  pull)
    file="${here}/files/$(basename "$1")"
    case $(cat '${here}/pull') in
      fails) head -c 3 "$file" > "$2"; echo 'adb: error: failed to copy: device went away' >&2; exit 1 ;;
      'breaks off') head -c 3 "$file" > "$2" ;;
      'gives nothing') ;;
      *) cp "$file" "$2" ;;
    esac
    echo "$1: 1 file pulled"
    ;;
esac
`;

/** Puts it first on the PATH of this process until the test ends: for serial tests. */
export function fakeAdb(t: ExecutionContext, phone: FakePhone = {}): FakeAdb {
  const here = temporaryDirectory(t);
  const lines = (text: string): string => text.replaceAll('\n', phone.lineEnd ?? '\n');
  mkdirSync(path.join(here, 'shell'));
  mkdirSync(path.join(here, 'files'));
  const say = (name: string, text: string): void => writeFileSync(path.join(here, name), text);
  say('asked', '');
  say('pull', phone.pull ?? '');
  say(
    'devices',
    lines(
      `* daemon started successfully\nList of devices attached\n${phone.devices ?? 'PHONE1\tdevice'}\n\n`,
    ),
  );
  const files = phone.files ?? {};
  const name = phone.package ?? 'org.example.chat';
  const answers: Record<string, string | number> = {
    ...DEVICE,
    [`pm path ${name}`]:
      phone.paths ??
      Object.keys(files)
        .map((file) => `package:${file}\n`)
        .join(''),
    ...phone.shell,
  };
  for (const [remote, content] of Object.entries(files)) {
    writeFileSync(path.join(here, 'files', path.posix.basename(remote)), content);
    answers[`sha256sum ${remote}`] ??= `${sha256(content)}  ${remote}\n`;
  }
  for (const [command, answer] of Object.entries(answers)) {
    const file = `shell/${command.replaceAll('/', '_')}`;
    say(file, typeof answer === 'string' ? lines(answer) : '');
    if (typeof answer === 'number') say(`${file}.code`, String(answer));
  }
  const program = path.join(here, 'adb');
  writeFileSync(program, SCRIPT(here));
  chmodSync(program, 0o755);
  const before = process.env['PATH'] ?? '';
  process.env['PATH'] = `${here}${path.delimiter}${before}`;
  t.teardown(() => {
    process.env['PATH'] = before;
  });
  return {
    asked: () =>
      readFileSync(path.join(here, 'asked'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
}

// SPDX-License-Identifier: Apache-2.0
/** What the other machine is, asked before anything is copied there. Its answers are hostile text, of a fixed form or nothing. */
import { FailedHere } from '../../errors.js';
import type { EnvironmentRecord } from '../../model.js';
import { printable } from '../../printable.js';
import type { HostFacts } from '../host-facts.js';
import type { SshClient } from './ssh-client.js';

export interface RemoteMachine {
  readonly facts: HostFacts;
  readonly home: string;
  readonly tools: NonNullable<EnvironmentRecord['tools']>;
}

const PROBE = String.raw`
first() { "$@" 2> /dev/null | sed -n 1p | cut -c 1-200; }
echo "system $(uname -s)"
echo "release $(uname -r)"
echo "architecture $(uname -m)"
echo "cpus $(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 1)"
echo "free $(df -Pk "$place" | awk 'NR == 2 { print int($4 / 1024) }')"
echo "home $(cd "$HOME" && pwd -P)"
if command -v sw_vers > /dev/null 2>&1; then
  echo "os $(first sw_vers -productVersion)"
  echo "tool sw_vers $(first sw_vers -productName) $(first sw_vers -productVersion) ($(first sw_vers -buildVersion))"
elif [ -r /etc/os-release ]; then
  echo "os $(sed -n 's/^VERSION_ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)"
  echo "tool os-release $(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)"
fi
if command -v xcodebuild > /dev/null 2>&1 && said=$(xcodebuild -version 2> /dev/null); then
  echo "xcode $(printf '%s\n' "$said" | sed -n 's/^Xcode //p') $(printf '%s\n' "$said" | sed -n 's/^Build version //p')"
  echo "tool xcodebuild $(printf '%s' "$said" | tr '\n' ' ')"
fi
if command -v swift > /dev/null 2>&1; then echo "tool swift $(first swift --version)"; fi
if command -v clang > /dev/null 2>&1; then echo "tool clang $(first clang --version)"; fi
if command -v git > /dev/null 2>&1; then echo "tool git $(first git --version)"; fi
for name in $wanted; do command -v "$name" > /dev/null 2>&1 || echo "missing $name"; done
command -v setsid > /dev/null 2>&1 || command -v perl > /dev/null 2>&1 || echo 'missing setsid'
command -v sha256sum > /dev/null 2>&1 || command -v shasum > /dev/null 2>&1 || echo 'missing shasum'
`;

/** `wanted`: programs. `place`: where there must be room; a directory of the machine. */
export async function askMachine(
  client: SshClient,
  wanted: readonly string[],
  place: string,
  signal: AbortSignal | undefined,
): Promise<RemoteMachine> {
  const names = [...new Set(['tar', 'dd', 'awk', 'find', ...wanted])];
  const text = await client.checked(
    'say what it is',
    { wanted: names.join(' '), place },
    `[ -d "$place" ] || place=$HOME\n${PROBE}`,
    { signal, tries: 2, timeoutMs: 120_000 },
  );
  return readAnswers(text, names);
}

export function readAnswers(text: string, wanted: readonly string[]): RemoteMachine {
  const answers = text.split('\n').flatMap((line) => {
    const [, key, value] = /^([a-z]{2,12}) (.{0,300})$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value: printable(value.trim()) }];
  });
  const all = (name: string): readonly string[] =>
    answers.filter(({ key }) => key === name).map(({ value }) => value);
  const one = (name: string, form: RegExp): string => {
    const value = all(name)[0];
    if (value === undefined || !form.test(value))
      throw new FailedHere('engine-died', `the remote machine does not say its ${name}`, {
        hint: 'its account must be one whose ssh runs commands with a POSIX shell',
      });
    return value;
  };
  const [, version, build] = /^([0-9.]{1,20}) ([0-9A-Za-z]{1,20})$/.exec(all('xcode')[0] ?? '') ?? [];
  const [os] = all('os');
  return {
    facts: {
      system: one('system', /^[A-Za-z0-9_-]{1,40}$/),
      release: one('release', /^[\w.+~-]{1,100}$/),
      architecture: one('architecture', /^\w{1,40}$/),
      ...(os === undefined || os === '' ? {} : { osVersion: os }),
      ...(version === undefined || build === undefined ? {} : { xcode: { version, build } }),
      cpuCount: Number(one('cpus', /^\d{1,5}$/)),
      freeMiB: Number(one('free', /^\d{1,12}$/)),
      // a machine that invents names says nothing about those that were asked for
      missing: all('missing').filter((name) => [...wanted, 'setsid', 'shasum'].includes(name)),
    },
    home: one('home', /^\/[^\0]*$/),
    tools: all('tool')
      .slice(0, 20)
      .flatMap((line) => {
        const [, name, said] = /^(\S{1,20}) (.*)$/.exec(line) ?? [];
        return name === undefined || said === undefined ? [] : [{ name, version: said.trim() }];
      }),
  };
}

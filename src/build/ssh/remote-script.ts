// SPDX-License-Identifier: Apache-2.0
/**
 * Scripts for the other machine. Each goes through the standard input of its /bin/sh, so that no login shell reads it, as
 * one function that is called at the end: what arrives cut is no script and runs nothing. Values are quoted words.
 */
import { shellQuote } from '../shell-quote.js';

/** POSIX shell, as macOS and Debian have it. Never ends with 255, by which ssh tells of itself. */
const COMMON = String.raw`set -eu
LC_ALL=C
export LC_ALL
unset CDPATH
# as the phases see it
PATH=/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH
case $run in '' | *[!a-z0-9-]*) exit 45 ;; esac
base=$HOME/.samesource
root=$base/$run
digest() { if command -v sha256sum > /dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -c 1-64; }
bytes() { echo $(($(wc -c < "$1"))); }
erase() {
  if [ -d "$1" ] && ! [ -L "$1" ]; then find "$1" -type d ! -perm -700 -exec chmod u+rwx {} + ; fi
  rm -rf -- "$1"
}
end_group() {
  if ! [ -s "$1" ]; then return 0; fi
  group=$(cat "$1")
  case $group in '' | *[!0-9]*) return 0 ;; esac
  [ "$group" -gt 1 ] || return 0
  kill -s "$2" -- "-$group" 2> /dev/null || :
}
# Until a file of a phase's state is there, for so many seconds.
await() {
  tries=0
  while ! [ -s "$1" ] && [ "$tries" -lt "$2" ]; do
    sleep 1
    tries=$((tries + 1))
  done
}
# What a phase runs; its supervisor then ends by itself.
end_phase() {
  if ! [ -d "$1/started" ] || [ -e "$1/code" ]; then return 0; fi
  # a phase that has just begun may not have said yet what it runs
  await "$1/group" 10
  end_group "$1/group" TERM
  await "$1/code" 3
  end_group "$1/group" KILL
  await "$1/code" 3
}
`;

export type RemoteValues = Readonly<Record<string, string>>;

export function remoteScript(run: string, values: RemoteValues, body: string): string {
  const given = Object.entries({ run, ...values }).map(([name, value]) => `${name}=${shellQuote(value)}`);
  return ['main() {', ...given, COMMON, body, '}', 'main', ''].join('\n');
}

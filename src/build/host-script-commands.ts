// SPDX-License-Identifier: Apache-2.0
/** The commands of a script for another machine: POSIX shell, as macOS and Debian have it. The plan's words come after them. */

export const HOST_SCRIPT_COMMANDS = String.raw`#!/bin/sh
# Builds one version of an app from its published source, on a machine that fits the plan at the end of this file.
#   sh FILE check   only says whether this machine fits
#   sh FILE [DIR]   builds; logs and outputs go to DIR, which must not exist (default: samesource-out)
# The published source runs with your rights: take an account or a virtual machine that you can throw away.
# shellcheck disable=SC2016 # the steps are words of this script; the shell that runs them expands what is in them
set -eu
umask 022
unset CDPATH
export GIT_TERMINAL_PROMPT=0 LC_ALL=C

say() { printf '%s\n' "-- $1" >&2; }
stop() { printf 'stop [%s] %s\n' "$1" "$2" >&2; exit "$3"; }
unfit=
lacks() { printf 'lacks [%s] %s\n' "$1" "$2" >&2; unfit=yes; }

sha256() {
  if command -v sha256sum > /dev/null; then sha256sum -- "$@"; else shasum -a 256 -- "$@"; fi
}

plan() { say "$1 $2, by the recipe with SHA-256 $3"; }

need_system() {
  found=$(uname -s)
  [ "$found" = "$1" ] || stop host-differs "the plan is for $1, this is $found" 75
}

need_architecture() {
  found=$(uname -m)
  [ "$found" = "$1" ] || lacks host-differs "the plan is for $1, this is $found"
}

need_os_version() {
  if command -v sw_vers > /dev/null; then found=$(sw_vers -productVersion)
  else found=$(sed -n 's/^VERSION_ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release); fi
  case $found in
    "$1" | "$1".*) ;;
    *) lacks host-differs "the plan is for version $1 of the system, this is $found" ;;
  esac
}

need_tool() { command -v "$1" > /dev/null || lacks missing-tool "$1 is not installed"; }

need_xcode() {
  if ! found=$(xcodebuild -version 2> /dev/null); then
    lacks missing-tool "Xcode $1 is not installed, or not selected (xcode-select -s, DEVELOPER_DIR)"
    return 0
  fi
  found_version=$(printf '%s\n' "$found" | sed -n 's/^Xcode //p')
  found_build=$(printf '%s\n' "$found" | sed -n 's/^Build version //p')
  [ "$found_version" = "$1" ] || lacks host-differs "the plan is for Xcode $1, selected is $found_version"
  [ -z "$2" ] || [ "$found_build" = "$2" ] || lacks host-differs "the plan is for build $2 of Xcode, selected is $found_build"
}

# The path of the tree can be part of what is built.
need_directory() {
  directory=$1
  above=$(dirname "$directory")
  if [ -e "$directory" ] || [ -L "$directory" ]; then lacks directory-taken "$directory exists: move it away"; fi
  if ! [ -d "$above" ] || ! [ -w "$above" ]; then
    lacks directory-not-writable "$above must be a directory that you can write to"
    return 0
  fi
  free=$(df -Pk "$above" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge "$2" ] || lacks disk-full "$2 MiB are needed in $above, $free are free"
}

checked() {
  [ -z "$unfit" ] || stop host-differs 'this machine does not fit the plan' 75
  say 'this machine fits the plan'
  if [ "\${1:-}" = check ]; then exit 0; fi
  out=\${1:-samesource-out}
  mkdir -- "$out" || stop directory-taken "$out cannot be made" 75
  out=$(cd -- "$out" && pwd)
  if [ "$(id -u)" = 0 ]; then say 'you are root: the published source may do anything to this machine'; fi
}

in_source() { git -C "$directory" -c advice.detachedHead=false -c protocol.ext.allow=never "$@"; }

fetch_source() {
  repository=$1 commit=$2 ref=$3
  say "fetching $repository"
  git -c protocol.ext.allow=never clone --quiet --no-checkout -- "$repository" "$directory" ||
    stop network "$repository could not be fetched" 75
  in_source cat-file -e "$commit^{commit}" || stop source-missing "$repository has no commit $commit" 2
  # hosting services serve commits of forks under the upstream address
  leads=$(in_source for-each-ref --count=1 --contains "$commit" --format='%(refname)' refs/remotes refs/tags)
  [ -n "$leads" ] || stop source-untrusted "no branch or tag of $repository leads to $commit" 2
  if [ -n "$ref" ] && named=$(in_source rev-parse --verify --quiet "refs/tags/$ref^{commit}"); then
    [ "$named" = "$commit" ] || stop source-untrusted "the tag $ref is $named, and was $commit" 2
  fi
  in_source checkout --quiet --detach "$commit"
}

fetch_submodules() {
  say 'fetching submodules'
  in_source submodule --quiet update --init --recursive || stop network 'a submodule could not be fetched' 75
}

fetch_lfs() { in_source lfs pull || stop network 'files of Git LFS could not be fetched' 75; }

check_source() {
  [ "$(in_source rev-parse HEAD)" = "$commit" ] || stop source-untrusted "the tree is not that of $commit" 2
  [ -z "$(in_source status --porcelain)" ] || stop source-untrusted 'the tree has other files than the commit' 2
  say "the source is commit $commit"
}

# One file of the source, a pattern with one group, and what it must capture.
source_says() {
  if [ -L "$directory/$1" ] || ! [ -f "$directory/$1" ]; then
    stop source-untrusted "$1 ($4) is not in the source" 2
  fi
  found=$(perl -0777 -ne 'BEGIN { $pattern = shift } print $1 if /$pattern/m' "$2" "$directory/$1")
  [ "$found" = "$3" ] || stop source-untrusted "$1 says $4 $found, the plan says $3" 2
}

# The tree as the plan's phases see it, where they do not read their own history.
without_history() { find "$directory" -name .git -prune -exec rm -rf {} +; }

epoch() { epoch=$1; }
epoch_of_commit() { epoch=$(in_source log -1 --format=%ct); }

# A name, a script, and the variables that it sees.
step() {
  name=$1 script=$2
  shift 2
  [ -z "$epoch" ] || set -- "SOURCE_DATE_EPOCH=$epoch" "$@"
  say "$name begins; its log is $out/$name.log"
  set -- HOME="$HOME" USER="$(id -un)" PATH="$PATH" TMPDIR="\${TMPDIR:-/tmp}" "$@"
  (cd -- "$directory" && env -i "$@" /bin/sh -eu -c "$script") < /dev/null > "$out/$name.log" 2>&1 || {
    code=$?
    tail -n 20 "$out/$name.log" >&2
    stop step-failed "$name ended with exit code $code" 1
  }
}

output() {
  from=$directory/\${2%/}
  if [ -L "$from" ] || ! [ -e "$from" ]; then stop output-missing "the build made no $2 ($1)" 1; fi
  cp -RP -- "$from" "$out/"
  say "$1: $out/$(basename "$from")"
  find "$out/$(basename "$from")" -type f | sort | while IFS= read -r file; do sha256 "$file"; done
}

# Its name in the channel, its path in the source tree, and options.
compare() {
  published=$1 from=$2
  shift 2
  say "compare it with $published as users get it, where samesource is installed:"
  printf 'verify compare %s %s' "$published" "$(basename "$from")"
  [ "$#" = 0 ] || printf ' %s' "$@"
  printf '\n'
}
`.replaceAll('\\${', '${');

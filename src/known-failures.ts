// SPDX-License-Identifier: Apache-2.0
/**
 * Lines of build logs that people have met before: what happened, and what to try. For people alone: none of them decides
 * a verdict or a class of failure, which `build/log-signs.ts` does. Where a row names a `sign`, that file says which lines
 * it is. Patterns are tested against hostile lines: every repetition in them is bounded or of one kind of character.
 */

/** What `build/log-signs.ts` tells apart. */
export type FailureSign =
  'disk-full' | 'out-of-memory' | 'unreachable' | 'untrusted' | 'limited' | 'server-error' | 'gone';

export interface KnownFailure {
  readonly on: RegExp | { readonly sign: FailureSign };
  /** Clause in the past tense. */
  readonly happened: string;
  /** Clause for whoever runs the build. */
  readonly advice: string;
  /** Lines below it in which the program says more. */
  readonly below?: number;
  /** Also printed by builds that go on: told only near the end, after what says more. */
  readonly general?: true;
}

/** In the order in which they are told. */
export const KNOWN_FAILURES = {
  'jdk-toolchain': {
    on: /No matching toolchains found for requested specification|Cannot find a Java installation on (?:your|this) machine|No locally installed toolchains match|Unable to download toolchain matching/,
    happened: 'Gradle found no JDK of the version that the build asks for',
    advice: 'name an image with that JDK, or install it in the prepare phase',
  },
  'wrong-jdk': {
    on: /requires Java \d{1,3}(?:\.\d)? to run\. You are currently using|requires at least JVM runtime version|Unsupported class file major version|class file has wrong version|UnsupportedClassVersionError|error: invalid (?:source|target) release|Could not determine java version from/,
    happened: 'the build ran with another version of Java than it is made for',
    advice: 'set JAVA_HOME to the JDK that the makers name, and check the image for it',
  },
  'sdk-licence': {
    on: /some licen[cs]es have not been accepted|have not accepted the licen[cs]e agreements|License for package .{1,200} not accepted/,
    happened: 'a licence of the Android SDK was not accepted in this environment',
    advice: 'accept it in the prepare phase (`yes | sdkmanager --licenses`), or install the package there',
  },
  'sdk-missing': {
    on: /SDK location not found|ANDROID_(?:HOME|SDK_ROOT) (?:is not set|environment variable)|Failed to find target with hash string|Failed to find Build Tools revision|Failed to find Platform SDK/,
    happened: 'the Android SDK, or a package of it, was not in this environment',
    advice: 'install the package in the prepare phase and set ANDROID_HOME',
  },
  'ndk-missing': {
    on: /No version of NDK matched the requested version|NDK (?:is not|not) (?:configured|installed)|Preferred NDK version is/,
    happened: 'the NDK that the build asks for was not in this environment',
    advice: 'install that very version in the prepare phase: another one makes other bytes',
  },
  'makers-file-missing': {
    on: /File google-services\.json is missing|Keystore file '.{1,300}' not found for signing config/,
    happened: 'the build asked for a file that the makers keep to themselves',
    advice:
      'look how the makers tell others to build (a stand-in, another flavour), and add it in the recipe',
  },
  'checksum-mismatch': {
    on: /Dependency verification failed|Verification of Gradle distribution failed|Checksum failed for|Hash Sum mismatch|\bEINTEGRITY\b|integrity checksum failed|DO NOT MATCH THE HASHES|SECURITY ERROR|checksum for `.{1,200}` changed between lock files|(?:WARNING: )?\d{1,6} computed checksums? did NOT match|hash mismatch in (?:fixed-output|file downloaded)/,
    happened: 'a file that was fetched had another checksum than was written down for it',
    advice:
      'fetch it again; if it stays, the file was replaced upstream: compare both, and say so before changing any checksum',
  },
  'lfs-pointer': {
    on: /git-lfs\.github\.com\/spec\/v1|Git LFS, but 'git-lfs' was not found|Smudge error: Error downloading|over its (?:data|LFS) quota|Pointer file error/,
    happened: 'a pointer of Git LFS was in the place of the file itself',
    advice: 'set `lfs: true` for the source in the recipe',
  },
  'submodule-missing': {
    on: /does not contain a CMakeLists\.txt file|which is not an existing directory|No url found for submodule path|Did you forget to (?:run )?.{0,20}git submodule|[Mm]issing \S{1,80} submodule|git submodule update --init/,
    happened: 'a directory of the source was empty, as a submodule is that was not fetched',
    advice: 'set `submodules: true` for the source in the recipe',
  },
  'git-owner': {
    on: /detected dubious ownership in repository/,
    happened: 'git refused the source tree, which another user owns',
    advice: 'run both phases as one user, or `git config --global --add safe.directory "$PWD"` first',
  },
  'git-history': {
    on: /fatal: No names found, cannot describe|fatal: No tags can describe|fatal: not a git repository/,
    happened: 'the build asked git for tags or history, and there were none',
    advice: 'set `fullHistory: true` for the source in the recipe',
  },
  'suite-gone': {
    on: /The repository '.{1,300}' (?:does not have|no longer has) a Release file/,
    happened: 'a suite of packages is no longer where the build looks for it',
    advice: 'take it from the archive of old releases or a dated snapshot (`fallbacks` in the recipe)',
  },
  'suite-expired': {
    on: /Release file for .{1,300} (?:is expired|is not valid yet)/,
    happened: 'the index of a dated archive has expired, as all of them do',
    advice: 'let apt take it (`-o Acquire::Check-Valid-Until=false`): its signature is still checked',
  },
  'package-version-gone': {
    on: /E: Version '.{1,200}' for '.{1,200}' was not found|E: Unable to locate package|E: Package '.{1,200}' has no installation candidate/,
    happened: 'a package, or this version of it, is not in the archive that was asked',
    advice: 'name a dated snapshot of the archive that has it',
  },
  'packages-unmet': {
    on: /[Uu]nmet build dependencies: |The following packages have unmet dependencies/,
    happened: 'packages that the build needs were not installed',
    advice: 'install them in the prepare phase; with several archives, check that they are of one release',
  },
  'dependency-gone': {
    on: /Could not find [\w.-]{1,200}:[\w.-]{1,200}:[\w.+-]{1,100}\.?$|Could not find artifact \S{1,300} in /,
    happened: 'none of the repositories that the build names has a dependency of it',
    advice: 'look where it went (jcenter, for one, is closed), and add a mirror that has the same bytes',
  },
  offline: {
    on: /No cached version (?:listing )?(?:of|for) .{1,300} available for offline mode|No cached version available for offline mode|\bENOTCACHED\b|can't find crate in the (?:offline|local) (?:mode|registry)|attempting to make an HTTP request, but --(?:frozen|offline) was specified/,
    happened:
      'the build phase, which has no network, asked for something that the prepare phase did not fetch',
    advice: 'fetch it in the prepare phase, by running the same task there once',
  },
  'rust-version': {
    on: /requires rustc [\d.]{1,20}(?: or newer|,)|is not installed for the toolchain|error: toolchain '.{1,100}' is not installed/,
    happened: 'the Rust of this environment was not the one that the build is made for',
    advice: 'install the version of rust-toolchain, or of the makers’ own image',
  },
  'node-version': {
    on: /digital envelope routines::unsupported|npm (?:ERR!|error) code EBADENGINE|The engine "node" is incompatible|Unsupported engine .{0,80}node/,
    happened: 'the Node.js of this environment was not one that the build is made for',
    advice: 'install the version of .nvmrc, or of the makers’ own image',
  },
  'libc-version': {
    on: /version `(?:GLIBC|GLIBCXX|CXXABI)_[\d.]{1,20}' not found/,
    happened: 'a program was made for a newer system than this image',
    advice: 'take a newer image, or an older release of that program',
  },
  'other-processor': {
    on: /[Ee]xec format error|rosetta error|cannot execute binary file/,
    happened: 'a program was made for another processor than this machine has',
    advice: 'build on a machine of the architecture that the recipe is for',
  },
  'line-ends': {
    on: /(?:bash|sh|python3?)\\r['’]?: No such file|bad interpreter: .{1,80}\^M/,
    happened: 'a script had line ends of Windows',
    advice: 'check out with `core.autocrlf=false`',
  },
  'file-watchers': {
    on: /System limit for number of file watchers reached/,
    happened: 'the machine allows fewer watched files than the build wants',
    advice: 'raise fs.inotify.max_user_watches on the machine',
  },
  'read-only': {
    on: /Read-only file system|\bEROFS\b/,
    happened: 'the build wrote to a place that cannot be written to',
    advice: 'check the disk of the machine, and the path that the line names',
  },
  'rate-limited': {
    on: { sign: 'limited' },
    happened: 'a server answered too often and stopped',
    advice: 'try again later',
  },
  'api-limit': {
    on: /API rate limit exceeded|You have reached your (?:unauthenticated )?pull rate limit|GitHub API limit/,
    happened: 'a server limits how often it answers',
    advice: 'try again later, or from another network',
  },
  'disk-full': {
    on: { sign: 'disk-full' },
    happened: 'the disk was full',
    advice: 'free some space where the engine keeps its containers',
  },
  'out-of-memory': {
    on: { sign: 'out-of-memory' },
    happened: 'memory ran out',
    advice: 'a machine with more memory, or more memoryMiB in the recipe',
  },
  'tls-untrusted': {
    on: { sign: 'untrusted' },
    happened: 'a server’s certificate was not trusted',
    advice:
      'check clock and proxy of the machine; an old image may need newer ca-certificates in the prepare phase',
  },
  'server-error': {
    on: { sign: 'server-error' },
    happened: 'a server had a problem of its own',
    advice: 'try again later',
  },
  unreachable: {
    on: { sign: 'unreachable' },
    happened: 'a server could not be reached',
    advice: 'check that it can be reached from a container on this machine, then run it again',
  },
  gone: {
    on: { sign: 'gone' },
    happened: 'a server said that a file is gone',
    advice: 'look for a copy with the same bytes (`fallbacks` in the recipe)',
  },
  'gradle-failed': {
    on: /^\s{0,4}\* What went wrong:/,
    happened: 'Gradle says what went wrong',
    advice: 'run that task by itself with --stacktrace',
    below: 3,
  },
  'header-missing': {
    on: /fatal error: \S{1,200}: No such file or directory|Package '.{1,100}'(?:, required by '.{1,100}',)? not found|Dependency "?\S{1,100}"? not found|No package '.{1,100}' found|cannot find -l\S|ModuleNotFoundError: No module named/,
    happened: 'a library or module that the build needs was not in this environment',
    advice: 'install it (its development package, for C) in the prepare phase',
    general: true,
  },
  'program-missing': {
    on: /^(?:\S{1,80}: )?(?:line )?\d{1,5}: .{1,100}: (?:command )?not found$|: command not found$|CMake was unable to find a build program|executable file not found in \$PATH/,
    happened: 'a program that the build runs was not in this environment',
    advice: 'install it in the prepare phase',
    general: true,
  },
  'permission-denied': {
    on: /: Permission denied$|\bEACCES\b/,
    happened: 'a file could not be read, written or run by the user of the build',
    advice: 'check the mode of the file in the source, and the user that the recipe names for each phase',
    general: true,
  },
} as const satisfies Record<string, KnownFailure>;

export type KnownFailureId = keyof typeof KNOWN_FAILURES;
export const KNOWN_FAILURE_IDS = Object.keys(KNOWN_FAILURES) as readonly KnownFailureId[];

const table: Readonly<Record<KnownFailureId, KnownFailure>> = KNOWN_FAILURES;

export const knownFailure = (id: KnownFailureId): KnownFailure => table[id];

/** What another version wrote may have rows that this one lacks. */
export const isKnownFailure = <Line extends { readonly id: string }>(
  line: Line,
): line is Line & { readonly id: KnownFailureId } => Object.hasOwn(table, line.id);

/** A line with what its row says. */
export interface ExplainedLine {
  readonly id: KnownFailureId;
  readonly line: string;
  readonly happened: string;
  readonly advice: string;
}

export const explained = (
  lines: readonly { readonly id: string; readonly line: string }[],
): readonly ExplainedLine[] =>
  lines.filter(isKnownFailure).map(({ id, line }) => {
    const { happened, advice } = table[id];
    return { id, line, happened, advice };
  });

/** Longer lines are data. */
const MAX_LINE = 2_000;

/** The row that a line is of. A pattern says more than a sign, so that it comes first. */
export function knownFailureOf(line: string, sign?: FailureSign): KnownFailureId | undefined {
  const text = line.slice(0, MAX_LINE);
  return (
    KNOWN_FAILURE_IDS.find((id) => {
      const { on } = table[id];
      return on instanceof RegExp && on.test(text);
    }) ??
    KNOWN_FAILURE_IDS.find((id) => {
      const { on } = table[id];
      return !(on instanceof RegExp) && on.sign === sign;
    })
  );
}

// SPDX-License-Identifier: Apache-2.0
/** A line of a real log for each known failure, and where somebody posted it; the archive has another name of its here. */
import type { KnownFailureId } from '../../src/known-failures.js';

interface RealLine {
  /** The line, after those before it that it needs. */
  readonly lines: readonly string[];
  readonly source: string;
}

const on = (source: string, ...lines: readonly string[]): RealLine => ({
  lines,
  source: `https://github.com/${source}`,
});

export const REAL_LINES: Readonly<Record<KnownFailureId, RealLine>> = {
  'jdk-toolchain': on(
    'google/oss-rebuild/issues/880',
    '   > No matching toolchains found for requested specification: {languageVersion=17, vendor=any, implementation=vendor-specific} for LINUX on x86_64.',
  ),
  'wrong-jdk': on(
    'obytes/react-native-template-obytes/issues/372',
    '   > Android Gradle plugin requires Java 17 to run. You are currently using Java 11.',
  ),
  'sdk-licence': on(
    'jitpack/jitpack.io/issues/3695',
    '> Failed to install the following Android SDK packages as some licences have not been accepted.',
  ),
  'sdk-missing': on(
    'inspireui/support/issues/441',
    '> SDK location not found. Define location with sdk.dir in the local.properties file or with an ANDROID_HOME environment variable.',
  ),
  'ndk-missing': on(
    'actions/runner-images/issues/1413',
    '> No version of NDK matched the requested version 21.0.6113669. Versions available locally: 21.3.6528147, 21.3.6528147',
  ),
  'makers-file-missing': on(
    'natuanorg/FirebasePaginator/issues/4',
    '> File google-services.json is missing. The Google Services Plugin cannot function without it. ',
  ),
  'checksum-mismatch': on(
    'gradle/gradle/issues/11663',
    "> Dependency verification failed for configuration ':src:dist:compileClasspath':",
  ),
  'lfs-pointer': on(
    'moonshine-ai/moonshine/issues/195',
    '    1 | version https://git-lfs.github.com/spec/v1',
  ),
  'submodule-missing': on(
    'dev-0x7C6/fdt-viewer/issues/4',
    'CMake Error at src/CMakeLists.txt:3 (add_subdirectory):',
    '  does not contain a CMakeLists.txt file.',
  ),
  'git-owner': on(
    'Tripouille/libftTester/pull/46',
    "fatal: detected dubious ownership in repository at '/project/libftTester' To add an exception for this directory, call:",
  ),
  'git-history': on(
    'flux-framework/flux-core/issues/534',
    'fatal: No names found, cannot describe anything.',
  ),
  'suite-gone': on(
    'oakestra/oakestra/issues/437',
    "0.158 E: The repository 'http://ftp.debian.org/debian buster Release' does not have a Release file.",
  ),
  'suite-expired': on(
    'debuerreotype/debuerreotype/issues/201',
    'E: Release file for http://snapshot.debian.org/archive/debian/20260901T000000Z/dists/trixie-updates/InRelease is expired (invalid since 7d 4h 24min 54s). Updates for this repository will not be applied.',
  ),
  'package-version-gone': on(
    'CM2Walki/steamcmd/issues/23',
    "E: Version '20190110' for 'ca-certificates' was not found",
  ),
  'packages-unmet': on(
    'pop-os/system76-power/issues/449',
    'dpkg-checkbuilddeps: error: Unmet build dependencies: dh-sequence-dkms',
  ),
  'dependency-gone': on(
    'keymanapp/keyman/issues/12260',
    '   > Could not find com.stepstone.stepper:material-stepper:4.3.1.',
  ),
  offline: on(
    'android/uamp/issues/419',
    '> No cached version of com.google.gms:google-services:4.3.4 available for offline mode.',
  ),
  'rust-version': on(
    'rust-build/rust-build.action/issues/100',
    'error: package `bitstream-io v2.5.3` cannot be built because it requires rustc 1.79 or newer, while the currently active rustc version is 1.76.0',
  ),
  'node-version': on(
    'NiceneNerd/BCML/issues/462',
    'Error: error:0308010C:digital envelope routines::unsupported',
  ),
  'libc-version': on(
    'mkst/sm64-port/issues/92',
    "tools/textconv: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by tools/textconv)",
  ),
  'other-processor': on('mingchen/docker-android-build-box/issues/90', 'exec /bin/bash: exec format error'),
  'line-ends': on('brown-uk/dict_uk/issues/269', "/usr/bin/env: 'sh\\r': No such file or directory"),
  'file-watchers': on(
    'nodejs/docker-node/issues/1810',
    "[1] [0] Error: ENOSPC: System limit for number of file watchers reached, watch '/home/node/gb/src/packages/editor/node_modules/date-fns/esm/millisecondsToSeconds'",
  ),
  'read-only': on(
    'rustdesk/rustdesk/issues/2552',
    "mkdir: cannot create directory 'target': Read-only file system",
  ),
  'rate-limited': on('php/frankenphp/issues/1386', 'Too Many Requests - Server message: toomanyrequests: '),
  'api-limit': on(
    'cartographer-project/cartographer/issues/1012',
    'ADD failed: failed to GET https://api.github.com/repos/googlecartographer/cartographer_ros/git/refs/heads/master with status 403 Forbidden: {"message":"API rate limit exceeded for 35.188.1.99. (But here\'s the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)","documentation_url":"https://developer.github.com/v3/#rate-limiting"}',
  ),
  'disk-full': on(
    'mingchen/docker-android-build-box/issues/102',
    '#19 43.74 Warning: An error occurred while preparing SDK package NDK (Side by side) 25.2.9519653: No space left on device.',
  ),
  'out-of-memory': on('apache/eventmesh/issues/2229', 'java.lang.OutOfMemoryError: Java heap space'),
  'tls-untrusted': on(
    'NixOS/nixpkgs/pull/414701',
    '                  > PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target',
  ),
  'server-error': on(
    'wolfgang42/vagrant-deb/issues/19',
    'Err:10 https://vagrant-deb.linestarve.com any InRelease',
    '  503  Service Temporarily Unavailable [IP: 199.38.183.38 443]',
  ),
  unreachable: on('ubiquiti/docker-compose-aarch64/issues/8', 'curl: (6) Could not resolve host: github.com'),
  gone: on(
    'Tecnativa/doodba/issues/669',
    'Err:5 http://ftp.debian.org/debian buster Release',
    '  404  Not Found [IP: 151.101.130.132 80]',
  ),
  'gradle-failed': on('pr0gramm-com/pr0gramm-app/pull/265', ' * What went wrong:'),
  'header-missing': on(
    'yshui/picom/pull/311',
    'src/meson.build:27:1: ERROR: Dependency "x11-xcb" not found, tried pkgconfig and cmake',
  ),
  'program-missing': on('Netflix/conductor/issues/3393', '/bin/sh: 1: ./gradlew: not found'),
  'permission-denied': on('Netflix/conductor/issues/1736', '/bin/sh: 1: ./gradlew: Permission denied'),
};

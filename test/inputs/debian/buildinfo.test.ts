// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { FormatError } from '../../../src/errors.js';
import {
  buildDependencyDrift,
  buildInfoFacts,
  clearSignedText,
  driftDeviations,
  parseBuildInfo,
  withBuildInfo,
} from '../../../src/inputs/debian/buildinfo.js';

const digest = 'ab'.repeat(32);
const plain = `Format: 1.0
Source: weechat
Binary: weechat weechat-core
Architecture: amd64 all
Version: 3.8-1
Checksums-Md5:
 0176aedf3ea0dc74d54fc48d2fbad05b 3073 weechat_3.8-1_all.deb
Checksums-Sha256:
 ${digest} 69920 weechat_3.8-1_all.deb
Build-Origin: Debian
Build-Architecture: amd64
Build-Date: Sun, 08 Jan 2023 10:00:00 +0000
Build-Path: /build/weechat-3.8
Installed-Build-Depends:
 autoconf (= 2.71-3),
 gcc-12 (= 12.2.0-14),
 libc6:i386 (= 2.36-8),
 zlib1g (= 1:1.2.13.dfsg-1)
Environment:
 DEB_BUILD_OPTIONS="parallel=4"
 LANG="C.UTF-8"
 QUOTED="a \\"b\\" \\\\ c"
`;

test('environment, packages, checksums and build path are read', (t) => {
  const info = parseBuildInfo(Buffer.from(plain));
  t.like(info, {
    source: 'weechat',
    version: '3.8-1',
    buildArchitecture: 'amd64',
    buildPath: '/build/weechat-3.8',
  });
  t.deepEqual(info.installed, [
    { name: 'autoconf', version: '2.71-3' },
    { name: 'gcc-12', version: '12.2.0-14' },
    { name: 'libc6', version: '2.36-8', architecture: 'i386' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1' },
  ]);
  t.deepEqual(info.environment, {
    DEB_BUILD_OPTIONS: 'parallel=4',
    LANG: 'C.UTF-8',
    QUOTED: String.raw`a "b" \ c`,
  });
  t.deepEqual(info.checksums, [{ name: 'weechat_3.8-1_all.deb', size: 69920, sha256: digest }]);
});

test('a clear-signed file says the same, with dashes unescaped', (t) => {
  const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${plain}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n`;
  const { sha256: one, ...inner } = parseBuildInfo(Buffer.from(signed));
  const { sha256: other, ...bare } = parseBuildInfo(Buffer.from(plain));
  t.deepEqual(inner, bare);
  t.not(one, other);
  t.is(
    clearSignedText(
      '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -a\nb\n-----BEGIN PGP SIGNATURE-----\n',
    ),
    '-a\nb\n',
  );
});

const refuses = test.macro({
  exec(t, text: string, code: string) {
    t.is(t.throws(() => parseBuildInfo(Buffer.from(text)), { instanceOf: FormatError }).code, code);
  },
  title: (given) => `${given} is refused`,
});
test(
  'a file without build dependencies',
  refuses,
  'Source: a\nVersion: 1\nBuild-Architecture: amd64\n',
  'buildinfo/missing-field',
);
test(
  'a dependency without an exact version',
  refuses,
  plain.replace('(= 2.71-3)', '(>= 2.71-3)'),
  'buildinfo/bad-dependency',
);
test(
  'a variable without quotes',
  refuses,
  plain.replace('"C.UTF-8"', 'C.UTF-8'),
  'buildinfo/bad-environment',
);
test(
  'a checksum of a path',
  refuses,
  plain.replace(`${digest} 69920 weechat`, `${digest} 69920 ../weechat`),
  'buildinfo/bad-checksum',
);
test(
  'a signature frame without an end',
  refuses,
  '-----BEGIN PGP SIGNED MESSAGE-----\n\nSource: a\n',
  'buildinfo/bad-signature-frame',
);
test('something else', refuses, '\u007fELF', 'deb822/bad-line');

test('drift names both versions, absent packages, and nothing that agrees', (t) => {
  const info = parseBuildInfo(Buffer.from(plain));
  const drifts = buildDependencyDrift(info, [
    { name: 'autoconf', version: '2.71-3', architecture: 'all' },
    { name: 'gcc-12', version: '12.2.0-14+deb12u1', architecture: 'amd64' },
    { name: 'zlib1g', version: '1:1.2.11', architecture: 'i386' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1', architecture: 'amd64' },
    { name: 'unrelated', version: '1', architecture: 'amd64' },
  ]);
  t.deepEqual(drifts, [
    { package: 'gcc-12', published: '12.2.0-14', here: '12.2.0-14+deb12u1' },
    { package: 'libc6', published: '2.36-8' },
  ]);
  const deviations = driftDeviations(drifts);
  t.deepEqual(
    deviations.map(({ code, canChangeOutput }) => [code, canChangeOutput]),
    [
      ['build-dependency-drift', 'unknown'],
      ['build-dependency-drift', 'unknown'],
    ],
  );
  t.regex(deviations[0]?.what ?? '', /12\.2\.0-14\+deb12u1 here, 12\.2\.0-14 in/);
});

test('what the file answers takes the place of what a recipe could only call unknown', (t) => {
  const info = parseBuildInfo(Buffer.from(plain));
  const unknown = { what: 'w', reason: 'r', canChangeOutput: 'unknown' } as const;
  const planned = ['build-dependencies', 'build-path', 'synthesized-image'].map((code) => ({
    code,
    ...unknown,
  }));
  const packages = [
    { name: 'autoconf', version: '2.71-3', architecture: 'all' },
    { name: 'gcc-12', version: '12.2.0-14+deb12u1', architecture: 'amd64' },
    { name: 'libc6', version: '2.36-8', architecture: 'i386' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1', architecture: 'amd64' },
  ];
  const here = withBuildInfo(planned, info, { packages, directory: '/build/weechat-3.8' });
  t.deepEqual(
    here.map((deviation) => deviation.code),
    ['synthesized-image', 'build-dependency-drift'],
  );
  t.regex(here[1]?.what ?? '', /gcc-12 12\.2\.0-14\+deb12u1 here, 12\.2\.0-14 in the \.buildinfo/);
  const elsewhere = withBuildInfo(planned, info, { packages, directory: '/build/other' });
  t.true(
    elsewhere.some(({ code, what }) => code === 'build-path-drift' && what.includes('/build/weechat-3.8')),
  );
});

test('its claims are told as facts of its own', (t) => {
  const facts = buildInfoFacts(parseBuildInfo(Buffer.from(plain)));
  t.true(facts.every(({ file, from }) => file === 'weechat_3.8-1.buildinfo' && from === 'buildinfo'));
  t.true(facts.some(({ fact }) => fact === 'built in /build/weechat-3.8'));
  t.true(facts.some(({ fact }) => fact === 'environment DEB_BUILD_OPTIONS=parallel=4'));
});

// SPDX-License-Identifier: Apache-2.0
/**
 * Metadata of messengers in the formats of others: the facts (commits, codes, flavours, steps by their kind) are those of the
 * files that are named, read on 2026-11-29; the files themselves are written here.
 */
import { stringify } from 'yaml';

type Facts = Readonly<Record<string, unknown>>;

/** Of fdroiddata at 9431871c. */
export const FDROID: Readonly<Record<string, Facts>> = {
  'eu.siacs.conversations': {
    AutoName: 'Conversations',
    License: 'GPL-3.0-only',
    RepoType: 'git',
    Repo: 'https://codeberg.org/iNPUTmice/Conversations.git',
    Builds: [
      { versionName: '0.2.1', versionCode: 12, commit: '0.2.1', srclibs: ['BouncyCastle@r1rv50'] },
      ...['armeabi-v7a', 'x86', 'x86_64', 'arm64-v8a'].map((abi, i) => ({
        versionName: '2.20.1+free',
        versionCode: 4217801 + i,
        commit: '78de3f7cdbb313eddad11d6fc78eb8cb76f34972',
        gradle: ['conversations', 'free'],
        output: `build/outputs/apk/conversationsFree/release/*-conversations-free-${abi}-release-unsigned.apk`,
        prebuild: "sed -i -e 's/Apk true/Apk false/' build.gradle",
        ndk: 'r28c',
      })),
    ],
    AutoUpdateMode: 'Version',
    UpdateCheckMode: 'Tags ^[0-9.]+$',
    VercodeOperation: ['100 * %c + 1', '100 * %c + 2', '100 * %c + 3', '100 * %c + 4'],
    CurrentVersion: '2.20.1+free',
  },
  'io.element.android.x': {
    AutoName: 'Element X',
    WebSite: 'https://element.io/',
    RepoType: 'git',
    Repo: 'https://github.com/element-hq/element-x-android.git',
    Builds: [
      ['26.08.0', 'a598ff263f2de7eb4802c89c7391e7ca7b92bf89', 202608004],
      ['26.08.1', 'cfc1e8e5e9b9a57811ffe1a6390560f8a3238b6d', 202608014],
    ].map(([versionName, commit, versionCode]) => ({
      versionName,
      versionCode,
      commit,
      subdir: 'app',
      output: 'build/outputs/apk/fdroid/release/app-fdroid-x86_64-release-unsigned.apk',
      binary:
        'https://github.com/element-hq/element-x-android/releases/download/v%v/app-fdroid-x86_64-release-signed.apk',
      srclibs: ['reproducible-apk-tools@v0.3.0'],
      rm: ['libraries/pushproviders/firebase'],
      prebuild: ["sed -i -e '/gms/d' ../build.gradle.kts"],
      scandelete: ['plugins'],
      build: 'gradle clean assembleFdroidRelease',
      ndk: 'r28c',
      postbuild: "$$reproducible-apk-tools$$/inplace-fix.py fix-pg-map-id $$OUT$$ '0000000'",
    })),
    AllowedAPKSigningKeys: '6a2fdc3148049ce0d5c6e85010723b83fb207d20c7477f5c22ac53c877e92d47',
    AutoUpdateMode: 'Version v%v',
    UpdateCheckMode: 'HTTP',
    UpdateCheckData: 'https://api.github.com/x|"name": "(\\d+)|.|"tag_name":"v(\\d+\\.\\d+\\.\\d+)"',
  },
  'ch.threema.app.libre': {
    AutoName: 'Threema Libre',
    RepoType: 'git',
    Repo: 'https://github.com/threema-ch/threema-android.git',
    Binaries: 'https://releases.threema.ch/fdroid/repo/ch.threema.app.libre-%v.apk',
    Builds: [
      {
        versionName: '6.5.1l',
        versionCode: 1210,
        commit: 'e691e8e754e6c1055be3561b32d1f4a83b473899',
        subdir: 'app',
        sudo: ['apt-get update', 'apt-get install -y protobuf-compiler unzip gcc libc-dev rustup'],
        gradle: ['libre'],
        rm: ['.git', 'app/libs/*'],
        prebuild: ['rustup default 1.85'],
        build: ['mv jna/jni/* libs'],
        ndk: 'r28c',
      },
    ],
    AllowedAPKSigningKeys: '0508b53ff102b538919c834e9e6b6afba046edf67e17ca4d1ce7a4b9c3823741',
    AutoUpdateMode: 'Version +l %v',
    UpdateCheckMode: 'Tags',
    UpdateCheckData: 'app/build.gradle.kts|defaultVersionCode = (\\d+)|.|appVersion = "([\\d.]+)"',
  },
  'com.b44t.messenger': {
    AutoName: 'Delta Chat',
    RepoType: 'git',
    Repo: 'https://github.com/deltachat/deltachat-android.git',
    Builds: [
      {
        versionName: '2.59.0',
        versionCode: 7564,
        commit: 'd82118cedbde920aa95d925aa50d9088b8ca2233',
        timeout: 20000,
        submodules: true,
        sudo: ['apt-get update', 'apt-get install -y make g++ cmake rustup'],
        gradle: ['foss'],
        prebuild: "sed -i -e '/versionCode/s/$/4/' build.gradle",
        scandelete: ['jni/deltachat-core-rust'],
        build: ['ANDROID_NDK_ROOT=$$NDK$$ scripts/ndk-make.sh x86_64'],
        ndk: 'r27',
      },
    ],
    AutoUpdateMode: 'Version',
    UpdateCheckMode: 'Tags ^v[\\d.]+$',
    VercodeOperation: ['10 * %c + 4'],
  },
  'org.telegram.messenger': {
    AutoName: 'Telegram FOSS',
    RepoType: 'git',
    Repo: 'https://github.com/Telegram-FOSS-Team/Telegram-FOSS.git',
    Builds: [
      ['10.12.0', 'v10.12.0', 47109],
      ['10.14.3', 'v10.14.3', 49279],
    ].map(([versionName, commit, versionCode]) => ({
      versionName,
      versionCode,
      commit,
      subdir: 'TMessagesProj_App',
      submodules: true,
      sudo: ['apt-get install -y cmake golang-go libuv1 make ninja-build yasm'],
      gradle: ['afat'],
      rm: ['TMessagesProj/jni/ffmpeg/tests/ref/fate/sub-microdvd-remux'],
      prebuild: 'echo $$VERCODE$$ > API_KEYS',
      scandelete: ['TMessagesProj/jni'],
      build: ['export NDK=$$NDK$$', 'pushd ../TMessagesProj/jni', './build_ffmpeg_clang.sh', 'popd'],
      ndk: '21.4.7075529',
    })),
    ArchivePolicy: 0,
    AutoUpdateMode: 'None',
    UpdateCheckMode: 'None',
  },
  'com.wire': {
    AutoName: 'Wire',
    RepoType: 'git',
    Repo: 'https://github.com/wireapp/wire-android.git',
    Builds: [
      {
        versionName: '4.31.1',
        versionCode: 100224337,
        commit: '0a9c4e6991f2116ea818600348bb8fd5b7587ab3',
        timeout: 14400,
        subdir: 'app',
        submodules: true,
        gradle: ['fdroid'],
        prebuild: [
          'cd ..',
          'printf "VersionCode: $$VERCODE$$\\nVersionName: $$VERSION$$\\n" > app/version.txt',
        ],
        ndk: 'r27b',
        gradleprops: ['isFDroidRelease=true'],
      },
    ],
    AutoUpdateMode: 'Version v%v',
    UpdateCheckMode: 'HTTP',
  },
  'chat.fluffy.fluffychat': {
    AutoName: 'FluffyChat',
    RepoType: 'git',
    Repo: 'https://github.com/krille-chan/fluffychat.git',
    Builds: [
      {
        versionName: '2.8.0',
        versionCode: 3558,
        commit: '518b0d9299dc87d52e8221dd8b240b2fbecd751a',
        sudo: ['apt-get install -y ninja-build gcc libc-dev rustup'],
        output: 'build/app/outputs/flutter-apk/app-release.apk',
        srclibs: ['flutter@stable'],
        rm: ['ios', 'web'],
        prebuild: ['$$flutter$$/bin/flutter pub get --enforce-lockfile'],
        scandelete: ['.pub-cache'],
        build: ['$$flutter$$/bin/flutter build apk --release'],
        ndk: 'r28c',
      },
    ],
    AutoUpdateMode: 'Version',
    UpdateCheckMode: 'Tags v\\d+.\\d+.\\d+',
    UpdateCheckData: 'pubspec.yaml|version:\\s.+\\+(\\d+)|.|version:\\s(.+)\\+',
  },
};

const CMDLINE_TOOLS = {
  version: '12.0',
  url: 'https://dl.google.com/android/repository/commandlinetools-linux-11076708_latest.zip',
  sha256: '2d2d50857e4eb553af5a6dc3ad507a17adf43d115264b1afc116f95c92e5e258',
};
const provisioning = (more: Facts = {}): Facts => ({
  android_home: '/opt/sdk',
  build_tools: null,
  cmake: null,
  cmdline_tools: CMDLINE_TOOLS,
  extra_packages: [],
  image: 'debian:bookworm-slim',
  jdk: 'openjdk-17-jdk-headless',
  ndk: null,
  platform: null,
  platform_tools: null,
  tools: null,
  verify_gradle_wrapper: true,
  ...more,
});
const apk = (
  pattern: string,
  url: string,
  build: readonly string[],
  more: Facts = {},
  tools: Facts = {},
): Facts => ({
  apk_pattern: pattern,
  apk_url: url,
  build,
  build_home_dir: '/build',
  build_repo_dir: '/build/repo',
  build_user: 'build',
  ...more,
  provisioning: provisioning(tools),
});

/** Of obfusk/rbtlog: the first two at 5409bcc4, the others as they stood before they were taken out of it. */
export const RBTLOG: Readonly<Record<string, Facts>> = {
  'ch.threema.app.libre': {
    repository: 'https://github.com/threema-ch/threema-android.git',
    updates: 'tags:([\\d.]+)',
    notes: ['FIXME: JARs & AARs & .so'],
    versions: ['5.8.0', '5.8.1'].map((tag) => ({
      tag,
      apks: [
        apk(
          'ch\\.threema\\.app\\.libre-([\\d.]+)l\\.apk',
          'https://releases.threema.ch/fdroid/repo/ch.threema.app.libre-$$TAG:1$$l.apk',
          [
            'export RUSTUP_HOME=/rust/rustup CARGO_HOME=/rust/cargo',
            './gradlew assembleLibreRelease',
            'mv app/build/outputs/apk/libre/release/app-libre-release-unsigned.apk /outputs/unsigned.apk',
          ],
          { build_dirs: ['/rust'] },
          {
            extra_packages: ['build-essential', 'protobuf-compiler', 'python3'],
            image: 'ubuntu:noble',
            ndk: '25.2.9519653',
          },
        ),
      ],
    })),
  },
  'org.fossify.messages': {
    repository: 'https://github.com/FossifyOrg/Messages.git',
    updates: 'releases',
    versions: ['1.1.4', '1.1.5'].map((tag, i) => ({
      tag,
      apks: [
        apk(
          'messages-\\d+-foss-release\\.apk',
          `https://github.com/FossifyOrg/Messages/releases/download/${tag}/messages-${7 + i}-foss-release.apk`,
          [
            './gradlew assembleFossRelease',
            'mv app/build/outputs/apk/foss/release/messages-*-foss-release-unsigned.apk /outputs/unsigned.apk',
          ],
        ),
      ],
    })),
  },
  'org.thoughtcrime.securesms': {
    repository: 'https://github.com/signalapp/Signal-Android.git',
    updates: 'manual',
    versions: [
      {
        tag: 'v7.6.2',
        apks: [
          apk(
            'Signal-Android-website-prod-universal-release-.*\\.apk',
            'https://updates.signal.org/android/Signal-Android-website-prod-universal-release-7.6.2.apk',
            ['./gradlew assembleWebsiteProdRelease', 'mv app/unsigned.apk /outputs/unsigned.apk'],
            {},
            {
              android_home: '/usr/local/android-sdk-linux',
              build_tools: '34.0.0',
              cmake: '3.22.1',
              image: 'ubuntu:jammy',
              ndk: '25.1.8937393',
              platform: 'android-34',
            },
          ),
        ],
      },
    ],
  },
  'org.joinmastodon.android.moshinda': {
    repository: 'https://github.com/LucasGGamerM/moshidon.git',
    updates: 'releases',
    versions: [
      {
        tag: '2.1.4+fork.104.moshinda',
        apks: [
          apk(
            'moshidon-fdroidRelease\\.apk',
            'https://github.com/LucasGGamerM/moshidon/releases/download/$$TAG$$/moshidon-fdroidRelease.apk',
            ['touch local.properties', './gradlew assembleFdroidRelease', 'mv a.apk /outputs/unsigned.apk'],
          ),
        ],
      },
    ],
  },
  'eu.faircode.email': {
    repository: 'https://github.com/M66B/FairEmail.git',
    updates: 'releases',
    notes: ['NB: NonFreeComp', 'FIXME: tag/commit mismatch for 1.2206'],
    versions: ['1.2162', '1.2170'].map((tag) => ({
      tag,
      apks: [
        apk(
          'FairEmail-.*-github-release\\.apk',
          `https://github.com/M66B/FairEmail/releases/download/${tag}/FairEmail-v${tag}a-github-release.apk`,
          [
            "sed -r '/release \\{/,/}/ { /signingConfig/d }' -i app/build.gradle",
            './gradlew assembleGithubRelease',
          ],
        ),
      ],
    })),
  },
};

/** As its project writes it: numbers bare, nothing folded. */
export const asYaml = (facts: Facts): string => stringify(facts, { lineWidth: 0, nullStr: '' });

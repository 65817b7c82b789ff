// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UsageError } from '../../../src/errors.js';
import { importRecipe, type RecipeImport } from '../../../src/operations/import-recipe.js';
import { lintText } from '../../../src/operations/recipes.js';
import { parseRecipe } from '../../../src/recipe/load.js';
import type { Recipe } from '../../../src/recipe/schema.js';
import { asYaml, FDROID } from '../../helpers/foreign-recipes.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

interface Imported extends RecipeImport {
  readonly recipe: Recipe;
  readonly fields: readonly string[];
  readonly script: string;
}

async function imported(
  t: ExecutionContext,
  packageId: string,
  text = asYaml(FDROID[packageId] ?? {}),
  more: {
    readonly srclibs?: Readonly<Record<string, string>>;
    readonly variant?: number;
    readonly versions?: number;
  } = {},
): Promise<Imported> {
  const directory = temporaryDirectory(t);
  for (const name of ['metadata', 'srclibs']) mkdirSync(path.join(directory, name));
  for (const [name, srclib] of Object.entries(more.srclibs ?? {}))
    writeFileSync(path.join(directory, 'srclibs', `${name}.yml`), srclib);
  const file = path.join(directory, 'metadata', `${packageId}.yml`);
  writeFileSync(file, text);
  const { srclibs: _, ...rest } = more;
  const result = await importRecipe({ format: 'fdroiddata', file, ...rest });
  t.deepEqual(lintText(`${result.app}.yaml`, result.text).problems, []);
  const recipe = parseRecipe(`${result.app}.yaml`, result.text);
  return {
    ...result,
    recipe,
    fields: result.todos.map(({ field }) => field),
    script: recipe.builds.at(-1)?.phases.at(-1)?.script ?? '',
  };
}

const TOOLS = 'RepoType: git\nRepo: https://gitlab.com/fdroid/reproducible-apk-tools.git\n';

test('every TODO stands in the recipe with its field', async (t) => {
  for (const packageId of Object.keys(FDROID)) {
    const { text, todos } = await imported(t, packageId);
    const comments = text
      .split('\n')
      .flatMap((line) => (/^\s*# /.test(line) ? [line.replace(/^\s*# ?/, '')] : []));
    t.true(todos.length > 0);
    for (const { field, why } of todos)
      t.true(comments.join(' ').includes(`TODO ${field}: ${why.split(' ')[0] ?? ''}`));
  }
});

test('Conversations: one of four files of a version, commit and code, flavours as one task', async (t) => {
  const { recipe, fields, script, todos, app } = await imported(t, 'eu.siacs.conversations');
  t.is(app, 'eu-siacs-conversations');
  t.like(recipe, {
    title: 'Conversations',
    status: { kind: 'distribution' },
    source: { kind: 'git', repository: 'https://codeberg.org/iNPUTmice/Conversations.git' },
  });
  t.like(recipe.versions.resolve[0], {
    kind: 'pinned',
    versions: [
      { version: '2.20.1+free', commit: '78de3f7cdbb313eddad11d6fc78eb8cb76f34972', build: 4217804 },
    ],
  });
  t.deepEqual(recipe.channels['fdroid']?.acquisition, {
    kind: 'url',
    url: 'https://f-droid.org/repo/eu.siacs.conversations_{build}.apk',
    onlyLatest: false,
  });
  t.regex(script, /gradle 'assembleConversationsFreeRelease'/);
  t.regex(
    script,
    /pick \.\/'build\/outputs\/apk\/conversationsFree\/release\/'\*'-conversations-free-arm64-v8a-release-unsigned\.apk'/,
  );
  t.deepEqual(fields, ['commit', 'versionCode', 'ndk', 'image', 'signers', 'AutoUpdateMode']);
  t.regex(todos[1]?.why ?? '', /4217801, 4217802, 4217803, 4217804/);
  const second = await imported(t, 'eu.siacs.conversations', undefined, { variant: 2 });
  t.regex(second.script, /conversations-free-x86-release-unsigned/);
});

test("Element X: the makers' file, its certificate, its tags; the source of the tools and the step after the build", async (t) => {
  const { recipe, script, fields } = await imported(t, 'io.element.android.x', undefined, {
    srclibs: { 'reproducible-apk-tools': TOOLS },
  });
  t.is(recipe.status.kind, 'reproducible-claimed');
  t.like(recipe.channels['website'], {
    builtBy: 'publisher',
    acquisition: {
      kind: 'url',
      url: 'https://github.com/element-hq/element-x-android/releases/download/v{version}/app-fdroid-x86_64-release-signed.apk',
    },
    signers: [
      {
        sha256: '6a2fdc3148049ce0d5c6e85010723b83fb207d20c7477f5c22ac53c877e92d47',
        statedBy: 'third-party',
      },
    ],
  });
  t.deepEqual(
    recipe.versions.resolve.map((strategy) => (strategy.kind === 'tag' ? strategy.templates : strategy.kind)),
    ['pinned', ['v{version}']],
  );
  // both versions are built alike: one range, which holds for what comes
  t.deepEqual(
    recipe.builds.map(({ versions }) => versions),
    ['>=26.08.0'],
  );
  t.regex(script, /git clone 'https:\/\/gitlab\.com\/fdroid\/reproducible-apk-tools\.git'/);
  t.regex(script, /checkout 'v0\.3\.0'/);
  t.regex(
    script,
    /srclib\/reproducible-apk-tools\/inplace-fix\.py fix-pg-map-id \/home\/vagrant\/build\/outputs\/app\.apk '0000000'/,
  );
  t.deepEqual(fields, ['scandelete', 'ndk', 'image', 'UpdateCheckData']);
});

test('Threema Libre: an address of all versions, packages as root, a suffix that no template can say', async (t) => {
  const { recipe, script, fields } = await imported(t, 'ch.threema.app.libre');
  t.like(recipe.channels['website'], {
    acquisition: {
      kind: 'url',
      url: 'https://releases.threema.ch/fdroid/repo/ch.threema.app.libre-{version}.apk',
    },
    pairs: [{ published: 'ch.threema.app.libre-{version}.apk' }],
  });
  const [prepare] = recipe.builds[0]?.phases ?? [];
  t.like(prepare, { name: 'prepare', user: 'root', network: true });
  t.regex(prepare?.script ?? '', /apt-get install -y protobuf-compiler unzip gcc libc-dev rustup/);
  t.regex(script, /rm -rf -- '\.git'\nrm -rf -- 'app\/libs\/'\*/);
  t.is(recipe.versions.resolve.length, 1);
  t.true(fields.includes('AutoUpdateMode'));
  t.deepEqual(recipe.versions.assertions, []);
});

test('Delta Chat: submodules, time limit, NDK, what the scanner deletes', async (t) => {
  const { recipe, script, fields, todos } = await imported(t, 'com.b44t.messenger');
  t.like(recipe.builds[0], { submodules: true, environment: { minutes: 334, expectedMinutes: 30 } });
  t.regex(script, /ANDROID_NDK_ROOT=\/opt\/android-sdk\/ndk\/r27 scripts\/ndk-make\.sh x86_64/);
  t.regex(script, /'ndk\.dir=\/opt\/android-sdk\/ndk\/r27'/);
  t.true(fields.includes('scandelete'));
  t.regex(todos.find(({ field }) => field === 'scandelete')?.why ?? '', /jni\/deltachat-core-rust/);
});

test('Telegram FOSS: where no build has a commit, the tag of the newest one, whose code is a number', async (t) => {
  const { recipe, script, fields } = await imported(t, 'org.telegram.messenger');
  t.like(recipe.versions.resolve[0], {
    kind: 'release-name',
    releases: [{ name: '10.14.3', tag: 'v10.14.3' }],
  });
  t.like(recipe.channels['fdroid']?.acquisition, {
    url: 'https://f-droid.org/repo/org.telegram.messenger_49279.apk',
  });
  t.regex(script, /echo 49279 > API_KEYS/);
  t.regex(script, /NDK=\/opt\/android-sdk\/ndk\/21\.4\.7075529/);
  t.true(fields.includes('commit'));
});

test('Wire: properties of Gradle, the version in the commands', async (t) => {
  const { script } = await imported(t, 'com.wire');
  t.regex(script, /\(cd 'app' && gradle '-PisFDroidRelease=true' 'assembleFdroidRelease'\)/);
  t.regex(script, /VersionCode: \{build\}\\nVersionName: \{version\}/);
  t.regex(script, />> '\.\/local\.properties'\n.*>> 'app\/local\.properties'/);
});

test('FluffyChat: a source that nobody named ends the build and is told; the version is asserted', async (t) => {
  const without = await imported(t, 'chat.fluffy.fluffychat');
  t.true(without.fields.includes('srclibs'));
  t.regex(without.script, /echo 'TODO: srclib flutter@stable' >&2; exit 1/);
  t.deepEqual(without.recipe.versions.assertions, [
    {
      versions: '*',
      file: 'pubspec.yaml',
      pattern: 'version:\\s(.+)\\+',
      expected: '{version}',
      what: 'version-name',
    },
  ]);
  const flutter =
    'RepoType: git\nRepo: https://github.com/flutter/flutter.git\nPrepare: bin/flutter config\n';
  const { script, fields } = await imported(t, 'chat.fluffy.fluffychat', undefined, { srclibs: { flutter } });
  t.false(fields.includes('srclibs'));
  t.regex(script, /\/home\/vagrant\/build\/srclib\/flutter\/bin\/flutter build apk --release/);
  t.regex(script, /cat > "\$HOME\/srclib_flutter\.sh" <<'END_OF_SRCLIB_FLUTTER'\nbin\/flutter config/);
});

// ---------------------------------------------------------------- the steps that no entry names, as they are run

const GRADLE = `android {
    signingConfigs {
        release {
            storeFile file("a")
            // a comment stays
        }
    }
    buildTypes {
        release {
            signingConfig signingConfigs.release
            minifyEnabled true
        }
        debug { signingConfig = signingConfigs.debug }
    }
    if (x) { android.signingConfigs.release.storeFile = y }
    joined \\
        = 1
}
`;

test('signing configurations go, old outputs and the wrapper go, in F-Droid order, and one file comes out', async (t) => {
  const facts = {
    RepoType: 'git',
    Repo: 'https://example.org/chat.git',
    Builds: [
      {
        versionName: '1.10',
        versionCode: 7,
        commit: 'a'.repeat(40),
        subdir: 'app',
        init: 'echo init >> "$LOG"; cd /; export LEFT=1',
        rm: ['gone/*'],
        prebuild: [
          'echo "prebuild $PWD ${LEFT:-}" | sed "s|$ROOT||" >> "$LOG"',
          'grep -q storeFile build.gradle || echo stripped >> "$LOG"',
        ],
        build: ['ls .. | tr "\\n" " " >> "$LOG"', 'echo build >> "$LOG"'],
        gradle: ['foss', 'free'],
        postbuild: "echo post >> '$$OUT$$'",
      },
    ],
  };
  const { script } = await imported(t, 'org.example.chat', asYaml(facts));
  const root = temporaryDirectory(t);
  const source = path.join(root, 'build/org.example.chat');
  const put = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
    writeFileSync(path.join(source, name), text);
  };
  put('app/build.gradle', GRADLE);
  put('app/build/outputs/apk/old.apk', 'old');
  put('app/build/keep/this', 'kept');
  put('settings.gradle', '');
  put('gradlew', '');
  put('.gradle/cache', '');
  put('gone/a', '');
  put('app/ant.properties', 'key.store=a\nkey.alias=b\nother=c\n');
  put('tools/jni/a.c', '');
  put('tools/obj/a.o', '');
  mkdirSync(path.join(root, 'bin'));
  const gradle = path.join(root, 'bin/gradle');
  writeFileSync(
    gradle,
    '#!/bin/sh\necho "gradle $*" >> "$LOG"\nmkdir -p build/outputs/apk/fossfree/release\necho apk > build/outputs/apk/fossfree/release/app-release-unsigned.apk\n',
  );
  chmodSync(gradle, 0o755);
  const log = path.join(root, 'log');
  const run = spawnSync('sh', ['-eu', '-c', script.replaceAll('/home/vagrant', root)], {
    cwd: source,
    encoding: 'utf8',
    env: { PATH: `${root}/bin:${process.env['PATH'] ?? ''}`, HOME: root, LOG: log, ROOT: root },
  });
  t.is(run.status, 0, run.stderr);
  t.deepEqual(readFileSync(log, 'utf8').split('\n'), [
    'init',
    'prebuild /build/org.example.chat/app ',
    'stripped',
    // the wrapper is gone before the build begins
    'app gone settings.gradle tools local.properties'.split(' ').sort().join(' ') + ' build',
    'gradle assembleFossFreeRelease',
    '',
  ]);
  const left = readFileSync(path.join(source, 'app/build.gradle'), 'utf8');
  t.notRegex(left, /storeFile|signingConfig signing/);
  t.regex(left, /a comment stays/);
  t.regex(left, /minifyEnabled true/);
  // as F-Droid: only a line that begins with it
  t.regex(left, /debug \{ signingConfig = signingConfigs.debug \}/);
  t.regex(left, /joined  +=/);
  t.is(readFileSync(path.join(source, 'app/ant.properties'), 'utf8'), 'other=c\n');
  t.true(existsSync(path.join(source, 'app/build/keep/this')));
  for (const name of ['app/build/outputs/apk/old.apk', '.gradle', 'gone/a', 'tools/obj'])
    t.false(existsSync(path.join(source, name)), name);
  t.is(readFileSync(path.join(root, 'build/outputs/app.apk'), 'utf8'), 'apk\npost\n');
});

test('two files that match, or none, end the build', async (t) => {
  const facts = {
    RepoType: 'git',
    Repo: 'https://example.org/chat.git',
    Builds: [
      { versionName: '1', versionCode: 7, commit: 'a'.repeat(40), output: 'out/*.apk', build: 'true' },
    ],
  };
  const { script } = await imported(t, 'org.example.chat', asYaml(facts));
  for (const [count, status] of [
    [0, 1],
    [1, 0],
    [2, 1],
  ] as const) {
    const root = temporaryDirectory(t);
    mkdirSync(path.join(root, 'source/out'), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(path.join(root, `source/out/${i}.apk`), '');
    const run = spawnSync('sh', ['-eu', '-c', script.replaceAll('/home/vagrant', root)], {
      cwd: path.join(root, 'source'),
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: root },
    });
    t.is(run.status, status, run.stderr);
  }
});

test('the scripts of every app are scripts', async (t) => {
  for (const packageId of Object.keys(FDROID)) {
    const { recipe } = await imported(t, packageId);
    for (const { script } of recipe.builds.flatMap(({ phases }) => phases))
      t.notThrows(() => execFileSync('sh', ['-n', '-c', script]));
  }
});

// ---------------------------------------------------------------- metadata that are none

const GOOD = `RepoType: git
Repo: https://example.org/chat.git
Builds:
  - versionName: '1.0'
    versionCode: 7
    commit: ${'a'.repeat(40)}
    gradle:
      - yes
`;

test('1.10 is 1.10, and no is no number', async (t) => {
  const { recipe, fields } = await imported(t, 'org.example.chat', GOOD.replace("'1.0'", '1.10'));
  t.like(recipe.versions.resolve[0], { versions: [{ version: '1.10' }] });
  t.false(fields.includes('versionName'));
});

test('what is not known is told, of the app and of a build', async (t) => {
  const { todos } = await imported(t, 'org.example.chat', `${GOOD}    unheard: of\nNovel: thing\n`);
  t.deepEqual(
    todos.filter(({ field }) => ['unheard', 'Novel'].includes(field)).map(({ field }) => field),
    ['unheard', 'Novel'],
  );
});

test('older fields end the build where they would have done something', async (t) => {
  const { fields, script } = await imported(
    t,
    'org.example.chat',
    `${GOOD}    patch: [fix.patch]\n    extlibs: [a.jar]\n    target: android-19\n    maven: yes\n    forceversion: true\n`,
  );
  for (const field of ['patch', 'extlibs', 'target', 'maven', 'forceversion'])
    t.true(fields.includes(field), field);
  t.regex(script, /TODO: patch fix\.patch/);
  t.regex(script, /TODO: extlib a\.jar/);
});

for (const [what, text, place] of [
  ['another kind of repository', GOOD.replace('git\n', 'hg\n'), /^[^:]+:1:11 RepoType: expected git/],
  ['no TLS', GOOD.replace('https:', 'http:'), /:2:7 Repo: expected an https address/],
  [
    'no builds',
    'RepoType: git\nRepo: https://example.org/chat.git\n',
    /Builds: expected a list, but it is missing/,
  ],
  [
    'an empty list',
    'RepoType: git\nRepo: https://example.org/chat.git\nBuilds: []\n',
    /:3:9 Builds: expected at least one/,
  ],
  ['a build that is a text', GOOD.replace(/ {2}- [^]*/, '  - text\n'), /:4:5 Builds\[0\]: expected a map/],
  [
    'a code that is no number',
    GOOD.replace('7', 'seven'),
    /:5:18 Builds\[0\]\.versionCode: expected a number, got "seven"/,
  ],
  [
    'no code',
    GOOD.replace(/ +versionCode.*\n/, ''),
    /:4:5 Builds\[0\]\.versionCode: expected text, but it is missing/,
  ],
  [
    'a list in a script',
    GOOD.replace('- yes', '- [yes]'),
    /:8:7 Builds\[0\]\.gradle: expected a text or a list/,
  ],
  ['no YAML', 'RepoType: [git\n', /:\d+:\d+: not valid YAML/],
  [
    'an alias bomb',
    `a: &a [x, x]\nb: &b [*a, *a]\n${GOOD}`.replace('[*a, *a]', `[${'*a, '.repeat(600)}*a]`),
    /alias bomb/,
  ],
  ['a key twice', `${GOOD}RepoType: git\n`, /:9:1: not valid YAML: Map keys must be unique/],
] as const)
  test(`refused with its place: ${what}`, async (t) => {
    const error = await t.throwsAsync(imported(t, 'org.example.chat', text), { instanceOf: UsageError });
    t.is(error.code, 'import-invalid');
    t.regex(error.message.replace(/^.*?(?=org\.example)/, ''), place);
  });

test('nothing to take over, and names that are none, are said', async (t) => {
  const error = await t.throwsAsync(
    imported(t, 'org.example.chat', GOOD.replace('a'.repeat(40), '--upload-pack')),
    {
      code: 'import-nothing',
    },
  );
  t.regex(error.message, /1 name a tag in place of a commit/);
  await t.throwsAsync(imported(t, 'org.example.chat', `${GOOD}    disable: broken\n`), {
    code: 'import-nothing',
  });
  await t.throwsAsync(imported(t, 'chat', GOOD), { code: 'import-name' });
});

// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readDeviceSpecification } from '../../../src/compare/device-specification.js';
import { FailedHere, UsageError } from '../../../src/errors.js';
import { pullFromPhone, type PhoneOutcome } from '../../../src/inputs/channels/phone.js';
import { obtainPublished, type PublishedFile } from '../../../src/inputs/published.js';
import type { AcquisitionPlan, ComparePlan } from '../../../src/model.js';
import { fakeAdb, type FakePhone } from '../../helpers/fake-adb.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const DIRECTORY = '/data/app/~~aB1=/org.example.chat-x_Y==';
const FILES = {
  [`${DIRECTORY}/base.apk`]: 'the base',
  [`${DIRECTORY}/split_config.arm64_v8a.apk`]: 'the code',
};
const DUMP = `Packages:
  Package [org.example.chat] (1a2b):
    versionCode=70992 minSdk=23 targetSdk=35
    versionName=1.0
    installerPackageName=com.android.vending
Hidden system packages:
    versionCode=1
`;
const PHONE: FakePhone = { files: FILES, shell: { 'dumpsys package org.example.chat': DUMP } };

function fetch(
  t: ExecutionContext,
  more: { readonly serial?: string; readonly package?: string; readonly how?: string } = {},
  environment: NodeJS.ProcessEnv = {},
): Promise<PhoneOutcome> & { readonly directory: string } {
  const { serial, ...acquisition } = more;
  const directory = path.join(temporaryDirectory(t), 'pull');
  const outcome = pullFromPhone(
    { kind: 'phone', package: 'org.example.chat', ...acquisition },
    { directory, serial },
    environment,
  );
  return Object.assign(outcome, { directory });
}

for (const lineEnd of ['\n', '\r\n'] as const)
  test.serial(
    `an app is pulled with all its splits, lines end with ${JSON.stringify(lineEnd)}`,
    async (t) => {
      const { asked } = fakeAdb(t, { ...PHONE, lineEnd });
      const pulling = fetch(t);
      t.deepEqual(await pulling, {
        kind: 'pulled',
        files: ['base.apk', 'split_config.arm64_v8a.apk'],
        phone: {
          package: 'org.example.chat',
          versionName: '1.0',
          versionCode: 70992,
          installer: 'com.android.vending',
        },
        notes: [],
      });
      const { directory } = pulling;
      t.deepEqual(readdirSync(directory).toSorted(), [
        'base.apk',
        'device.json',
        'split_config.arm64_v8a.apk',
      ]);
      t.is(readFileSync(path.join(directory, 'base.apk'), 'utf8'), 'the base');
      t.deepEqual(readDeviceSpecification(readFileSync(path.join(directory, 'device.json'), 'utf8'), 'it'), {
        abis: ['arm64-v8a', 'armeabi-v7a', 'armeabi'],
        languages: ['de', 'en'],
        density: 420,
        sdk: 34,
      });
      t.true(
        asked()
          .slice(1)
          .every((line) => line.startsWith('-s PHONE1 ')),
      );
    },
  );

const fails = test.macro({
  async exec(t, code: string, message: RegExp, phone: FakePhone) {
    fakeAdb(t, { ...PHONE, ...phone });
    const error = await t.throwsAsync(fetch(t), { code, message });
    t.true(error instanceof FailedHere || error instanceof UsageError);
    t.regex(String(Reflect.get(error, 'hint')), /./);
  },
  title: (given) => given ?? '',
});
test.serial('no phone', fails, 'no-device', /no phone is connected/, { devices: '' });
test.serial('a phone that does not allow it yet', fails, 'device-unauthorized', /PHONE1/, {
  devices: 'PHONE1\tunauthorized',
});
test.serial('a phone that is offline', fails, 'no-device', /PHONE1 is offline/, {
  devices: 'PHONE1\toffline',
});
test.serial('a phone that nobody may open', fails, 'no-device', /no permissions/, {
  devices: 'PHONE1\tno permissions (missing udev rules?); see [http://developer.android.com]',
});
test.serial('two phones', fails, 'several-devices', /2 devices/, {
  devices: 'PHONE1\tdevice\n192.168.0.2:5555\tdevice',
});
test.serial('a pull that fails', fails, 'pull-failed', /base\.apk could not be pulled: .*device went away/, {
  pull: 'fails',
});
test.serial('a pull that breaks off without a word', fails, 'pull-failed', /arrived with 3 bytes/, {
  pull: 'breaks off',
});
test.serial('a pull that gives nothing', fails, 'pull-failed', /there is no such file/, {
  pull: 'gives nothing',
});
test.serial('a phone without package manager', fails, 'pull-failed', /Can't find service/, {
  shell: { 'pm path org.example.chat': "cmd: Can't find service: package\n" },
  paths: '',
});
for (const hostile of [
  '/data/app/../../etc/base.apk',
  '/data/app/./base.apk',
  'data/app/base.apk',
  '/data/app/base.apk; reboot .apk',
  '/data/app/$(reboot).apk',
  '/data/app/base.dex',
  '/data/app/-rf.apk',
  '/data/app/\u001b[2J.apk',
  '',
])
  test.serial(
    `a path that is none of an APK: ${JSON.stringify(hostile)}`,
    fails,
    'pull-failed',
    /no path of an APK/,
    {
      paths: `package:${hostile}\n`,
    },
  );
test.serial('two files of one name', fails, 'pull-failed', /two files base\.apk/, {
  paths: 'package:/data/app/a/base.apk\npackage:/data/app/b/base.apk\n',
});
test.serial('thousands of files', fails, 'pull-failed', /at most 500/, {
  paths: Array.from({ length: 501 }, (_, at) => `package:/data/app/${at}.apk\n`).join(''),
});

test.serial('an app that is not installed is an outcome that says how to get it', async (t) => {
  fakeAdb(t, { files: {}, shell: { 'pm path org.example.chat': 1 } });
  t.like(await fetch(t, { how: 'install it from the store' }), {
    kind: 'not-there',
    code: 'not-installed',
    hint: 'install it from the store',
  });
});

test.serial('of several phones the serial says which, the option before the environment', async (t) => {
  const { asked } = fakeAdb(t, { ...PHONE, devices: 'PHONE1\tunauthorized\nPHONE2\tdevice\nPHONE3\tdevice' });
  t.is((await fetch(t, { serial: 'PHONE2' }, { ANDROID_SERIAL: 'PHONE3' })).kind, 'pulled');
  t.true(
    asked()
      .slice(1)
      .every((line) => line.startsWith('-s PHONE2 ')),
  );
  t.is((await fetch(t, {}, { ANDROID_SERIAL: 'PHONE3' })).kind, 'pulled');
  t.regex(asked().at(-1) ?? '', /^-s PHONE3 /);
  await t.throwsAsync(fetch(t, { serial: 'PHONE9' }), {
    code: 'no-device',
    message: /PHONE1, PHONE2, PHONE3/,
  });
  await t.throwsAsync(fetch(t, { serial: '-s; x' }), { instanceOf: UsageError, code: 'bad-serial' });
});

test.serial('no package name reaches the shell of the phone that is none', async (t) => {
  const { asked } = fakeAdb(t, PHONE);
  for (const name of ['org.example; reboot', 'chat', '-f.x', '$(x).y'])
    await t.throwsAsync(fetch(t, { package: name }), { instanceOf: UsageError, code: 'bad-plan' });
  t.deepEqual(asked(), []);
});

test.serial('what a phone says in odd ways is left out', async (t) => {
  const shell = {
    'getprop ro.build.version.sdk': 'thirty\n',
    'getprop ro.product.cpu.abilist': '../x,arm64-v8a, <b>\n',
    'wm density': 'Physical density: -1\n',
    'settings get system system_locales': 'null\n',
    'getprop persist.sys.locale': '\n',
    'getprop ro.product.locale': 'en-GB\n',
    'dumpsys package org.example.chat': `    versionName=${'9'.repeat(200)}\n    versionCode=x\n    installerPackageName=<b>\n`,
  };
  fakeAdb(t, { files: FILES, shell });
  const pulling = fetch(t);
  const outcome = await pulling;
  t.deepEqual(outcome.kind === 'pulled' && outcome.phone, { package: 'org.example.chat' });
  t.deepEqual(JSON.parse(readFileSync(path.join(pulling.directory, 'device.json'), 'utf8')), {
    supportedAbis: ['arm64-v8a'],
    supportedLocales: ['en-GB'],
  });
});

test.serial('a phone that cannot sum or say what it is gives its files, and that is noted', async (t) => {
  const silent = Object.fromEntries(
    ['getprop ro.build.version.sdk', 'getprop ro.product.cpu.abilist', 'wm density'].map((key) => [key, 1]),
  );
  const [base = ''] = Object.keys(FILES);
  const files = { [base]: 'the base' };
  fakeAdb(t, {
    files,
    shell: { ...silent, 'settings get system system_locales': 1, [`sha256sum ${base}`]: 127 },
  });
  const pulling = fetch(t);
  const outcome = await pulling;
  t.is(outcome.kind === 'pulled' ? outcome.notes.length : 0, 2);
  t.false(existsSync(path.join(pulling.directory, 'device.json')));
});

// ---------------------------------------------------------------- as published files

function plan(acquisition: AcquisitionPlan, published: string): ComparePlan {
  return {
    target: { app: 'chat', version: '1.0', channel: 'play' },
    builtBy: 'store',
    signers: [],
    acquisition,
    pairs: [{ published, output: 'app' }],
    notPublished: [],
    rules: [],
  };
}
const phone: AcquisitionPlan = { kind: 'phone', package: 'org.example.chat' };

async function obtained(
  t: ExecutionContext,
  made: ComparePlan,
  published?: string,
): Promise<PublishedFile | string> {
  const root = temporaryDirectory(t);
  const outcome = await obtainPublished(made, {
    directory: path.join(root, 'work'),
    cache: path.join(root, 'cache'),
    published,
  });
  return outcome.kind === 'obtained' ? (outcome.files[0] ?? 'none') : outcome.code;
}

test.serial('the set of a phone is the set that its files in a directory are', async (t) => {
  fakeAdb(t, PHONE);
  const pulled = await obtained(t, plan(phone, 'chat.apks'));
  const given = temporaryDirectory(t);
  for (const [remote, content] of Object.entries(FILES))
    writeFileSync(path.join(given, path.posix.basename(remote)), content);
  if (typeof pulled === 'string' || pulled.device === undefined) return t.fail();
  writeFileSync(path.join(given, 'device.json'), pulled.device);
  const handed = await obtained(t, plan({ kind: 'handed-over', how: 'pull it' }, 'chat.apks'), given);
  if (typeof handed === 'string') return t.fail(handed);
  t.deepEqual([pulled.sha256, pulled.size, pulled.device], [handed.sha256, handed.size, handed.device]);
  t.like(pulled, { from: 'phone', phone: { versionCode: 70992 } });
  t.is(handed.from, 'handed-over');
});

test.serial('a channel of one file takes one file of a phone, and no set', async (t) => {
  fakeAdb(t, { ...PHONE, files: { [`${DIRECTORY}/base.apk`]: 'all of it' } });
  t.like(await obtained(t, plan(phone, 'chat.apk')), { name: 'chat.apk', size: 9, from: 'phone' });
  fakeAdb(t, PHONE);
  t.is(await obtained(t, plan(phone, 'chat.apk')), 'other-content');
});

test.serial('without adb there is a word about what installs it', async (t) => {
  const before = process.env['PATH'];
  process.env['PATH'] = path.join(temporaryDirectory(t), 'empty');
  mkdirSync(process.env['PATH']);
  try {
    const error = await t.throwsAsync(fetch(t), { instanceOf: FailedHere, code: 'missing-tool' });
    t.regex(error.hint ?? '', /apt-get install adb/);
  } finally {
    process.env['PATH'] = before;
  }
});

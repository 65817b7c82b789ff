// SPDX-License-Identifier: Apache-2.0
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { makeKey } from '../helpers/apksigner.js';
import { buildApks, buildBundle, needBundletool, PHONE, pullFrom } from '../helpers/bundletool.js';
import { verify } from '../helpers/transcript.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('a pull against what bundletool makes: scope, exit codes, --device, --pull', async (t) => {
  if (!needBundletool(t)) return;
  const cwd = temporaryDirectory(t);
  const apks = buildApks(buildBundle(cwd));
  cpSync(apks, path.join(cwd, 'app.apks'));
  const key = makeKey(cwd, 'store');
  const splits = ['base-master_3', 'base-arm64_v8a_3', 'base-xxhdpi_3', 'base-de_3'];
  await pullFrom(apks, { directory: cwd, name: 'pixel', splits, key });
  const device = path.join(cwd, 'device.json');
  writeFileSync(device, JSON.stringify(PHONE));
  const compare = (...more: readonly string[]) => verify(['compare', 'pixel', 'app.apks', ...more], { cwd });

  const whole = await compare('--device', 'device.json');
  t.is(whole.code, 0);
  t.regex(
    whole.stdout,
    /^Reproduced; 4 of 45 splits of this bundle, those for arm64-v8a, xxhdpi, de, SDK 34 /m,
  );
  t.regex(whole.stdout, /30 rebuilt splits of other variants of the bundle were not delivered here/);

  cpSync(path.join(cwd, 'pixel'), path.join(cwd, 'second'), { recursive: true });
  rmSync(path.join(cwd, 'pixel/split_config.de.apk'));
  t.is((await compare('--device', 'device.json')).code, 2);
  // nobody said that the device speaks German
  t.is((await compare()).code, 0);
  const both = await compare('--pull', 'second');
  t.is(both.code, 0);
  t.regex(both.stdout, /^Reproduced; 4 of 45 splits/m);

  rmSync(path.join(cwd, 'pixel/base.apk'));
  writeFileSync(path.join(cwd, 'pixel/base.dm'), 'a profile');
  t.is((await compare()).code, 1);
  t.is((await compare('--device', 'app.apks')).code, 64);
});

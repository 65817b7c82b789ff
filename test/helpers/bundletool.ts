// SPDX-License-Identifier: Apache-2.0
/**
 * An app bundle made by aapt2 and the splits that the real bundletool makes of it; for tests that `needBundletool(t)`.
 * https://developer.android.com/guide/app-bundle/app-bundle-format
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import JSZip from 'jszip';
import type { ExecutionContext } from 'ava';
import { signWithApksigner, type SigningKey } from './apksigner.js';
import { buildZip } from './build-zip.js';
import { need } from './need.js';

const JAR = createRequire(import.meta.url).resolve('node-bundletool/bundletool.jar');
const FRAMEWORK = '/usr/share/android-framework-res/framework-res.apk';

/** As `need`. */
export function needBundletool(t: ExecutionContext): boolean {
  return need(
    t,
    'aapt2',
    'java',
    'apksigner',
    'openssl',
    'unzip',
    ...(existsSync(FRAMEWORK) ? [] : ['framework-res.apk']),
  );
}

export interface BundleOptions {
  readonly package?: string;
  readonly versionCode?: number;
  readonly versionName?: string;
  readonly minSdk?: number;
  readonly abis?: readonly string[];
  readonly languages?: readonly string[];
  readonly densities?: readonly string[];
  /** Content of each native library, after a magic number. */
  readonly native?: string;
  readonly dex?: string;
  /** The default text of the one string that all languages translate. */
  readonly text?: string;
  /** Elements of the manifest in front of `application`. */
  readonly elements?: string;
}

/** No variant with sparse tables for SDK 32, which needs a newer aapt2 than Debian 12 has. */
const CONFIG = { optimizations: { resourceOptimizations: { sparseEncoding: 'DISABLED' } } };

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** A bundle of one module with a DEX, native libraries, languages and densities: base.aab in a new directory. */
export function buildBundle(directory: string, options: BundleOptions = {}): string {
  const at = mkdtempSync(path.join(directory, 'bundle-'));
  const linked = path.join(at, 'linked.apk');
  const manifest = path.join(at, 'AndroidManifest.xml');
  writeFileSync(manifest, manifestOf(options));
  writeResources(path.join(at, 'res'), options);
  const compiled = path.join(at, 'compiled.zip');
  run('aapt2', ['compile', '--dir', path.join(at, 'res'), '-o', compiled]);
  run('aapt2', [
    'link',
    '--proto-format',
    '--auto-add-overlay',
    '-I',
    FRAMEWORK,
    '--manifest',
    manifest,
    '-o',
    linked,
    compiled,
  ]);
  const module = path.join(at, 'base.zip');
  writeFileSync(module, moduleOf(linked, at, options));
  const bundle = path.join(at, 'base.aab');
  const config = path.join(at, 'config.json');
  writeFileSync(config, JSON.stringify(CONFIG));
  bundletool(at, ['build-bundle', `--modules=${module}`, `--config=${config}`, `--output=${bundle}`]);
  return bundle;
}

function manifestOf(options: BundleOptions): string {
  const { package: id = 'org.example.chat', versionCode = 7, versionName = '1.7', minSdk = 21 } = options;
  return `<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="${id}"
  android:versionCode="${versionCode}" android:versionName="${versionName}">
<uses-sdk android:minSdkVersion="${minSdk}" android:targetSdkVersion="34"/>${options.elements ?? ''}
<application android:label="@string/name" android:icon="@drawable/icon" android:hasCode="true">
<provider android:name="org.example.chat.Files" android:authorities="${id}.files" android:exported="false"/>
</application></manifest>`;
}

function writeResources(directory: string, options: BundleOptions): void {
  const {
    languages = ['de', 'fr', 'he', 'id'],
    densities = ['mdpi', 'xhdpi', 'xxhdpi'],
    text = 'Chat',
  } = options;
  const put = (name: string, data: string | Buffer): void => {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, data);
  };
  const strings = (label: string): string =>
    `<?xml version="1.0" encoding="utf-8"?><resources><string name="name">${label}</string></resources>`;
  put('values/strings.xml', strings(text));
  for (const language of languages) put(`values-${language}/strings.xml`, strings(`${text} (${language})`));
  // equal images would be one file of the master split
  for (const [at, density] of densities.entries())
    put(`drawable-${density}/icon.png`, Buffer.concat([Buffer.from(PNG, 'base64'), Buffer.alloc(at)]));
}

/** https://developer.android.com/build/building-cmdline#build_an_app_bundle_using_bundletool */
function moduleOf(linked: string, at: string, options: BundleOptions): Buffer {
  const { abis = ['arm64-v8a', 'armeabi-v7a', 'x86_64'], native = 'native', dex = 'code' } = options;
  const tree = path.join(at, 'linked');
  run('unzip', ['-q', linked, '-d', tree]);
  const names = run('unzip', ['-Z1', linked])
    .split('\n')
    .filter((name) => name !== '');
  return buildZip([
    ...names.map((name) => ({
      name: name === 'AndroidManifest.xml' ? `manifest/${name}` : name,
      data: readFileSync(path.join(tree, name)),
    })),
    { name: 'dex/classes.dex', data: `dex\n035\0${dex}`.padEnd(500, '.') },
    { name: 'assets/words.txt', data: 'words of the app\n'.repeat(40) },
    ...abis.map((abi) => ({
      name: `lib/${abi}/libchat.so`,
      data: `\x7fELF${native} for ${abi}`.padEnd(9000, '-'),
    })),
  ]);
}

/** As bundletool's `get-device-spec` writes it. */
export interface DeviceSpecification {
  readonly supportedAbis: readonly string[];
  readonly supportedLocales: readonly string[];
  readonly screenDensity: number;
  readonly sdkVersion: number;
}

export const PHONE: DeviceSpecification = {
  supportedAbis: ['arm64-v8a', 'armeabi-v7a'],
  supportedLocales: ['de-DE'],
  screenDensity: 480,
  sdkVersion: 34,
};

export interface ApksOptions {
  /** Only what this device gets. */
  readonly device?: DeviceSpecification;
  readonly universal?: boolean;
}

/** Unsigned splits in an `.apks` archive with its table of contents. */
export function buildApks(bundle: string, options: ApksOptions = {}): string {
  const at = mkdtempSync(path.join(path.dirname(bundle), 'apks-'));
  const out = path.join(at, 'app.apks');
  const device = path.join(at, 'device.json');
  if (options.device !== undefined) writeFileSync(device, JSON.stringify(options.device));
  bundletool(at, [
    'build-apks',
    `--bundle=${bundle}`,
    `--output=${out}`,
    `--aapt2=${toolPath('aapt2')}`,
    ...(options.device === undefined ? [] : [`--device-spec=${device}`]),
    ...(options.universal === true ? ['--mode=universal'] : []),
  ]);
  return out;
}

/** Members of an archive by name, in its order. */
export async function membersOf(archive: string): Promise<ReadonlyMap<string, Buffer>> {
  const zip = await JSZip.loadAsync(readFileSync(archive));
  const members = new Map<string, Buffer>();
  for (const file of Object.values(zip.files))
    if (!file.dir) members.set(file.name, await file.async('nodebuffer'));
  return members;
}

/** Java's new language codes (Hebrew, Indonesian) would be others than those that Play's splits have. */
function bundletool(home: string, args: readonly string[]): string {
  const options = ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-Djava.locale.useOldISOCodes=true'];
  // without a debug key in the home directory the splits are not signed
  return run('java', [...options, `-Duser.home=${home}`, '-jar', JAR, ...args]);
}

function run(program: string, args: readonly string[]): string {
  const { ANDROID_HOME: _, ANDROID_SDK_HOME: __, ...env } = process.env;
  return execFileSync(program, args, { stdio: 'pipe', encoding: 'utf8', env });
}

function toolPath(name: string): string {
  return run('sh', ['-c', `command -v ${name}`]).trim();
}

export interface Pull {
  readonly directory: string;
  readonly name: string;
  /** Names of splits in the archive of bundletool. */
  readonly splits: readonly string[];
  readonly key: SigningKey;
  readonly device?: DeviceSpecification;
  /** Signs with APK Signature Scheme v2 alone: other files of the same splits. */
  readonly onlyV2?: boolean;
}

/** By archive, split, key and schemes: each start of apksigner takes a second. */
const signedSplits = new Map<string, Buffer>();

/** A directory as `adb pull` leaves it: splits signed by the publisher, under names that bundletool did not give. */
export async function pullFrom(
  apks: string,
  { directory, name, splits, key, device, onlyV2 = false }: Pull,
): Promise<string> {
  const at = path.join(directory, name);
  mkdirSync(at);
  const members = await membersOf(apks);
  for (const split of splits) {
    const unsigned = members.get(`splits/${split}.apk`);
    if (unsigned === undefined) throw new Error(`no ${split} among ${[...members.keys()].join(', ')}`);
    const id = [apks, split, key.key, onlyV2].join('\n');
    const signed =
      signedSplits.get(id) ??
      signWithApksigner(path.dirname(apks), unsigned, { keys: [key], v2: true, v3: !onlyV2, minSdk: 24 });
    signedSplits.set(id, signed);
    writeFileSync(path.join(at, pulledName(split)), signed);
  }
  if (device !== undefined) writeFileSync(path.join(at, 'device.json'), JSON.stringify(device));
  return at;
}

/** As the package manager of a device calls them. */
export function pulledName(split: string): string {
  const [, config = ''] = /^base-(.*?)(?:_[0-9]+)?$/.exec(split) ?? [];
  return config === 'master' ? 'base.apk' : `split_config.${config}.apk`;
}

// SPDX-License-Identifier: Apache-2.0
/** A recipe from one of rbtlog: the newest tags, provisioned and built as its scripts do (scripts/, read at 5409bcc4). */
import { UsageError } from '../../errors.js';
import { checkYaml, formatProblem } from '../load.js';
import { placeholdersIn } from '../template.js';
import { compareVersions } from '../version.js';
import type { ImportedRecipe, Tell, Todo } from './draft.js';
import type { ImportRequest } from './fdroid.js';
import { quoted } from './fdroid-script.js';
import { rbtlogSchema, type RbtlogApk, type RbtlogRecipe } from './rbtlog-schema.js';
import { appIdOf, buildRanges, isVersion, tagTemplate, type VersionBuild } from './versions.js';

const MAX_RECIPE = 4 << 20;
const DEFAULT_MINUTES = 20;

interface Chosen {
  readonly version: string;
  readonly tag: string;
  readonly apk: RbtlogApk;
  /** Address with placeholders. */
  readonly url: string;
}

/** @throws UsageError `import-invalid` with every problem, `import-nothing` */
export function importRbtlog(request: ImportRequest): ImportedRecipe {
  const { file, text, packageId } = request;
  const checked = checkYaml(rbtlogSchema, file, text, { scalars: 'failsafe', maxLength: MAX_RECIPE });
  if (checked.kind === 'invalid')
    throw new UsageError('import-invalid', checked.problems.slice(0, 100).map(formatProblem).join('; '));
  const theirs = checked.value;
  const todos: Todo[] = [];
  const todo: Tell = (path, field, why) => void todos.push({ path, field, why });
  const pattern = /^(?:checkonly:)?tags:(.*)$/.exec(theirs.updates)?.[1];
  const chosen = choose(theirs, pattern, request, todo);
  const newest = chosen.at(-1);
  if (newest === undefined)
    throw new UsageError('import-nothing', `${file}: no tag has a version in its name`);

  const { builds, at } = buildRanges(chosen.map((one) => ({ version: one.version, build: draftOf(one) })));
  for (const one of chosen) tellLost(one, ['builds', at.get(one.version) ?? 0], todo, todos);
  for (const note of theirs.notes ?? []) todo(['status'], 'notes', note.slice(0, 300));
  if ((theirs.labels ?? []).length > 0)
    todo(['status'], 'labels', `${(theirs.labels ?? []).join(', ').slice(0, 200)}: for rbtlog's own use`);
  todo(
    ['versions', 'resolve'],
    'tag',
    'no commit stands in the format: each tag is looked up, and one that was moved is not noticed',
  );
  const template = templateFor(chosen, pattern, theirs.updates, todo);
  const evidence = `recipes/${packageId}.yml of an rbtlog: tags that it names`;
  todo(
    ['channels', 'release'],
    'signers',
    'the format has no certificate: take it from a statement of the makers',
  );
  todo(
    ['channels', 'release'],
    'apk_pattern',
    `${newest.apk.apk_pattern}: names of assets are matched by rbtlog when it looks for updates, not here`,
  );
  return {
    todos,
    recipe: {
      schemaVersion: 1,
      app: request.app ?? appIdOf(packageId),
      title: packageId,
      platform: 'android',
      status: {
        kind: 'buildable-unclaimed',
        note: 'An rbtlog rebuilds this app; what the makers say about it is not known.',
        evidence: [{ url: theirs.repository }],
      },
      evidence: [
        {
          what: 'Tags, steps and addresses, as an rbtlog has them.',
          path: `recipes/${packageId}.yml`,
          date: request.date,
          confirmed: false,
        },
      ],
      source: { kind: 'git', repository: theirs.repository.replace(/\/+$/, ''), submodules: true },
      versions: {
        resolve: [
          template === undefined
            ? {
                kind: 'release-name',
                evidence,
                releases: [...chosen].reverse().map(({ version, tag }) => ({ name: version, tag })),
              }
            : {
                kind: 'tag',
                templates: [template],
                known: [...chosen].reverse().map(({ version }) => version),
                evidence,
              },
        ],
      },
      channels: {
        release: {
          title: `The APK of the makers at ${new URL(newest.apk.apk_url).host}`,
          builtBy: 'publisher',
          packageId,
          acquisition: { kind: 'url', url: newest.url, onlyLatest: false },
          pairs: [{ published: newest.url.slice(newest.url.lastIndexOf('/') + 1), output: 'apk' }],
        },
      },
      builds: [...builds],
    },
  };
}

// ---------------------------------------------------------------- which versions

function choose(
  theirs: RbtlogRecipe,
  pattern: string | undefined,
  { file, versions, variant }: ImportRequest,
  todo: Tell,
): readonly Chosen[] {
  const path = ['versions', 'resolve'];
  const regex = pattern === undefined ? undefined : compiled(pattern);
  if (pattern !== undefined && regex === undefined)
    todo(path, 'updates', `${JSON.stringify(pattern.slice(0, 200))} is no pattern that could be read`);
  const all: Chosen[] = [];
  const byVersion = new Set<string>();
  for (const { tag, apks } of theirs.versions) {
    const groups = regex?.exec(tag);
    const version = versionOf(tag, groups?.[1]);
    if (version === undefined || byVersion.has(version)) {
      todo(
        path,
        'tag',
        `${tag.slice(0, 100)} ${version === undefined ? 'has no version in its name' : 'names a version a second time'} and is left out`,
      );
      continue;
    }
    const index = Math.min(variant ?? apks.length, apks.length) - 1;
    const apk = apks[index];
    if (apk === undefined) continue;
    if (apks.length > 1)
      todo(
        path,
        'apks',
        `${tag} has ${apks.length} files; only the one at ${apk.apk_url} is taken over (--variant takes another)`,
      );
    byVersion.add(version);
    all.push({ version, tag, apk, url: urlTemplate(apk.apk_url, tag, version, groups) });
  }
  all.sort((a, b) => compareVersions(b.version, a.version, 'dotted'));
  const [newest] = all;
  if (newest === undefined) return [];
  const fitting = all.filter(({ url }) => url === newest.url);
  if (fitting.length < all.length)
    todo(
      ['channels', 'release', 'acquisition'],
      'apk_url',
      `${all.length - fitting.length} versions lie at addresses of another form and are left out, the newest of them ${all.find(({ url }) => url !== newest.url)?.url ?? ''}`,
    );
  if (!/\{/.test(newest.url) && fitting.length === 1)
    todo(
      ['channels', 'release', 'acquisition'],
      'apk_url',
      `the address of ${file.split('/').at(-1) ?? ''} holds for ${newest.version} alone`,
    );
  if (fitting.length > versions)
    todo(
      path,
      'versions',
      `${fitting.length - versions} older versions are left out (--versions takes more)`,
    );
  return fitting.slice(0, versions).reverse();
}

/** As Python's fullmatch, which is what rbtlog does with it. */
function compiled(pattern: string): RegExp | undefined {
  // a pattern of somebody else, run over tags of somebody else: nothing that repeats what repeats
  if (pattern.length > 200 || /[+*}]\)?[+*{]/.test(pattern)) return undefined;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return undefined;
  }
}

function versionOf(tag: string, group: string | undefined): string | undefined {
  for (const candidate of [group, tag, /^[A-Za-z_/-]+(\d.*)$/.exec(tag)?.[1]])
    if (candidate !== undefined && isVersion(candidate)) return candidate;
  return undefined;
}

/** What `$$TAG$$` and the version stand for in every address. */
function urlTemplate(
  url: string,
  tag: string,
  version: string,
  groups: RegExpExecArray | null | undefined,
): string {
  const tagIn = tag.replace(version, '{version}');
  let result = url.replaceAll('$$TAG$$', tagIn);
  for (const [i, value] of (groups ?? []).entries())
    if (i > 0) result = result.replaceAll(`$$TAG:${i}$$`, value === version ? '{version}' : value);
  return result.includes('{version}') ? result : result.replaceAll(version, '{version}');
}

function templateFor(
  chosen: readonly Chosen[],
  pattern: string | undefined,
  updates: string,
  todo: Tell,
): string | undefined {
  const path = ['versions', 'resolve'];
  const forms = new Set(chosen.map(({ tag, version }) => tag.replace(version, '{version}')));
  const [form, ...others] = forms;
  if (form === undefined || others.length > 0) {
    todo(path, 'updates', `${updates.slice(0, 200)}: tags have several forms, new ones are not found`);
    return undefined;
  }
  if (pattern !== undefined && tagTemplate(pattern) !== form)
    todo(
      path,
      'updates',
      `${updates.slice(0, 200)}: new versions are looked for by ${form}, which is not the same`,
    );
  if (/^(?:manual|disabled|checkonly)/.test(updates))
    todo(path, 'updates', `${updates.slice(0, 200)}: rbtlog takes no new versions by itself`);
  return form;
}

// ---------------------------------------------------------------- builds

function tellLost(
  { apk, tag }: Chosen,
  build: readonly (string | number)[],
  todo: Tell,
  told: readonly Todo[],
): void {
  const { provisioning } = apk;
  const image = [...build, 'environment', 'image'];
  const lose = (path: readonly (string | number)[], field: string, why: string): void => {
    const key = JSON.stringify([path, field, why]);
    if (!told.some((one) => JSON.stringify([one.path, one.field, one.why]) === key)) todo(path, field, why);
  };
  lose(image, 'image', `${provisioning.image} is a tag without digest`);
  lose(
    [...build, 'phases'],
    'provisioning',
    'packages of the distribution are the newest of the day, here as in rbtlog',
  );
  if (provisioning.verify_gradle_wrapper)
    lose(
      [...build, 'phases'],
      'verify_gradle_wrapper',
      'the checksum of gradle-wrapper.jar is not looked at',
    );
  if (provisioning.windows_like === true)
    lose([...build, 'phases'], 'windows_like', 'the source is checked out with symbolic links');
  if (apk.build_repo_dir.split('/').length < 3)
    lose(
      [...build, 'environment', 'directory'],
      'build_repo_dir',
      `${apk.build_repo_dir} lies at the root of the file system`,
    );
  const braces = apk.build.flatMap((line) => placeholdersIn(line));
  if (braces.length > 0)
    lose(
      [...build, 'phases'],
      'build',
      `{${braces.join('}, {')}} of ${tag} would be replaced by the version's value`,
    );
}

function draftOf({ apk }: Chosen): VersionBuild['build'] {
  const { provisioning, build_user: user, build_home_dir: home, build_repo_dir: directory } = apk;
  const minutes = Number(apk.build_timeout ?? '') || DEFAULT_MINUTES;
  return {
    environment: {
      image: { kind: 'floating', reference: provisioning.image },
      user,
      directory,
      locale: 'C.UTF-8',
      timeZone: 'UTC',
      sourceDateEpoch: 'unset',
      variables: { ANDROID_HOME: provisioning.android_home, HOME: home },
      memoryMiB: 8192,
      diskMiB: 20480,
      minutes,
      expectedMinutes: Math.min(minutes, 15),
      cpus: Number(apk.build_cpus ?? '') || 4,
    },
    phases: [
      { name: 'prepare', user: 'root', network: true, script: provisionScript(apk) },
      {
        name: 'build',
        network: true,
        networkReason: 'the build fetches what it needs while it runs, as in rbtlog',
        script: buildScript(apk),
      },
    ],
    outputs: [{ id: 'apk', path: '../outputs/unsigned.apk' }],
  };
}

function provisionScript({
  provisioning,
  build_dirs = [],
  build_user: user,
  build_home_dir: home,
  build_repo_dir,
}: RbtlogApk): string {
  const { android_home: sdk, cmdline_tools: tools, extra_packages: extra, jdk } = provisioning;
  const packages: readonly (readonly [string, string])[] = [
    ['build-tools', provisioning.build_tools],
    ['cmake', provisioning.cmake],
    ['ndk', provisioning.ndk],
    ['platforms', provisioning.platform],
    ['platform-tools', provisioning.platform_tools],
    ['tools', provisioning.tools],
  ];
  const owned = [
    '/opt',
    sdk,
    ...build_dirs,
    '/outputs',
    `${build_repo_dir.split('/').slice(0, -1).join('/')}/outputs`,
  ];
  const sdkmanager = `${quoted(`${sdk}/cmdline-tools/${tools.version}/bin/sdkmanager`)} --sdk_root=${sdk}`;
  return [
    'set -eu',
    'if [ -e /etc/apt ]; then',
    '  export DEBIAN_FRONTEND=noninteractive',
    '  apt-get update',
    '  apt-get upgrade -y',
    `  apt-get install --no-install-recommends -y ${['adduser', 'git', 'wget', 'unzip', jdk, ...extra].map(quoted).join(' ')}`,
    '  update-alternatives --auto java',
    'else',
    '  dnf upgrade --refresh -y',
    `  dnf install -y --setopt=install_weak_deps=False ${['git', 'unzip', 'wget', 'which', jdk, ...extra].map(quoted).join(' ')}`,
    'fi',
    `id ${quoted(user)} >/dev/null 2>&1 || useradd --create-home --home-dir ${home} ${quoted(user)}`,
    `mkdir -p ${[...owned, `${sdk}/cmdline-tools`].join(' ')}`,
    `wget -q -O ${sdk}/tools.zip -- ${quoted(tools.url)}`,
    `echo '${tools.sha256}  ${sdk}/tools.zip' | sha256sum -c -`,
    `unzip -q -d ${sdk}/cmdline-tools ${sdk}/tools.zip`,
    `mv ${sdk}/cmdline-tools/cmdline-tools ${quoted(`${sdk}/cmdline-tools/${tools.version}`)}`,
    `rm ${sdk}/tools.zip`,
    `(yes || true) | ${sdkmanager} --licenses > /dev/null`,
    ...packages
      .filter(([, version]) => version !== '')
      .map(([name, version]) => `${sdkmanager} ${quoted(`${name};${version}`)}`),
    `chown -R ${quoted(user)} ${owned.join(' ')}`,
    '',
  ].join('\n');
}

function buildScript({ build, provisioning }: RbtlogApk): string {
  const { android_home: sdk, cmdline_tools: tools } = provisioning;
  return [
    'set -eu',
    `cat > "$HOME/build.sh" <<'END_OF_BUILD'`,
    `export PATH="$PATH:${sdk}/cmdline-tools/${tools.version}/bin"`,
    ...build,
    'END_OF_BUILD',
    'bash -e -u -o pipefail -x "$HOME/build.sh" </dev/null',
    'cp /outputs/unsigned.apk ../outputs/unsigned.apk',
    '',
  ].join('\n');
}

// SPDX-License-Identifier: Apache-2.0
/** A recipe from F-Droid's metadata of an app: the newest versions, each as F-Droid builds it. */
import { UsageError } from '../../errors.js';
import { checkYaml, formatProblem } from '../load.js';
import { compareVersions } from '../version.js';
import type { ImportedRecipe, Tell, Todo } from './draft.js';
import {
  fdroidSchema,
  FOR_READERS,
  isPinned,
  type FdroidBuild,
  type FdroidMetadata,
  type Srclib,
} from './fdroid-schema.js';
import { BUILD_ROOT, fdroidScripts, OUTPUT, SDK } from './fdroid-script.js';
import { assertionsOf, channelOf, templateOf } from './fdroid-published.js';
import { appIdOf, buildRanges, isVersion } from './versions.js';

export interface ImportRequest {
  /** As it is called in messages. */
  readonly file: string;
  readonly text: string;
  readonly packageId: string;
  readonly app?: string;
  /** So many of the newest versions. */
  readonly versions: number;
  /** Where a version has several files (one an ABI): which, counted from 1; default the last. */
  readonly variant?: number;
  readonly srclibs: ReadonlyMap<string, Srclib>;
  /** Today, as YYYY-MM-DD. */
  readonly date: string;
}

const MAX_METADATA = 4 << 20;
const IMAGE = 'registry.gitlab.com/fdroid/fdroidserver:buildserver-trixie';

/** @throws UsageError `import-invalid` with a line for each problem, `import-nothing` */
export function importFdroid(request: ImportRequest): ImportedRecipe {
  const { file, text, packageId, srclibs } = request;
  const checked = checkYaml(fdroidSchema, file, text, { scalars: 'failsafe', maxLength: MAX_METADATA });
  if (checked.kind === 'invalid')
    throw new UsageError('import-invalid', checked.problems.slice(0, 100).map(formatProblem).join('; '));
  const metadata = checked.value;
  const todos: Todo[] = [];
  const todo = (path: Todo['path'], field: string, why: string): void =>
    void todos.push({ path, field, why });
  const chosen = chooseBuilds(metadata, request, todo);
  const scripts = new Map(chosen.map((build) => [build.versionName, fdroidScripts(build, srclibs)]));
  const { builds, at } = buildRanges(
    chosen.map((build) => ({ version: build.versionName, build: draftOf(build, packageId, scripts) })),
  );
  for (const build of chosen) {
    const i = at.get(build.versionName) ?? 0;
    for (const { field, why } of scripts.get(build.versionName)?.lost ?? []) {
      const path = ['builds', i, 'phases'];
      if (!todos.some((one) => one.field === field && one.why === why && one.path[1] === i))
        todo(path, field, why);
    }
  }
  builds.forEach((_, i) =>
    todo(
      ['builds', i, 'environment', 'image'],
      'image',
      'the format names none, and F-Droid builds in one that moves; Gradle, SDK and JDK are those of that image',
    ),
  );
  for (const field of Object.keys(metadata))
    if (!FOR_READERS.includes(field))
      todo(['app'], field, 'a field of the app that is not known and not taken over');

  const newest = chosen.at(-1);
  if (newest === undefined) throw nothing(file, 'no build can be taken over');
  const channel = channelOf(metadata, newest, packageId, todo);
  const template = templateOf(metadata, channel, scripts.get(newest.versionName)?.build ?? '', todo);
  const evidence = `metadata/${packageId}.yml of fdroiddata: commits as F-Droid built them`;
  const known = isPinned(newest)
    ? {
        kind: 'pinned' as const,
        evidence,
        versions: [...chosen].reverse().map((build) => ({
          version: build.versionName,
          commit: build.commit ?? '',
          ...(Number(build.versionCode) > 0 ? { build: Number(build.versionCode) } : {}),
        })),
      }
    : {
        kind: 'release-name' as const,
        evidence,
        releases: chosen.map(({ versionName, commit }) => ({ name: versionName, tag: commit ?? '' })),
      };
  return {
    todos,
    recipe: {
      schemaVersion: 1,
      app: request.app ?? appIdOf(packageId),
      title: metadata.AutoName ?? metadata.Name ?? packageId,
      platform: 'android',
      ...(isAddress(metadata.WebSite) ? { homepage: metadata.WebSite } : {}),
      status: {
        kind: channel.draft.builtBy === 'publisher' ? 'reproducible-claimed' : 'distribution',
        note:
          channel.draft.builtBy === 'publisher'
            ? "F-Droid publishes the maker's file after it has built the same one; the maker's own words are not known."
            : 'F-Droid builds and signs this file itself; what the maker says about it is not known.',
        evidence: [{ url: `https://gitlab.com/fdroid/fdroiddata/-/blob/master/metadata/${packageId}.yml` }],
      },
      evidence: [
        {
          what: 'Versions, commits, steps and addresses, as F-Droid has them.',
          repository: 'https://gitlab.com/fdroid/fdroiddata',
          path: `metadata/${packageId}.yml`,
          date: request.date,
          confirmed: false,
        },
      ],
      source: { kind: 'git', repository: metadata.Repo.replace(/\/+$/, '') },
      versions: {
        resolve: [
          known,
          ...(template === undefined ? [] : [{ kind: 'tag' as const, templates: [template] }]),
        ],
        ...assertionsOf(metadata, chosen, todo),
      },
      channels: { [channel.id]: channel.draft },
      builds: [...builds],
    },
  };
}

const nothing = (file: string, why: string): UsageError =>
  new UsageError('import-nothing', `${file}: ${why}`, {
    hint: 'a build needs a full commit id and must not be disabled; --versions takes older ones in',
  });

const isAddress = (text: string | undefined): text is string => /^https?:\/\/[^\s"<>]+$/.test(text ?? '');

// ---------------------------------------------------------------- which builds

function chooseBuilds(
  metadata: FdroidMetadata,
  { file, versions, variant }: ImportRequest,
  todo: Tell,
): readonly FdroidBuild[] {
  if (metadata.Disabled !== undefined) todo(['status'], 'Disabled', metadata.Disabled.slice(0, 300));
  if (metadata.NoSourceSince !== undefined)
    todo(['source'], 'NoSourceSince', `no source since ${metadata.NoSourceSince.slice(0, 100)}`);
  const pinned: FdroidBuild[] = [];
  const tagged: FdroidBuild[] = [];
  const left = { disabled: 0, tags: 0, names: 0 };
  for (const build of metadata.Builds)
    if (build.disable !== undefined && build.disable !== '') left.disabled++;
    else if (!isVersion(build.versionName)) left.names++;
    else if (isPinned(build)) pinned.push(build);
    else {
      left.tags++;
      if (/^[A-Za-z0-9][\w.+/-]*$/.test(build.commit ?? '')) tagged.push(build);
    }
  // without any commit the newest tag is better than nothing
  const byTag = pinned.length === 0;
  const usable = byTag ? tagged : pinned;
  const byName = new Map<string, FdroidBuild[]>();
  for (const build of usable.sort((a, b) => Number(a.versionCode) - Number(b.versionCode)))
    byName.set(build.versionName, [...(byName.get(build.versionName) ?? []), build]);
  const names = [...byName.keys()].sort((a, b) => compareVersions(b, a, 'dotted'));
  const taken = names.slice(0, byTag ? 1 : versions);
  const path = ['versions', 'resolve'];
  if (left.disabled > 0)
    todo(path, 'disable', `${left.disabled} builds that F-Droid has disabled are left out`);
  if (byTag && tagged.length > 0)
    todo(
      path,
      'commit',
      'all builds name a tag in place of a commit: it is looked up, and one that was moved is not noticed',
    );
  else if (left.tags > 0)
    todo(
      path,
      'commit',
      `${left.tags} builds name a tag in place of a commit, and are left out: look the commits up`,
    );
  if (left.names > 0)
    todo(path, 'versionName', `${left.names} builds have a name that is no version, and are left out`);
  if (names.length > taken.length)
    todo(
      path,
      'Builds',
      `${names.length - taken.length} older versions are left out (--versions takes more)`,
    );
  const chosen = taken.reverse().map((name) => {
    const entries = byName.get(name) ?? [];
    const index = Math.min(variant ?? entries.length, entries.length) - 1;
    const build = entries[index];
    if (build === undefined) throw nothing(file, `${name} has no build`);
    if (entries.length > 1)
      todo(
        path,
        'versionCode',
        `${name} has ${entries.length} files (${entries.map(({ versionCode }) => versionCode).join(', ')}); only ${build.versionCode} is taken over (--variant takes another)`,
      );
    return build;
  });
  if (chosen.length === 0)
    throw nothing(
      file,
      `none of ${metadata.Builds.length} builds can be taken over: ${left.disabled} are disabled, ${left.tags} name a tag in place of a commit, ${left.names} have a name that is no version`,
    );
  return chosen;
}

// ---------------------------------------------------------------- builds

const MINUTES = 120;

function draftOf(
  build: FdroidBuild,
  packageId: string,
  scripts: ReadonlyMap<string, ReturnType<typeof fdroidScripts>>,
): Parameters<typeof buildRanges>[0][number]['build'] {
  const { prepare, build: script } = scripts.get(build.versionName) ?? { build: '' };
  const minutes = Math.max(1, Math.ceil(Number(build.timeout ?? MINUTES * 60) / 60)) || MINUTES;
  return {
    submodules: build.submodules === true,
    environment: {
      image: { kind: 'floating', reference: IMAGE },
      user: 'vagrant',
      directory: `${BUILD_ROOT}/${packageId}`,
      locale: 'C.UTF-8',
      timeZone: 'UTC',
      sourceDateEpoch: 'commit',
      variables: { ANDROID_HOME: SDK, HOME: '/home/vagrant' },
      memoryMiB: 12288,
      diskMiB: 40960,
      minutes,
      expectedMinutes: Math.min(minutes, 30),
      cpus: 4,
    },
    phases: [
      ...(prepare === undefined
        ? []
        : [{ name: 'prepare' as const, user: 'root', network: true, script: prepare }]),
      {
        name: 'build',
        network: true,
        networkReason: 'F-Droid fetches what a build needs while it builds',
        script,
      },
    ],
    outputs: [{ id: 'apk', path: OUTPUT }],
  };
}

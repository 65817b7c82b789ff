// SPDX-License-Identifier: Apache-2.0
/**
 * What F-Droid does with one entry of `Builds`, as scripts: the order and the steps that no entry names are those of
 * https://gitlab.com/fdroid/fdroidserver (fdroidserver/build.py, build_local; common.py, prepare_source and
 * remove_signing_keys; read at 00932d0a).
 */
import { placeholdersIn } from '../template.js';
import { codeOf, fdroidBuild, WITHOUT_EFFECT, type FdroidBuild, type Srclib } from './fdroid-schema.js';

export interface FdroidScripts {
  /** As root, before the source is prepared. */
  readonly prepare?: string;
  readonly build: string;
  /** Fields whose effect is not in the scripts, or not wholly. */
  readonly lost: readonly { readonly field: string; readonly why: string }[];
}

export const SDK = '/opt/android-sdk';
/** Where F-Droid's build server has the source, and the sources of others beside it. */
export const BUILD_ROOT = '/home/vagrant/build';
const SRCLIB = `${BUILD_ROOT}/srclib`;
/** Of the source. */
export const OUTPUT = '../outputs/app.apk';
const OUT = `${BUILD_ROOT}/outputs/app.apk`;

export const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** Each list of commands is a program of its own: directory and variables end with it. */
function program(name: string, commands: readonly string[], directory: string): string {
  const end = `END_OF_${name.toUpperCase()}`;
  return [
    `# ${name}`,
    `cat > "$HOME/${name}.sh" <<'${end}'`,
    // an entry may span lines: F-Droid joins entries with a semicolon, which a line end is as well
    ...commands,
    end,
    `(cd ${directory} && bash -e -u -o pipefail -x "$HOME/${name}.sh" </dev/null)`,
  ].join('\n');
}

export const STRIP_SIGNING = `# signing configurations go from every build file
find . -type d ! -path '*/.git/*' | while read -r directory; do
  for name in build.gradle build.gradle.kts; do
    file="$directory/$name"
    [ -f "$file" ] || continue
    awk '
      {
        line = $0
        while (line ~ /\\\\$/) { sub(/\\\\+$/, "", line); if ((getline more) > 0) line = line more; else break }
        if (line ~ /^ *\\/\\//) { print line; next }
        if (opened > 0) { opened += gsub(/\\{/, "{", line) - gsub(/\\}/, "}", line); next }
        if (line ~ /^[\\t ]*signingConfigs[ \\t]*\\{[ \\t]*$/) { opened = 1; next }
        if (line ~ /^[\\t ]*signingConfig[[:space:]]*[= ][[:space:]]*[^ ]*$/) next
        if (line ~ /android\\.signingConfigs\\.[^{]*$/ || line ~ /release\\.signingConfig *= */) next
        print line
      }' "$file" > "$HOME/stripped"
    cat "$HOME/stripped" > "$file"
    break
  done
  for name in project.properties build.properties default.properties ant.properties; do
    [ ! -f "$directory/$name" ] || sed -i -e '/^key\\.store/d' -e '/^key\\.alias/d' "$directory/$name"
  done
done`;

export const CLEAN = `# what earlier builds left goes, and the wrapper: gradle is F-Droid's own
find . -type f \\( -name build.gradle -o -name build.gradle.kts -o -name settings.gradle -o -name settings.gradle.kts \\) |
  while read -r file; do
    directory="$(dirname "$file")"
    for part in android-profile generated intermediates outputs reports tmp; do rm -rf "$directory/build/$part"; done
    rm -rf "$directory/buildSrc/build" "$directory/.gradle"
    rm -f "$directory/gradlew" "$directory/gradlew.bat"
  done
find . -type f -name pom.xml | while read -r file; do rm -rf "$(dirname "$file")/target"; done
find . -type f \\( -name ant.properties -o -name project.properties -o -name build.xml \\) |
  while read -r file; do rm -rf "$(dirname "$file")/bin" "$(dirname "$file")/gen"; done
find . -type d -name jni | while read -r found; do rm -rf "$(dirname "$found")/obj"; done`;

/** Fields that others know and no entry of the schema. */
const KNOWN = new Set([...Object.keys(fdroidBuild.shape), ...WITHOUT_EFFECT]);

export function fdroidScripts(build: FdroidBuild, srclibs: ReadonlyMap<string, Srclib>): FdroidScripts {
  const lost: { field: string; why: string }[] = [];
  const lose = (field: string, why: string): void => void lost.push({ field, why });
  const directory = build.subdir === undefined ? '.' : quoted(build.subdir);
  const libraries = (build.srclibs ?? []).map((use) => srclibUse(use));
  const inWords = (commands: readonly string[]): readonly string[] =>
    commands.map((command) => withValues(command, build, libraries));
  const steps: string[] = ['set -eu'];
  const run = (name: string, commands: readonly string[] | undefined): void => {
    if (commands === undefined || commands.length === 0) return;
    const expanded = inWords(commands);
    // before the values went in, a brace was the entry's own
    const braces = commands.flatMap((command) => placeholdersIn(command));
    if (braces.length > 0)
      lose(
        name,
        `{${braces.join('}, {')}} stands in the commands and would be replaced by the version's value`,
      );
    steps.push(program(name, expanded, directory));
  };

  run('init', build.init);
  for (const patch of build.patch ?? []) {
    lose('patch', `${patch} lies beside the metadata in a directory of its own: put it into the source`);
    steps.push(failing(`patch ${patch}`));
  }
  for (const library of libraries) {
    const known = srclibs.get(library.name);
    if (known === undefined) {
      lose(
        'srclibs',
        `${library.use}: srclibs/${library.name}.yml, which says where it comes from, was not there`,
      );
      steps.push(failing(`srclib ${library.use}`));
    } else steps.push(srclibScript(library, known));
    if (library.number !== undefined)
      lose(
        'srclibs',
        `${library.use}: the number puts a reference into project.properties, which is not done`,
      );
  }
  steps.push(localProperties(build));
  if ((build.rm ?? []).length > 0)
    steps.push(['# rm', ...(build.rm ?? []).map((name) => `rm -rf -- ${globbed(name)}`)].join('\n'));
  steps.push(STRIP_SIGNING);
  for (const library of build.extlibs ?? []) {
    lose('extlibs', `${library} is a binary that F-Droid keeps`);
    steps.push(failing(`extlib ${library}`));
  }
  run('prebuild', build.prebuild);
  steps.push(CLEAN);
  if ((build.scandelete ?? []).length > 0)
    lose(
      'scandelete',
      `what F-Droid's scanner takes for a binary below ${(build.scandelete ?? []).join(', ')} is deleted there; which files those are only the scanner can tell, and nothing is deleted here`,
    );
  run('build', build.build);
  const components = (build.buildjni ?? []).filter((one) => one !== 'no');
  for (const component of components)
    steps.push(
      `# buildjni\n(cd ${directory}${component === 'yes' ? '' : `/${quoted(component)}`} && ${ndkPath(build)}/ndk-build -j1)`,
    );
  const isGradle = (build.gradle ?? []).length > 0;
  if (isGradle) steps.push(gradleScript(build, directory));
  steps.push(collectScript(build, directory, isGradle));
  run('postbuild', build.postbuild);

  for (const [field, value] of Object.entries(build))
    if (!KNOWN.has(field)) lose(field, `${JSON.stringify(value).slice(0, 100)} is not taken over`);
  if (!isGradle && build.output === undefined)
    lose('output', 'neither gradle nor output is given: what is built is not known');
  for (const ndk of build.ndk ?? [])
    lose('ndk', `${ndk}: the image must have it at ${SDK}/ndk/${ndk}, under this name`);
  const sudo = build.sudo ?? [];
  return {
    ...(sudo.length === 0
      ? {}
      : {
          prepare: [
            'set -eu',
            'export DEBIAN_FRONTEND=noninteractive HOME=/root',
            program('sudo', inWords(sudo), '.'),
          ].join('\n'),
        }),
    build: `${steps.join('\n')}\n`,
    lost,
  };
}

const failing = (what: string): string => `echo ${quoted(`TODO: ${what}`)} >&2; exit 1`;

const ndkPath = (build: FdroidBuild): string => `${SDK}/ndk/${build.ndk?.[0] ?? 'none'}`;

function withValues(command: string, build: FdroidBuild, libraries: readonly SrclibUse[]): string {
  let result = command
    .replaceAll('$$SDK$$', SDK)
    .replaceAll('$$NDK$$', ndkPath(build))
    .replaceAll('$$VERSION$$', '{version}')
    .replaceAll('$$VERCODE$$', codeOf(build))
    .replaceAll('$$COMMIT$$', '{commit}')
    .replaceAll('$$OUT$$', OUT);
  for (const { name } of libraries) result = result.replaceAll(`$$${name}$$`, `${SRCLIB}/${name}`);
  return result;
}

// ---------------------------------------------------------------- steps

interface SrclibUse {
  readonly use: string;
  readonly name: string;
  readonly number?: string;
  readonly revision: string;
}

/** `[number:]name[/subdir]@revision` */
function srclibUse(use: string): SrclibUse {
  const [, number, name = use, revision = ''] = /^(?:(\d+):)?([^@/]+)(?:\/[^@]*)?@(.*)$/.exec(use) ?? [];
  return { use, name, revision, ...(number === undefined ? {} : { number }) };
}

function srclibScript({ name, revision }: SrclibUse, { Repo, Prepare = [] }: Srclib): string {
  const folder = quoted(`${SRCLIB}/${name}`);
  const lines = [
    `# srclib ${name}`,
    `mkdir -p ${SRCLIB}`,
    `git clone ${quoted(Repo)} ${folder}`,
    `git -C ${folder} checkout ${quoted(revision)}`,
  ];
  return Prepare.length === 0
    ? lines.join('\n')
    : [...lines, program(`srclib_${name.replace(/\W/g, '_')}`, Prepare, folder)].join('\n');
}

/** In the source and in each directory on the way to the subdirectory. */
function localProperties(build: FdroidBuild): string {
  const parts = (build.subdir ?? '').split('/').filter((part) => part !== '' && part !== '.');
  const folders = ['.', ...parts.map((_, i) => parts.slice(0, i + 1).join('/'))];
  const ndk = build.ndk === undefined ? [] : [`ndk.dir=${ndkPath(build)}`, `ndk-location=${ndkPath(build)}`];
  const encoding = build.encoding === undefined ? [] : [`java.encoding=${build.encoding}`];
  const properties = ['', `sdk.dir=${SDK}`, `sdk-location=${SDK}`, ...ndk, ...encoding];
  return [
    '# local.properties',
    ...folders.map(
      (folder) =>
        `printf '%s\\n' ${properties.map(quoted).join(' ')} >> ${quoted(`${folder}/local.properties`)}`,
    ),
  ].join('\n');
}

/** A pattern of names stays one; nothing else of it means anything to the shell. */
const globbed = (name: string): string =>
  name
    .split(/([*?])/)
    .map((part) => (part === '*' || part === '?' || part === '' ? part : quoted(part)))
    .join('');

function gradleScript(build: FdroidBuild, directory: string): string {
  const flavours = (build.gradle ?? []).filter((flavour) => flavour !== 'yes');
  const name = flavours.map((flavour) => flavour.charAt(0).toUpperCase() + flavour.slice(1)).join('');
  const words = [
    ...(build.gradleprops ?? []).map((property) => `-P${property}`),
    ...(build.preassemble ?? []),
    `assemble${name}Release`,
  ];
  return `# gradle\n(cd ${directory} && gradle ${words.map(quoted).join(' ')})`;
}

/** Exactly one file, as F-Droid demands. */
function collectScript(build: FdroidBuild, directory: string, isGradle: boolean): string {
  const flavours = (build.gradle ?? []).filter((flavour) => flavour !== 'yes').join('');
  const folders = [
    'build/outputs/apk/release',
    'build/outputs/apk',
    'build/apk',
    // the directory of a flavour is spelled like the task, but for its capitals
    ...(flavours === '' ? [] : [`build/outputs/apk/${anyCase(flavours)}/release`]),
  ];
  const patterns =
    build.output !== undefined || !isGradle
      ? [globbed(withValues(build.output ?? '', build, []))]
      : folders.flatMap((folder) =>
          ['*-release-unsigned.apk', '*-unsigned.apk', '*.apk'].map((file) => `${folder}/${file}`),
        );
  return [
    '# output: exactly one file',
    'out=',
    'pick() {',
    '  [ -e "$1" ] || return 0',
    '  [ $# = 1 ] || { echo "more than one file: $*" >&2; exit 1; }',
    '  out="$1"',
    '}',
    ...patterns.map((pattern) => `[ -n "$out" ] || pick ${directory}/${pattern}`),
    '[ -n "$out" ] || { echo "no file was built" >&2; exit 1; }',
    `mkdir -p ${BUILD_ROOT}/outputs`,
    `cp "$out" ${OUT}`,
  ].join('\n');
}

const anyCase = (name: string): string =>
  name.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);

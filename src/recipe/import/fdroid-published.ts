// SPDX-License-Identifier: Apache-2.0
/** What F-Droid's metadata say beside the builds: the file to compare with, its signer, the tags of new versions. */
import { capturingPattern } from '../schema-parts.js';
import type { RecipeDraft, Tell } from './draft.js';
import { codeOf, type FdroidBuild, type FdroidMetadata } from './fdroid-schema.js';
import { tagTemplate } from './versions.js';

type ChannelDraft = NonNullable<RecipeDraft['channels']>[string];

export function channelOf(
  metadata: FdroidMetadata,
  newest: FdroidBuild,
  packageId: string,
  todo: Tell,
): { readonly id: string; readonly draft: ChannelDraft } {
  const binary = newest.binary ?? metadata.Binaries;
  const url =
    binary === undefined
      ? `https://f-droid.org/repo/${packageId}_${codeOf(newest)}.apk`
      : binary.replaceAll('%v', '{version}').replaceAll('%c', codeOf(newest));
  const id = binary === undefined ? 'fdroid' : 'website';
  const keys = (metadata.AllowedAPKSigningKeys ?? []).map((key) => key.toLowerCase());
  const signers = keys.filter((key) => /^[0-9a-f]{64}$/.test(key));
  const path = ['channels', id];
  if (binary === undefined)
    todo(path, 'signers', 'F-Droid signs each app with a key of its own, which the metadata do not name');
  else if (signers.length === 0)
    todo(path, 'AllowedAPKSigningKeys', "the certificate of the maker's file is not given");
  if (signers.length < keys.length)
    todo(
      path,
      'AllowedAPKSigningKeys',
      `${keys.length - signers.length} entries are no SHA-256 and are left out`,
    );
  return {
    id,
    draft: {
      title:
        binary === undefined
          ? "The APK of F-Droid's repository"
          : `The APK of the makers at ${new URL(url).host}`,
      builtBy: binary === undefined ? 'distribution' : 'publisher',
      packageId,
      versionCode: { times: 1, plus: 0 },
      ...(binary === undefined || signers.length === 0
        ? {}
        : {
            signers: signers.map((sha256) => ({
              sha256,
              statedBy: 'third-party' as const,
              source: `AllowedAPKSigningKeys in metadata/${packageId}.yml of fdroiddata`,
            })),
          }),
      acquisition: { kind: 'url', url, onlyLatest: false },
      pairs: [{ published: url.slice(url.lastIndexOf('/') + 1), output: 'apk' }],
    },
  };
}

/** `Version v%v`, or the pattern of tags where it is simple. */
export function templateOf(
  { AutoUpdateMode = 'None', UpdateCheckMode = 'None', VercodeOperation }: FdroidMetadata,
  { draft }: { readonly draft: ChannelDraft },
  script: string,
  todo: Tell,
): string | undefined {
  const path = ['versions', 'resolve'];
  const said = `AutoUpdateMode: ${AutoUpdateMode}, UpdateCheckMode: ${UpdateCheckMode}`.slice(0, 200);
  const [, suffix, pattern] = /^Version(?: \+(\S+))?(?: (\S+))?$/.exec(AutoUpdateMode) ?? [];
  const given = pattern?.replaceAll('%v', '{version}').replaceAll('%c', '{build}');
  const template =
    given ??
    (AutoUpdateMode === 'None' ? undefined : tagTemplate(/^Tags (\S+)$/.exec(UpdateCheckMode)?.[1] ?? ''));
  const refuse = (why: string): undefined => {
    todo(path, 'AutoUpdateMode', `${why} (${said})`);
  };
  if (suffix !== undefined)
    return refuse(`versions are called like their tags with ${suffix} added, which no template can say`);
  if (template === undefined || !template.includes('{version}'))
    return refuse('which tags new versions have is not known');
  const url = draft.acquisition.kind === 'url' ? draft.acquisition.url : '';
  if (/\{build\}/.test(`${url}${script}`) && !template.includes('{build}'))
    return refuse(
      `new versions have the tag ${template}, but address or build need their versionCode${VercodeOperation === undefined ? '' : ' (VercodeOperation)'}`,
    );
  return template;
}

/** `file|pattern of the code|file or .|pattern of the name` */
export function assertionsOf(
  { UpdateCheckData, UpdateCheckMode = '' }: FdroidMetadata,
  chosen: readonly FdroidBuild[],
  todo: Tell,
): Pick<RecipeDraft['versions'], 'assertions'> {
  if (UpdateCheckData === undefined) return {};
  const [where = '', , nameWhere = '', pattern = ''] = UpdateCheckData.split('|');
  const file = nameWhere === '.' ? where : nameWhere;
  const isOurs = chosen.every(({ versionName }) => /^[0-9.]+$/.test(versionName));
  if (
    !UpdateCheckMode.startsWith('Tags') ||
    !isOurs ||
    !/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\0\\:][^\0\\:]*$/.test(file) ||
    !capturingPattern.safeParse(pattern).success
  ) {
    todo(
      ['versions'],
      'UpdateCheckData',
      `where the source says its version is not taken over: ${JSON.stringify(UpdateCheckData.slice(0, 300))}`,
    );
    return {};
  }
  return { assertions: [{ file, pattern, expected: '{version}', what: 'version-name' }] };
}

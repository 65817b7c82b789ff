// SPDX-License-Identifier: Apache-2.0
/** Where the source came from, and which code of the result was not built from it, in sentences. */
import type { Origin } from '../model.js';
import { clause, count, fetching, quoted, say, some, type DecidedFacts } from './say.js';
import type { SourceRecord, Statement } from './types.js';

const SHOWN = 10;

export function sourceStatements({ source }: DecidedFacts): Statement[] {
  if (source === undefined) return [];
  if (source.kind === 'debian')
    return [
      say(
        'source-debian',
        `The source is ${source.package} ${source.version} as Debian's signed index of ${source.release.date} lists it.`,
        ['/source'],
        `apt-get source --download-only ${quoted(`${source.package}=${source.version}`)} && sha256sum ${quoted(source.package)}_*`,
      ),
    ];
  const from = {
    upstream: source.repository,
    bundled: 'files of this package',
    directory: 'a directory',
    url: 'another repository than the publisher’s',
  }[source.from];
  const list = [
    source.from === 'directory'
      ? directoryStatement(source)
      : say(
          source.from === 'upstream' || source.from === 'bundled' ? 'source-commit' : 'source-not-upstream',
          `The source is commit ${source.commit}${source.tag === undefined ? '' : ` (tag ${source.tag})`} of ${from}, tree SHA-256 ${source.treeSha256}.`,
          ['/source'],
          `git clone ${quoted(source.repository)} && git rev-parse ${quoted(source.tag ?? source.commit)}`,
        ),
  ];
  if (source.tag !== undefined && source.tagSignedBy !== undefined)
    list.push(
      say(
        'source-tag-signed',
        `The tag ${source.tag} is signed by the OpenPGP key ${source.tagSignedBy}.`,
        ['/source/tagSignedBy'],
        `git verify-tag ${quoted(source.tag)}`,
      ),
    );
  if (source.submodules.length > 0)
    list.push(
      say(
        'source-submodules',
        `The source includes ${count(source.submodules.length, 'submodule')}: ${some(
          source.submodules.map(({ path, commit }) => `${path} at ${commit}`),
          SHOWN,
        )}.`,
        ['/source/submodules'],
        `git submodule status --recursive`,
      ),
    );
  if (source.lfs.length > 0)
    list.push(
      say(
        'source-lfs',
        `The source includes ${count(source.lfs.length, 'file')} of Git LFS: ${some(
          source.lfs.map(({ path, sha256 }) => `${path} (SHA-256 ${sha256})`),
          SHOWN,
        )}.`,
        ['/source/lfs'],
        `git lfs ls-files --long`,
      ),
    );
  return list;
}

/** Whatever its own repository says of it: the files need not be those of any commit. */
function directoryStatement({
  commit,
  repository,
  treeSha256,
}: Extract<SourceRecord, { kind: 'git' }>): Statement {
  return say(
    'source-not-upstream',
    `The source is a directory that was handed over (tree SHA-256 ${treeSha256}), not the publisher’s repository: nobody checked that its files are those of commit ${commit}.`,
    ['/source'],
    `git clone ${quoted(repository)} upstream && git -C upstream checkout ${quoted(commit)} && diff -r upstream DIRECTORY`,
  );
}

export function originStatements({ origins, linkable, unopened, carried }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  const isCarried = (origin: Origin): origin is Extract<Origin, { kind: 'carried' }> =>
    origin.kind === 'carried';
  for (const [at, origin] of origins.entries())
    if (isCarried(origin))
      list.push(
        say(
          'origin-carried',
          `${origin.member} was carried in, not built: it was in ${origin.from} before the build began (${origin.by === 'bytes' ? 'the same bytes' : 'the same allocated sections'}).`,
          [`/origins/${at}`],
          `sha256sum ${quoted(origin.member)} ${quoted(origin.from)}   # of both, unpacked`,
        ),
      );
  const built = origins.filter((origin) => origin.kind === 'built');
  const pure = built.filter((origin) => origin.mayContain.length === 0);
  if (pure.length > 0)
    list.push(
      say(
        'origin-built',
        `${count(pure.length, 'executable member')} ${pure.length === 1 ? 'was' : 'were'} built from source.`,
        ['/origins'],
        'find SOURCE -type f -exec sha256sum {} +   # none has the digest of such a member',
      ),
    );
  if (built.length > pure.length)
    list.push(
      say(
        'origin-may-contain',
        `${count(built.length - pure.length, 'executable member')} came out of the build and may contain ${count(linkable.count, 'object or static archive')} that existed before it.`,
        ['/origins', '/linkable'],
        'read the linker’s command lines in the log',
      ),
    );
  for (const side of ['inputs', 'outputs'] as const) {
    const { count: n, shown } = unopened?.[side] ?? { count: 0, shown: [] };
    if (n > 0)
      list.push(
        say(
          `unopened-${side}`,
          `${count(n, 'archive')} among the ${side} of the build could not be looked into, so the origin of what ${n === 1 ? 'it holds' : 'they hold'} is not known: ${some(
            shown.map(({ place, reason }) => `${place} (${clause(reason)})`),
            SHOWN,
          )}.`,
          [`/unopened/${side}`],
          'unpack them by hand',
        ),
      );
  }
  for (const [at, binary] of carried.entries())
    list.push(
      say(
        'carried-known',
        `The recipe knows ${binary.path} as a binary that nobody builds here: ${clause(binary.note)}.`,
        [`/carried/${at}`],
        binary.reference === undefined
          ? `find SOURCE -path ${quoted(`*/${binary.path}`)} -exec sha256sum {} +`
          : fetching(binary.reference),
      ),
    );
  return list;
}

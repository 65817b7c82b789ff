// SPDX-License-Identifier: Apache-2.0
/**
 * A package of a publisher's own Debian repository, led there by the publisher's signature: the signed list, the index that
 * it names by digest, the file that the index names.
 * https://wiki.debian.org/DebianRepository/Format
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import type { DebianRepositoryAcquisition } from '../../model.js';
import { binariesIn } from './debian-binaries.js';
import { isPlainPath } from './debian-release.js';
import { indexedFile } from './mirror-file.js';
import { withKeyring } from '../openpgp.js';
import { listing, notThere, type RepositoryOutcome } from '../channels/repository-outcome.js';
import { assertNotOlder } from '../channels/seen-index.js';
import { readSignedRelease, type ReleaseContext } from './signed-release.js';

export interface RepositoryContext extends ReleaseContext {
  /** Its recipes/keys holds the keys that recipes name. */
  readonly packageRoot: string;
}

const HINTS = {
  'unknown-key': 'look for a statement of the publisher about a new key before you trust this one',
  untrusted:
    'the server delivers something else than the publisher signed: try again later, or from another network',
  old: 'the publisher’s server is behind with its index: try again later',
};
const HINT = 'the repository may be in the middle of an update: try again later';

/** @throws FailedHere `index-signature`, `index-stale`, `index-unreadable`, `mirror-incomplete`, `network`, `missing-tool` … */
export async function fetchFromDebianRepository(
  wanted: DebianRepositoryAcquisition,
  context: RepositoryContext,
): Promise<RepositoryOutcome> {
  const { url, suite, component, architecture, key } = wanted;
  const what = `the signed index of ${url} ${suite}`;
  const armoured = await armouredKey(key.file, context);
  const signed = await withKeyring(armoured, (keyring) =>
    readSignedRelease(
      { mirror: url, suite, what, keyring, fingerprints: key.fingerprints, publisher: true, hints: HINTS },
      context,
    ),
  );
  if (signed.kind === 'gone')
    return notThere('index-gone', `${what} is not there: ${signed.url} does not exist`);
  const { release, sha256, signedBy } = signed;
  await assertNotOlder(context.cache, {
    what,
    id: `debian/${[...key.fingerprints].toSorted().join('+')}/${url}/${suite}`,
    time: Date.parse(release.date),
    sha256,
  });
  const binaries = await binariesIn(
    signed,
    { component, architecture, packages: [wanted.package] },
    { ...context, mirror: url, hint: HINT },
  );
  const [binary, second] = binaries.filter(({ version }) => version === wanted.version);
  if (second !== undefined)
    throw new FailedHere(
      'index-unreadable',
      `${what} lists ${wanted.package} ${wanted.version} for ${architecture} and for all`,
    );
  if (binary === undefined)
    return notThere(
      'version-not-in-index',
      `no ${wanted.package} ${wanted.version} for ${architecture}: ${signed.url} of ${release.date} lists ${listing(
        binaries.map(({ version }) => version),
        wanted.package,
      )}`,
    );
  const file = await indexedFile(context.cache, {
    mirror: url,
    path: binary.path,
    what: `the published file ${path.posix.basename(binary.path)}`,
    expected: { size: binary.size, sha256: binary.sha256 },
    hint: HINT,
    signal: context.signal,
    onProgress: context.onProgress,
    phase: 'published',
  });
  return {
    ...file,
    index: { url: signed.url, sha256, date: release.date, signedBy },
    notes: [`${signed.url} of ${release.date} lists ${wanted.package} ${wanted.version} as ${binary.path}`],
  };
}

/** @throws FailedHere `unreadable-input` */
async function armouredKey(file: string, { packageRoot }: RepositoryContext): Promise<string> {
  if (!isPlainPath(file) || file.includes('/')) throw new TypeError(`not the name of a key: ${file}`);
  try {
    return await fs.readFile(path.join(packageRoot, 'recipes/keys', file), 'utf8');
  } catch (cause) {
    throw new FailedHere(
      'unreadable-input',
      `the key recipes/keys/${file}, which signs the index, is not there`,
      {
        cause,
        hint: 'put the publisher’s armoured public key there; its fingerprint must be the one in the recipe',
      },
    );
  }
}

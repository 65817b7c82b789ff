// SPDX-License-Identifier: Apache-2.0
/**
 * What a Debian archive publishes of one source package, led there by the archive's own signature: InRelease, then the
 * indexes that it lists, then their entries. The mirror that delivers them is not trusted and enters no fact.
 * https://wiki.debian.org/DebianRepository/Format.
 */
import { promises as fs } from 'node:fs';
import { FailedHere, UsageError } from '../../errors.js';
import type { DebianSource, Fact, Lookup, OnProgress } from '../../model.js';
import { recall, remember } from '../cache.js';
import type { ParagraphStream } from '../../formats/deb822.js';
import { DebianIndexReader } from './debian-index.js';
import { packagesIndexes, readIndex } from './packages-index.js';
import { inOurWords, readSignedRelease, type SignedRelease } from './signed-release.js';

export type DebianLookup = Extract<Lookup, { kind: 'debian-source' }>;
export type DebianFact = Extract<Fact, { kind: 'debian-source' }>;

export interface DebianContext {
  /** Address of the archive, e.g. what the machine's package manager uses. */
  readonly mirror: string;
  readonly cache: string;
  /** Public keys that may sign; default the system's Debian archive keyring. */
  readonly keyring?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Where distributions put the keyring; Debian 13 renamed it. */
const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyring/debian-archive-keyring.gpg',
];
/** Part of the cache key: to be raised when the reading of indexes changes. */
const READER = 1;

export async function debianKeyring(): Promise<string> {
  for (const file of KEYRINGS)
    if ((await fs.stat(file).catch(() => undefined))?.isFile() === true) return file;
  throw new FailedHere(
    'missing-tool',
    'the keys of the Debian archive are not installed; they are needed to check its index',
    {
      hint: 'install them: apt-get install debian-archive-keyring',
    },
  );
}

/** A second look-up of the same state of the archive costs one small fetch. */
export async function lookUpDebianSource(lookup: DebianLookup, context: DebianContext): Promise<DebianFact> {
  const { suite, component, package: name, architecture } = lookup;
  if (
    !/^[a-z][a-z0-9.-]*$/.test(suite) ||
    !/^[a-z][a-z0-9-]*$/.test(component) ||
    !/^[a-z0-9-]+$/.test(architecture)
  )
    throw new UsageError(
      'bad-lookup',
      `not a suite, component and architecture: ${suite}, ${component}, ${architecture}`,
    );
  const signed = await signedRelease(suite, context);
  const { release, sha256, signedBy } = signed;
  if (!release.components.includes(component) || !release.architectures.includes(architecture))
    throw new FailedHere(
      'mirror-incomplete',
      `suite ${suite} has no ${component} for ${architecture}: it has ${release.components.join(', ')} for ${release.architectures.join(', ')}`,
    );
  const sources = await readSources(lookup, signed, context);
  return {
    kind: 'debian-source',
    suite,
    component,
    package: name,
    architecture,
    release: { sha256, date: release.date, signedBy },
    sources,
  };
}

/** The `InRelease` of a suite of Debian's archive, checked against the keyring, its name and its date. */
export async function signedRelease(suite: string, context: DebianContext): Promise<SignedRelease> {
  const what = `the signed index of Debian ${suite}`;
  const outcome = await readSignedRelease(
    {
      mirror: context.mirror,
      suite,
      what,
      keyring: context.keyring ?? (await debianKeyring()),
      hints: {
        'unknown-key': 'the installed keys may be too old: apt-get install debian-archive-keyring',
        untrusted:
          'the mirror delivers something else than Debian: name another one in SAMESOURCE_DEBIAN_MIRROR',
        old: 'the mirror is out of date: name another one in SAMESOURCE_DEBIAN_MIRROR',
      },
    },
    context,
  );
  if (outcome.kind === 'signed') return outcome;
  throw new FailedHere('mirror-incomplete', `${what} is not on the mirror (gone at ${outcome.url})`, {
    hint: 'check the suite and the address of the archive (SAMESOURCE_DEBIAN_MIRROR)',
  });
}

async function readSources(
  lookup: DebianLookup,
  signed: SignedRelease,
  context: DebianContext,
): Promise<readonly DebianSource[]> {
  const { component, package: name, architecture } = lookup;
  const key = ['debian-source', READER, signed.sha256, component, name, architecture].join('/');
  const known = await recall(context.cache, key);
  if (known !== undefined) return JSON.parse(known) as readonly DebianSource[];

  const reader = inOurWords('the package name', () => new DebianIndexReader(name, architecture));
  const read = (path: string, into: ParagraphStream): Promise<void> => readIndex(path, into, signed, context);
  await read(`${component}/source/Sources`, reader.readSources());
  for (const index of packagesIndexes(signed.release, component, architecture))
    await read(index, reader.readPackages());
  const sources = reader.sources();
  await remember(context.cache, key, JSON.stringify(sources));
  return sources;
}

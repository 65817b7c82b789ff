// SPDX-License-Identifier: Apache-2.0
/** What must be known from outside before a plan can be made: tags, commit subjects, signed archive indexes. */
import type { Fact, GitRef, Lookup, OnProgress } from '../model.js';
import { lookUpDebianSource } from './debian/debian-archive.js';
import { debianMirror } from './debian/debian-mirror.js';
import { dispatcher } from './http/http-proxy.js';
import {
  git,
  gitChecked,
  gitError,
  gitFailure,
  isCommitId,
  isPlainRef,
  isRepositoryAddress,
  succeeded,
} from './source/git.js';
import { bareClone, RepositoryMissing } from './source/git-cache.js';
import { imageDigest } from './image-digest.js';
import { sourceFiles } from './source/source-files.js';
import { FailedHere, UsageError, VerifyError, type FailureClass } from '../errors.js';

export interface LookUpOptions {
  readonly cache: string;
  /** Address of the Debian archive; default what this machine uses. */
  readonly debianMirror?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * An `optional` look-up that the network does not answer is left out, and said.
 * @throws VerifyError `source-missing-for-version`
 */
export async function lookUp(lookups: readonly Lookup[], options: LookUpOptions): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for (const lookup of lookups) {
    try {
      facts.push(await lookUpOne(lookup, options));
    } catch (error) {
      const gone = error instanceof RepositoryMissing;
      const unanswered = gone || (error instanceof FailedHere && UNANSWERED.has(error.code));
      if (!unanswered) throw error;
      const { message } = error;
      if (isOptional(lookup))
        options.onProgress?.({ kind: 'note', text: `planning without a look-up: ${message}` });
      else if (gone) throw new VerifyError('source-missing-for-version', `no such repository: ${message}`);
      else throw error;
    }
  }
  return facts;
}

const UNANSWERED: ReadonlySet<string> = new Set<FailureClass>(['network', 'time-limit', 'rate-limited']);

function isOptional(lookup: Lookup): boolean {
  return lookup.kind !== 'debian-source' && lookup.optional === true;
}

async function lookUpOne(lookup: Lookup, options: LookUpOptions): Promise<Fact> {
  switch (lookup.kind) {
    case 'git-refs':
      return {
        kind: lookup.kind,
        repository: lookup.repository,
        refs:
          lookup.dates === true
            ? await datedRefs(lookup.repository, options)
            : await refsOf(lookup.repository, options),
      };
    case 'git-subjects': {
      const { kind, repository, pattern } = lookup;
      return { kind, repository, commits: await subjectsOf(repository, pattern, options) };
    }
    case 'source-files':
      return await sourceFiles(lookup, options);
    case 'image-digest': {
      const { kind, reference } = lookup;
      return { kind, reference, digest: await imageDigest(reference, options.signal) };
    }
    case 'debian-source': {
      // what will ask it is loaded while apt says where it is
      const [mirror] = await Promise.all([options.debianMirror ?? debianMirror(), dispatcher()]);
      return await lookUpDebianSource(lookup, {
        mirror,
        cache: options.cache,
        signal: options.signal,
        onProgress: options.onProgress,
      });
    }
  }
}

/** Tags and branches; annotated tags are peeled (gitrevisions(7), `^{}`). */
export async function refsOf(repository: string, options: LookUpOptions): Promise<readonly GitRef[]> {
  if (!isRepositoryAddress(repository))
    throw new UsageError('bad-repository', `not the address of a repository: ${repository}`);
  const args = ['ls-remote', '--heads', '--tags', '--', repository];
  const listed = await git(args, { signal: options.signal });
  if (!succeeded(listed)) {
    const failure = gitFailure(listed);
    throw failure.kind === 'not-found' ? new RepositoryMissing(failure.said) : gitError(args, listed);
  }
  const listing = listed.stdout.toString('utf8');
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [commit = '', name = ''] = line.split('\t');
    const plain = name.endsWith('^{}') ? name.slice(0, -3) : name;
    // the peeled line follows its tag and replaces it
    if (isCommitId(commit) && isPlainRef(plain)) refs.set(plain, commit);
  }
  return [...refs].map(([name, commit]) => ({ name, commit }));
}

/** As `refsOf`, with the day that each tag or commit states: that takes the history, without its trees. */
async function datedRefs(repository: string, options: LookUpOptions): Promise<readonly GitRef[]> {
  const directory = await bareClone(repository, options);
  const listing = await gitChecked(
    ['for-each-ref', '--format=%(objectname) %(*objectname) %(creatordate:unix) %(refname)'],
    { cwd: directory, signal: options.signal },
  );
  return listing.split('\n').flatMap((line): GitRef[] => {
    const [, object = '', peeled = '', seconds = '', name = ''] =
      /^([0-9a-f]+) ([0-9a-f]*) (\d*) (.+)$/.exec(line) ?? [];
    const commit = peeled === '' ? object : peeled;
    if (!isCommitId(commit) || !isPlainRef(name)) return [];
    return [{ name, commit, ...(seconds === '' ? {} : { date: dayOf(seconds) }) }];
  });
}

/** Seconds since the epoch to YYYY-MM-DD; upstream can write any number. */
function dayOf(seconds: string): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? '9999-12-31' : date.toISOString().slice(0, 10);
}

async function subjectsOf(
  repository: string,
  pattern: string,
  options: LookUpOptions,
): Promise<readonly { readonly commit: string; readonly subject: string; readonly date: string }[]> {
  const wanted = new RegExp(pattern);
  const directory = await bareClone(repository, options);
  const log = await gitChecked(['log', '--all', '--format=%H%x09%ct%x09%s'], {
    cwd: directory,
    signal: options.signal,
  });
  return log.split('\n').flatMap((line) => {
    const [commit = '', seconds = '', ...words] = line.split('\t');
    const subject = words.join('\t');
    return isCommitId(commit) && wanted.test(subject) ? [{ commit, subject, date: dayOf(seconds) }] : [];
  });
}

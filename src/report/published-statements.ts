// SPDX-License-Identifier: Apache-2.0
/** Where the published files of a run came from, in sentences. */
import { clause, count, fetching, quoted, some } from './say.js';
import type { PublishedOrigin, RunRecord, Statement } from './types.js';

const SHOWN = 5;

export function publishedStatements({ published = [] }: Pick<RunRecord, 'published'>): Statement[] {
  return [
    ...published.flatMap((origin, at) =>
      origin.from === 'site-files'
        ? []
        : [originStatement(origin, at), ...indexStatements(origin, at), ...signatureStatements(origin, at)],
    ),
    ...siteStatements(published.filter(({ from }) => from === 'site-files')),
  ];
}

function originStatement({ file, from, fetched, digestFrom, phone }: PublishedOrigin, at: number): Statement {
  const basis = [`/run/published/${at}`];
  const check = `sha256sum ${quoted(file)}`;
  switch (from) {
    case 'handed-over':
      return {
        code: 'published-handed-over',
        sentence: `${file} was handed over by whoever ran this: this run did not get it from the channel itself.`,
        basis,
        check,
      };
    case 'bundled':
      return { code: 'published-bundled', sentence: `${file} is a file of this package.`, basis, check };
    case 'debian-archive':
      return {
        code: 'published-from-archive',
        sentence: `${file} came from the Debian archive, with the SHA-256 of its signed index.`,
        basis,
        check,
      };
    case 'phone':
      return { code: 'published-from-phone', sentence: phoneSentence(file, phone), basis, check };
    case 'url':
    case 'latest-json':
    case 'github-release':
    case 'site-files':
    case 'fdroid':
    case 'debian-repository': {
      if (fetched === undefined)
        return {
          code: 'published-from-cache',
          sentence: `${file} lay in the cache with the SHA-256 that ${digestFrom ?? 'was expected'} states.`,
          basis,
          check,
        };
      const { url, hops, time } = fetched;
      const over =
        hops.length === 0 ? '' : `, over ${count(hops.length, 'redirect')} to ${hops.at(-1)?.to ?? ''}`;
      const digest =
        digestFrom === undefined
          ? 'nobody had stated its SHA-256 beforehand'
          : `its SHA-256 is the one that ${digestFrom} stated`;
      return {
        code: 'published-fetched',
        sentence: `${file} was fetched from ${url} at ${time}${over}; ${digest}.`,
        basis,
        check: `${fetching(url)} | sha256sum`,
      };
    }
  }
}

/** One for all: which file came when from which address stands in the run part. */
function siteStatements(files: readonly PublishedOrigin[]): Statement[] {
  const times = files.flatMap(({ fetched }) => (fetched === undefined ? [] : [fetched.time])).toSorted();
  const [first] = times;
  if (first === undefined) return [];
  return [
    {
      code: 'published-from-site',
      sentence: `${count(files.length, 'file')} of the site ${files.length === 1 ? 'was' : 'were'} fetched between ${first} and ${times.at(-1) ?? first}, found by a scan of its pages, styles and scripts, of which nothing was run.`,
      basis: ['/run/published'],
      check: 'grep -o \'"url":"[^"]*"\' report.json   # the addresses, in the run part',
    },
  ];
}

function phoneSentence(file: string, phone: PublishedOrigin['phone']): string {
  const { versionName, versionCode, installer } = phone ?? {};
  const said = [
    ...(versionName === undefined ? [] : [`version ${versionName}`]),
    ...(versionCode === undefined ? [] : [`version code ${versionCode}`]),
    ...(installer === undefined ? [] : [`installed by ${installer}`]),
  ];
  const claims = said.length === 0 ? '' : ` (as the phone says: ${clause(said.join(', '))})`;
  return `${file} was pulled from a phone, where it is ${phone?.package ?? 'an app'}${claims}.`;
}

function indexStatements({ file, index }: PublishedOrigin, at: number): Statement[] {
  if (index === undefined) return [];
  const basis = [`/run/published/${at}/index`];
  const check = fetching(index.url);
  const list: Statement[] = [
    {
      code: 'published-index',
      sentence: `The index ${index.url} of ${index.date} (SHA-256 ${index.sha256}), which names ${file}, is signed by ${index.signedBy.join(', ')}.`,
      basis,
      check,
    },
  ];
  if (index.overdue !== undefined)
    list.push({
      code: 'published-index-overdue',
      sentence: `That index was older than it says that it should get: ${clause(index.overdue)}.`,
      basis: [`${basis[0] ?? ''}/overdue`],
      check,
    });
  if (index.listedSigners !== undefined)
    list.push({
      code: 'published-index-signers',
      sentence: `It names the certificate with SHA-256 ${some(index.listedSigners, SHOWN)} as the signer of ${file}.`,
      basis: [`${basis[0] ?? ''}/listedSigners`],
      check,
    });
  return list;
}

/** Where a comparison follows, its own sentences tell more. */
function signatureStatements({ signatures }: PublishedOrigin, at: number): Statement[] {
  return signatures.flatMap(({ file, status, signers }, index): Statement[] => {
    if (status === 'not-applicable') return [];
    const by = signers.length === 0 ? '' : ` by the certificate with SHA-256 ${some(signers, SHOWN)}`;
    const found = {
      verified: `is signed${by}, and the signature verifies`,
      invalid: `has a signature${by} that does not verify`,
      unchecked: `has a signature${by} that was not checked`,
      unsigned: 'is not signed',
    }[status];
    return [
      {
        code: `published-${status}`,
        sentence: `Before the build, ${file} was looked at: it ${found}.`,
        basis: [`/run/published/${at}/signatures/${index}`],
        check: `apksigner verify --print-certs ${quoted(file)}`,
      },
    ];
  });
}

// SPDX-License-Identifier: Apache-2.0
/** What was checked of a published file that nobody could build again, in sentences. */
import type { CheckName } from '../model.js';
import { clause, fetching, say, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

/** How to do each by hand. */
const BY_HAND = {
  package: 'aapt2 dump badging FILE | head -n 1',
  version: 'aapt2 dump badging FILE | head -n 1',
  signer: 'apksigner verify --print-certs FILE',
  continuity: 'apksigner verify --print-certs FILE   # and the same of the earlier file',
  'transparency-log': 'sha256sum FILE   # and look for it in the log',
} as const satisfies Record<CheckName, string>;

const INFO_PLIST = `python3 -c 'import plistlib, re, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); n = [n for n in z.namelist() if re.fullmatch(r"(Payload/)?[^/]+[.]app/(Contents/)?Info[.]plist", n)]; i = plistlib.loads(z.read(n[0])); print(i["CFBundleIdentifier"], i["CFBundleShortVersionString"])' FILE`;
/** Of an app of Apple's platforms. */
const BY_HAND_APPLE = {
  ...BY_HAND,
  package: INFO_PLIST,
  version: INFO_PLIST,
  signer: 'codesign --display --verbose=4 APP   # on a Mac',
  continuity: 'codesign --display --verbose=4 APP   # on a Mac, and the same of the earlier app',
} as const satisfies Record<CheckName, string>;

export function checkStatements(facts: DecidedFacts): Statement[] {
  const { checks, subject } = facts;
  if (checks === undefined) return [];
  const { obstacle, outcomes, compare, source } = checks;
  const list: Statement[] = [];
  const isApple = subject.published.some(({ name }) => /\.(?:ipa|app\.zip)$/i.test(name));
  const byHand = isApple ? BY_HAND_APPLE : BY_HAND;
  for (const [at, { check, outcome, detail }] of outcomes.entries())
    list.push(
      say(
        `check-${outcome}-${check}`,
        `The check ${check} ${outcome === 'not-run' ? 'was not run' : outcome}: ${clause(detail)}.`,
        [`/checks/outcomes/${at}`],
        byHand[check],
      ),
    );
  if (obstacle.code === 'needs-host')
    list.push(
      say(
        'needs-host-steps',
        `A build would need: ${obstacle.needs.map(clause).join('; ')}. It would do: ${obstacle.steps.map(clause).join('; ')}.`,
        ['/checks/obstacle'],
        source === undefined ? 'read the instructions of the makers' : fetching(source.repository),
      ),
    );
  if (compare.encryption !== undefined)
    list.push(
      say(
        'store-encryption',
        `The store encrypts what it delivers (${compare.encryption.scheme})${inThisFile(facts)}. Such a file shows: ${clause(compare.encryption.shows)}. It hides: ${clause(compare.encryption.hides)}.`,
        ['/checks/compare/encryption'],
        'otool -l BINARY | grep -A 4 LC_ENCRYPTION_INFO',
      ),
    );
  return list;
}

/** As far as it was read; where nothing was, or the file is another one, nothing. */
function inThisFile({ subject, verdict }: DecidedFacts): string {
  if (subject.published.length === 0 || verdict.kind !== 'unverifiable') return '';
  const reasons = verdict.reasons.filter(({ code }) => code === 'encrypted');
  if (reasons.length === 0) return '; no program of what was handed over is encrypted';
  return `; ${reasons.map(({ detail }) => clause(detail.split(';')[0] ?? '')).join('; ')}`;
}

/** Said of every such report, whatever passed. */
export function checksDoNotSay({ checks }: DecidedFacts): readonly { code: string; sentence: string }[] {
  if (checks === undefined) return [];
  return [
    {
      code: 'not-source',
      sentence:
        'None of these checks shows which source the file was built from, or that it was built from a source that anybody can read.',
    },
    {
      code: 'not-key-transparency',
      sentence:
        'A transparency log of keys shows which keys a service lists for its users; it is no check of the program, and none was made of it here.',
    },
  ];
}

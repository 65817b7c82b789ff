// SPDX-License-Identifier: Apache-2.0
/** One published file against its rebuilt twin: both ledgers, the proof, the signature, the findings. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileSource, type ByteSource } from '../bytes.js';
import type { SlotContent } from '../formats/code-signature-check.js';
import type { ZipStructure } from '../formats/zip.js';
import type { FileIdentity, OnProgress, RuleName, SignerPin } from '../model.js';
import { judgeAuthenticity, NOT_NEEDED, signatureOf } from './authenticity.js';
import { withSdkVerdicts } from './sdk-signatures.js';
import { nameEncoders } from './encoders.js';
import { FileFacts } from './file-facts.js';
import { identityOf } from './identity.js';
import { isProgram, tellEncrypted } from './ipa/encrypted-members.js';
import { isWorse } from './ledger.js';
import { rules } from './rules/index.js';
import { proveByTransplant } from './zip/transplant.js';
import { observeArchive } from './zip/observations.js';
import type { AppliedRule, PairComparison, Proof, Side } from './types.js';
import { coverageOf } from './coverage.js';
import { compareNode } from './compare-node.js';
import { containerFor, formatOf } from './containers.js';
import { DEFAULT_LIMITS, Walk, type Limits } from './walk.js';

export interface CompareOptions {
  /** What the report calls the files; default their base names. */
  readonly publishedName?: string;
  readonly rebuiltName?: string;
  /** `store-edit` rules to apply; `signature` rules always do. */
  readonly rules?: readonly RuleName[];
  /** Certificates of which one must have signed; none: any valid signature will do. */
  readonly signers?: readonly SignerPin[];
  readonly packageId?: string;
  /** Files beside a program of Apple's platforms that its signature has hashes of. */
  readonly slots?: (side: Side, slot: number) => ReturnType<SlotContent>;
  readonly limits?: Partial<Limits>;
  readonly temporaryDirectory?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** For all pairs of a set. */
export type SetOptions = Omit<CompareOptions, 'publishedName' | 'rebuiltName' | 'slots'>;

/** @throws FailedHere `unreadable-input` for a file that cannot be read */
export async function comparePair(
  publishedPath: string,
  rebuiltPath: string,
  options: CompareOptions = {},
): Promise<PairComparison> {
  const published = FileSource.open(publishedPath);
  try {
    const rebuilt = FileSource.open(rebuiltPath);
    try {
      return await compareSources(published, rebuilt, {
        publishedName: path.basename(publishedPath),
        rebuiltName: path.basename(rebuiltPath),
        ...options,
      });
    } finally {
      rebuilt.close();
    }
  } finally {
    published.close();
  }
}

/** As `comparePair`, over bytes from anywhere. */
export async function compareSources(
  published: ByteSource,
  rebuilt: ByteSource,
  options: CompareOptions,
): Promise<PairComparison> {
  const walk = new Walk(
    {
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      rules: new Set(options.rules ?? []),
      pinned: new Set(options.signers?.map(({ sha256 }) => sha256)),
      temporaryDirectory: options.temporaryDirectory ?? tmpdir(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    },
    new FileFacts(published, rebuilt),
    { compareNode, looksLikeContainer: (p, r) => containerFor(p, r) !== undefined },
  );
  const { slots } = options;
  if (slots !== undefined && isProgram(published)) walk.slotContent = (side, _, slot) => slots(side, slot);
  try {
    const root = await walk.compareNode(published, rebuilt, { path: [], depth: 0 });
    countRules(walk);
    await tellEncrypted(walk, published);
    const publishedFile: FileIdentity = {
      name: options.publishedName ?? 'published',
      size: published.size,
      sha256: await walk.facts.sha256('published'),
    };
    const rebuiltFile: FileIdentity = {
      name: options.rebuiltName ?? 'rebuilt',
      size: rebuilt.size,
      // equal bytes have one digest
      sha256: root.worst === 'identical' ? publishedFile.sha256 : await walk.facts.sha256('rebuilt'),
    };
    const expected = { signers: options.signers ?? [], packageId: options.packageId };
    const notNeeded =
      root.worst === 'identical' && expected.signers.length === 0 && expected.packageId === undefined;
    const equal = root.worst === 'identical' ? observeEqual(walk, published) : undefined;
    const read =
      walk.signature ??
      (notNeeded ? { record: NOT_NEEDED } : await signatureOf(published, walk.options.limits));
    reportDisagreement(walk);
    const zip = walk.transplant?.published.zip ?? equal;
    const reading = await identityOf(published, { walk, ...(zip === undefined ? {} : { zip }) });
    const signature = withSdkVerdicts(read.record, read.signatures, reading);
    const authenticity = judgeAuthenticity(signature, reading, expected, root.worst === 'identical');
    const encoders = await nameEncoders(walk.nodes, published);
    return {
      published: publishedFile,
      rebuilt: rebuiltFile,
      nodes: walk.nodes,
      worst: root.worst,
      proof: prove(walk, root.worst, publishedFile),
      signature,
      ...(authenticity.notes.length === 0 ? {} : { signerNotes: authenticity.notes }),
      identity: reading.identity,
      coverage: coverageOf(walk.nodes, !isWorse(root.worst, 'reencoded')),
      differences: walk.differences,
      differencesCut: walk.differencesCut,
      ...(walk.observations.length === 0 ? {} : { observations: walk.observations }),
      rules: appliedRules(walk),
      ...(encoders === undefined ? {} : { encoders }),
      unverifiable: [...walk.unverifiable, ...authenticity.unverifiable],
      notAuthentic: [...walk.notAuthentic, ...authenticity.notAuthentic],
      decoders: [...walk.decoders].sort().map(([name, version]) => ({ name, version })),
    };
  } finally {
    await walk.close();
  }
}

/** Equal files were not looked into; what readers make of them is said all the same. */
function observeEqual(walk: Walk, published: ByteSource): ZipStructure | undefined {
  if (formatOf(published) !== 'zip') return undefined;
  const { zip, observations } = observeArchive(published);
  walk.observe(observations);
  return zip;
}

function reportDisagreement(walk: Walk): void {
  if (walk.disagreement === undefined) return;
  const detail = `readers-disagree: node-stream-zip sees ${walk.disagreement}`;
  walk.report({ kind: 'unread', path: [], code: 'readers-disagree', detail });
  walk.cannotVerify('unread', detail);
}

/** Bytes that a rule leaves out may be taken from the published file; what is packed differently cannot be made again. */
function prove(walk: Walk, worst: PairComparison['worst'], published: FileIdentity): Proof {
  if (worst === 'identical') return { kind: 'equal-bytes' };
  if (worst === 'signature' && walk.remake !== undefined) return walk.remake();
  if (walk.transplant === undefined)
    return { kind: 'none', why: 'only APKs are made again from the rebuilt file' };
  const { reencoded = 0 } = walk.nodes[0]?.published.sums ?? {};
  if (isWorse(worst, 'excluded') || (worst === 'excluded' && reencoded > 0) || worst === 'reencoded')
    return { kind: 'none', why: `the ledgers hold ${worst} bytes` };
  return proveByTransplant(walk.transplant.published, walk.transplant.plan(), published.sha256);
}

/** Rules of programs count where the root shows them; one that only a member shows has no bytes of the root. */
function countRules(walk: Walk): void {
  for (const [index, { published, rebuilt, format }] of walk.nodes.entries())
    for (const side of [published, rebuilt])
      for (const { rule, length } of side.runs)
        if (rule !== undefined && (index === 0 ? format.startsWith('mach-o') : !walk.ruleBytes.has(rule)))
          walk.coverByRule(rule, side === published ? 'published' : 'rebuilt', index === 0 ? length : 0);
}

function appliedRules(walk: Walk): AppliedRule[] {
  const asked = new Set<RuleName>([...walk.options.rules, ...walk.ruleBytes.keys()]);
  return [...asked].sort().map((rule) => {
    const { class: ruleClass, title, reason, reference } = rules[rule];
    const bytes = walk.ruleBytes.get(rule);
    return {
      rule,
      class: ruleClass,
      title,
      reason,
      reference,
      publishedBytes: bytes?.published ?? 0,
      rebuiltBytes: bytes?.rebuilt ?? 0,
      needed: bytes !== undefined,
    };
  });
}

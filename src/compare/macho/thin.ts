// SPDX-License-Identifier: Apache-2.0
/**
 * Two Mach-O files of one architecture, structure by structure: bytes decide, and only a signature, what follows from it,
 * and a range that is encrypted have other owners than `identical` and `different`.
 */
import { equalRange, SliceSource, type ByteSource } from '../../bytes.js';
import { isPlausibleRange } from '../../formats/macho-encryption.js';
import type { Region } from '../../formats/region.js';
import type { RuleName } from '../../model.js';
import { compareLeaf } from '../leaf.js';
import { LedgerBuilder, oneSided } from '../ledger.js';
import { RegionQueue } from '../region-queue.js';
import type { LedgerNode, Owner, Side } from '../types.js';
import { node, type Place, type Walk } from '../walk.js';
import { causeOf } from './causes.js';
import { encryptedRange, isEncrypted, isOfLinker, type EncryptedRange } from './fairplay.js';
import { remake } from './remake.js';
import { judgeSignatures, type SignatureJudgement } from './signature-owner.js';
import { openThinSide, type ThinSide } from './thin-side.js';
import { tellSignatures } from './tell-signatures.js';

const SIGNING = 'macho-code-signature' satisfies RuleName;
const ENCRYPTION = 'appstore-encryption-info' satisfies RuleName;

/** Sizes and counts that say something about the signature behind them. */
const FOLLOWS: ReadonlySet<string> = new Set([
  'mach-o/command-count',
  'mach-o/commands-size',
  'mach-o/header-fill',
  'mach-o/fill-before-signature',
  'mach-o/place-of-signature',
  'mach-o/size-of-signature',
  'mach-o/LC_CODE_SIGNATURE',
  'mach-o/linkedit-memory-size',
  'mach-o/linkedit-file-size',
]);
/** Those that also follow from a command about encryption. */
const COMMANDS: ReadonlySet<string> = new Set([
  'mach-o/command-count',
  'mach-o/commands-size',
  'mach-o/header-fill',
]);

interface Judged {
  readonly owner: Owner;
  readonly rule: RuleName | '';
}

export interface Trust {
  /** The file itself, or a program of the app that is compared: its signature says something. */
  readonly trusted: boolean;
  /** It can be made again from the rebuilt one, so that bytes may be those of a signature. */
  readonly exact: boolean;
}

export function compareThin(
  walk: Walk,
  published: ByteSource,
  rebuilt: ByteSource,
  place: Place,
  { trusted, exact }: Trust,
): LedgerNode {
  const content = trusted ? walk.slotContent : undefined;
  const p = openThinSide('published', published, (slot) => content?.('published', place.path, slot));
  const r = openThinSide('rebuilt', rebuilt, (slot) => content?.('rebuilt', place.path, slot));
  const signatures = judgeSignatures(p, r, { trusted, exact });
  const encrypted = trusted ? encryptedRange(p, r) : undefined;
  const sides = { published: new LedgerBuilder(published.size), rebuilt: new LedgerBuilder(rebuilt.size) };
  const comparison = new ThinComparison(walk, place, p, r, sides, signatures, encrypted);
  comparison.run();
  if (trusted) tellSignatures(walk, place, p, r);
  tellEncryption(walk, place, p, r, encrypted);
  for (const own of [p, r])
    for (const { code, offset, size, detail } of own.layout.issues)
      if (code === 'macho/overlap' || !isSame(p, r, offset, size))
        walk.report({
          kind: 'malformed',
          path: place.path,
          side: own.side,
          code,
          offset,
          detail: `${size} bytes ${detail}`,
        });
  if (place.depth === 0 && exact) walk.remake = () => remake(walk, p, r);
  return node(place, 'mach-o', sides.published.finish(), sides.rebuilt.finish(), []);
}

function isSame(p: ThinSide, r: ThinSide, offset: number, size: number): boolean {
  const inBoth = offset + size <= p.source.size && offset + size <= r.source.size;
  return inBoth && equalRange(p.source, offset, r.source, offset, size);
}

class ThinComparison {
  readonly #walk: Walk;
  readonly #place: Place;
  readonly #p: ThinSide;
  readonly #r: ThinSide;
  readonly #sides: Readonly<Record<Side, LedgerBuilder>>;
  readonly #signatures: SignatureJudgement;
  readonly #encrypted: EncryptedRange | undefined;
  /** Of the signature's parts, by side and offset. */
  readonly #parts: ReadonlyMap<string, Owner>;
  /** The commands that one side has alone are only those that signing or encryption adds. */
  readonly #commands: Judged | undefined;

  constructor(
    walk: Walk,
    place: Place,
    p: ThinSide,
    r: ThinSide,
    sides: Readonly<Record<Side, LedgerBuilder>>,
    signatures: SignatureJudgement,
    encrypted: EncryptedRange | undefined,
  ) {
    this.#walk = walk;
    this.#place = place;
    this.#p = p;
    this.#r = r;
    this.#sides = sides;
    this.#signatures = signatures;
    this.#encrypted = encrypted;
    this.#parts = new Map(
      (['published', 'rebuilt'] as const).flatMap((side) =>
        signatures[side].map((part) => [`${side}/${part.offset}`, part.owner] as const),
      ),
    );
    this.#commands = this.#judgeCommands();
  }

  run(): void {
    const waiting = new RegionQueue(this.#regions(this.#r));
    let reached = -1;
    for (const a of this.#regions(this.#p)) {
      const inOrder = (waiting.peek(a.kind)?.offset ?? -1) > reached;
      const b = inOrder ? waiting.take(a.kind) : undefined;
      reached = b?.offset ?? reached;
      this.#compare(a, b);
    }
    for (const b of waiting.rest()) this.#compare(undefined, b);
  }

  /** As laid out, with the signature in its parts, the encrypted range as one, and fill named by what it is for. */
  #regions({ side, layout, file, contentEnd }: ThinSide): Region[] {
    const headerEnd = file.headerSize + file.commandsSize;
    const range = this.#encrypted;
    const out: Region[] = [];
    for (const region of layout.regions) {
      if (region.kind === 'mach-o/code-signature') {
        const parts = this.#signatures[side];
        const [first] = parts;
        const last = parts.at(-1);
        // an overlap has cut it: nothing is known of its parts then
        const whole =
          first?.offset === region.offset &&
          last !== undefined &&
          last.offset + last.size === region.offset + region.size;
        out.push(...(whole ? parts : [region]));
        continue;
      }
      const kind =
        region.kind !== 'mach-o/fill'
          ? region.kind
          : region.offset === headerEnd
            ? 'mach-o/header-fill'
            : region.offset === contentEnd && region.offset + region.size === file.signature?.offset
              ? 'mach-o/fill-before-signature'
              : region.kind;
      if (range === undefined) {
        out.push({ ...region, kind });
        continue;
      }
      const [from, to] = [range.offset, range.offset + range.size];
      const end = region.offset + region.size;
      if (region.offset < from)
        out.push({ offset: region.offset, size: Math.min(end, from) - region.offset, kind });
      if (region.offset <= from && end > from) out.push({ ...range, kind: 'mach-o/encrypted' });
      if (end > to) {
        const start = Math.max(region.offset, to);
        out.push({ offset: start, size: end - start, kind });
      }
    }
    return out;
  }

  #compare(a: Region | undefined, b: Region | undefined): void {
    const kind = a?.kind ?? b?.kind ?? '';
    const equal =
      a !== undefined &&
      b !== undefined &&
      a.size === b.size &&
      equalRange(this.#p.source, a.offset, this.#r.source, b.offset, a.size);
    const isMarked =
      kind === 'mach-o/encrypted' || (kind === 'mach-o/cryptid' && this.#encrypted !== undefined);
    if (equal && !isMarked) return this.#own(a, b, { owner: 'identical', rule: '' });
    const judged = this.#judge(kind, a, b);
    if (judged.owner !== 'different') return this.#own(a, b, judged);
    this.#differs(kind, a, b);
  }

  #own(a: Region | undefined, b: Region | undefined, { owner, rule }: Judged): void {
    const by = owner === 'signature' || owner === 'excluded' ? rule : '';
    if (a !== undefined) this.#sides.published.add(a.offset, a.size, owner, a.kind, -1, by);
    if (b !== undefined) this.#sides.rebuilt.add(b.offset, b.size, owner, b.kind, -1, by);
  }

  #judge(kind: string, a: Region | undefined, b: Region | undefined): Judged {
    const different: Judged = { owner: 'different', rule: '' };
    if (kind === 'mach-o/encrypted') return { owner: 'encrypted', rule: '' };
    if (kind === 'mach-o/cryptid' && this.#encrypted !== undefined && a !== undefined && b !== undefined)
      return { owner: 'encrypted', rule: '' };
    const parts = [
      a && this.#parts.get(`published/${a.offset}`),
      b && this.#parts.get(`rebuilt/${b.offset}`),
    ];
    if (kind === 'mach-o/signature' || kind.startsWith('mach-o/signature-')) {
      const owners = parts.filter((owner) => owner !== undefined);
      if (owners.length === Number(a !== undefined) + Number(b !== undefined)) {
        const owner = owners.includes('different')
          ? 'different'
          : (owners.find((one) => one === 'unread') ?? owners[0] ?? 'different');
        return { owner, rule: SIGNING };
      }
    }
    if (COMMANDS.has(kind)) return this.#commands ?? different;
    if (FOLLOWS.has(kind)) return { owner: this.#signatures.follows, rule: SIGNING };
    if (kind === 'mach-o/encrypted-range' && a !== undefined && b !== undefined)
      return this.#encryptionRange() ?? different;
    if (
      kind.startsWith('mach-o/LC_ENCRYPTION_INFO') ||
      kind === 'mach-o/encrypted-range' ||
      kind === 'mach-o/cryptid'
    )
      if (a === undefined || b === undefined) return this.#encryptionAlone() ?? different;
    return different;
  }

  /** The store writes the range anew; it stays within bounds that let nothing else be said. */
  #encryptionRange(): Judged | undefined {
    const asked = this.#walk.options.rules.has(ENCRYPTION);
    if (!asked || !isPlausibleRange(this.#p.file) || !isPlausibleRange(this.#r.file)) return undefined;
    return { owner: 'excluded', rule: ENCRYPTION };
  }

  /** A linker that was told so writes no such command: the one that is there says what it always says. */
  #encryptionAlone(): Judged | undefined {
    const [one] = [this.#p, this.#r].filter(({ file }) => file.encryption !== undefined);
    if (one === undefined || !this.#walk.options.rules.has(ENCRYPTION) || !isOfLinker(one.file))
      return undefined;
    return { owner: isEncrypted(one.file) ? 'encrypted' : 'excluded', rule: ENCRYPTION };
  }

  #judgeCommands(): Judged | undefined {
    const [p, r] = [this.#p.file, this.#r.file];
    const added = (file: typeof p): readonly [count: number, size: number] => {
      const own = file.commands.filter(
        ({ name }) => name === 'LC_CODE_SIGNATURE' || name.startsWith('LC_ENCRYPTION_INFO'),
      );
      return [own.length, own.reduce((sum, { size }) => sum + size, 0)];
    };
    const [pAdded, rAdded] = [added(p), added(r)];
    const sameRest =
      p.commands.length - pAdded[0] === r.commands.length - rAdded[0] &&
      p.commandsSize - pAdded[1] === r.commandsSize - rAdded[1];
    if (!sameRest) return undefined;
    const judged: Judged[] = [];
    if ((p.signature === undefined) !== (r.signature === undefined))
      judged.push({ owner: this.#signatures.follows, rule: SIGNING });
    if ((p.encryption === undefined) !== (r.encryption === undefined)) {
      const alone = this.#encryptionAlone();
      if (alone === undefined) return undefined;
      judged.push(alone);
    }
    return judged.find(({ owner }) => owner !== 'signature') ?? judged[0];
  }

  #differs(kind: string, a: Region | undefined, b: Region | undefined): void {
    let bytes = 0;
    const { published, rebuilt } = this.#sides;
    if (a !== undefined && b !== undefined)
      compareLeaf(sliceOf(this.#p, a), sliceOf(this.#r, b), (side, offset, length, owner) => {
        if (owner !== 'identical' && side === 'published') bytes += length;
        this.#sides[side].add((side === 'published' ? a : b).offset + offset, length, owner, kind);
      });
    else {
      if (a !== undefined) published.add(a.offset, a.size, oneSided('published'), kind);
      if (b !== undefined) rebuilt.add(b.offset, b.size, oneSided('rebuilt'), kind);
      bytes = a?.size ?? b?.size ?? 0;
    }
    const cause = causeOf(
      kind,
      a && sliceOf(this.#p, a),
      b && sliceOf(this.#r, b),
      this.#p.file,
      this.#r.file,
    );
    this.#walk.report({
      kind: 'section',
      path: this.#place.path,
      section: kind,
      ...(a === undefined ? {} : { publishedSize: a.size }),
      ...(b === undefined ? {} : { rebuiltSize: b.size }),
      differentBytes: bytes,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function sliceOf({ source }: ThinSide, { offset, size }: Region): SliceSource {
  return new SliceSource(source, offset, size);
}

function tellEncryption(
  walk: Walk,
  { path }: Place,
  p: ThinSide,
  r: ThinSide,
  range: EncryptedRange | undefined,
): void {
  for (const { side, file, source } of [p, r]) {
    if (!isEncrypted(file)) continue;
    const where = [...path, file.architecture].join(' > ');
    if (range === undefined)
      walk.report({
        kind: 'malformed',
        path,
        side,
        code: 'macho/encryption-range',
        offset: file.encryption?.command.offset ?? 0,
        detail: 'marked as encrypted, in a range that the other side does not have',
      });
    walk.cannotVerify(
      'encrypted',
      `${side} ${where}: ${file.encryption?.size ?? 0} of ${source.size} bytes are encrypted by FairPlay (cryptid ${file.encryption?.id ?? 0}); nobody could read them`,
    );
  }
}

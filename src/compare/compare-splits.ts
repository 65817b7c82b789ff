// SPDX-License-Identifier: Apache-2.0
/** Deliveries of splits against the splits of a rebuilt bundle: paired by manifests, then compared pair by pair. */
import { sha256 } from '../bytes.js';
import type { AuthenticityReason, FileIdentity, Reason } from '../model.js';
import { printable } from '../printable.js';
import { DEFAULT_LIMITS } from './walk.js';
import { signatureOf } from './authenticity.js';
import { compareSources, type SetOptions } from './compare.js';
import type { DeviceSpecification } from './device-specification.js';
import { checkedBeside, idsigsAmong, isReadIdsig } from './idsig-beside.js';
import { isWorse } from './ledger.js';
import { matches } from './name-pattern.js';
import { assertOneVersion } from './one-version.js';
import type { OpenedSet, SetMember } from './set-members.js';
import {
  absenceOf,
  candidates,
  configurationsOf,
  deliveredGroups,
  othersOf,
  rebuiltVariants,
  splitsOf,
  type RebuiltVariant,
  type SplitGroup,
  type SplitMember,
} from './split-set.js';
import type {
  DeliveryRecord,
  IdsigRecord,
  PairComparison,
  SetComparison,
  SignatureRecord,
  SplitSetRecord,
} from './types.js';

export interface SplitDelivery {
  /** What the report calls it; names of its files begin with it where there are several. */
  readonly name: string;
  readonly set: OpenedSet;
  readonly device?: DeviceSpecification;
}

export interface SplitRequest {
  readonly deliveries: readonly SplitDelivery[];
  readonly rebuilt: OpenedSet;
  readonly notPublished?: readonly { readonly pattern: string; readonly reason: string }[];
  /** Of the version that was asked for. */
  readonly versionCodes?: readonly number[];
}

/** Whether files are to be paired by manifest: one is a split, or lay in an archive, or a device is known. */
export function isSplitSet(sets: readonly OpenedSet[]): boolean {
  return sets.some(
    (set) =>
      set.archives.length > 0 ||
      set.device !== undefined ||
      splitsOf(set).some(({ facts }) => facts.split !== ''),
  );
}

/** @throws UsageError `mixed-versions`, `other-version`, and what `rebuiltVariants` throws */
export async function compareSplits(request: SplitRequest, options: SetOptions = {}): Promise<SetComparison> {
  return await new SplitComparison(request, options).run();
}

interface ComparedPair {
  readonly published: SetMember;
  readonly rebuilt: SetMember;
  readonly pair: PairComparison;
}

class SplitComparison {
  readonly #request: SplitRequest;
  readonly #options: SetOptions;
  readonly #variants: readonly RebuiltVariant[];
  readonly #pairs: ComparedPair[] = [];
  readonly #unpaired: SetMember[] = [];
  readonly #used = new Set<SetMember>();
  readonly #deliveries: DeliveryRecord[] = [];
  readonly #missing = new Map<string, SplitSetRecord['missing'][number]>();
  readonly #absent = new Map<SetMember, SplitSetRecord['notDelivered'][number]['reason']>();
  readonly #issues: { readonly code: string; readonly detail: string }[] = [];
  readonly #idsigs: IdsigRecord[] = [];

  constructor(request: SplitRequest, options: SetOptions) {
    this.#request = request;
    this.#options = options;
    this.#variants = rebuiltVariants(request.rebuilt);
  }

  async run(): Promise<SetComparison> {
    const { deliveries, rebuilt } = this.#request;
    const members = deliveries.flatMap(({ set }) => splitsOf(set));
    const packages = this.#otherPackages(members);
    assertOneVersion(members, this.#request.versionCodes);
    for (const delivery of deliveries) await this.#deliver(delivery);
    const leftOver = await this.#others();
    const notAuthentic = [...packages, ...(await this.#mixedSigners())];
    const declared = ({ name }: SetMember) =>
      this.#request.notPublished?.find(({ pattern }) => matches(pattern, name));
    const bundle = [...new Set(this.#variants.flatMap(({ splits }) => [...splits.values()]))];
    const absent = bundle.filter((member) => !this.#used.has(member) && !this.#missing.has(member.name));
    return {
      pairs: this.#pairs.map(({ pair }) => pair),
      unpairedPublished: this.#unpaired.map(identityOfMember),
      notObtained: [],
      unpairedRebuilt: leftOver.filter((member) => declared(member) === undefined).map(identityOfMember),
      notPublished: leftOver.flatMap((member) => {
        const found = declared(member);
        return found === undefined ? [] : [{ name: member.name, reason: found.reason }];
      }),
      splits: {
        deliveries: this.#deliveries,
        notDelivered: absent.map((member) => ({
          name: member.name,
          reason: this.#absent.get(member) ?? 'other-variant',
        })),
        missing: [...this.#missing.values()],
        metadata: [
          ...deliveries.flatMap(({ name, set }) =>
            set.metadata.map((file) => ({ side: 'published' as const, name: this.#named(name, file) })),
          ),
          ...rebuilt.metadata.map((name) => ({ side: 'rebuilt' as const, name })),
        ],
        issues: this.#issues,
        notAuthentic,
      },
      ...(this.#idsigs.length === 0 ? {} : { idsigs: this.#idsigs }),
    };
  }

  // ---------------------------------------------------------------- one delivery

  async #deliver({ name, set, device }: SplitDelivery): Promise<void> {
    const { groups, twice } = deliveredGroups(splitsOf(set));
    for (const member of twice) {
      this.#issues.push({
        code: 'split-twice',
        detail: `${this.#named(name, member.name)} is the split ${shown(member)} once more`,
      });
      this.#unpair(name, member);
    }
    for (const group of groups) {
      const variant = await this.#variantFor(group, device);
      for (const member of group.splits.values()) {
        const twin = variant?.splits.get(member.facts.split);
        if (twin === undefined) this.#unpair(name, member);
        else await this.#compare(name, member, twin);
      }
      this.#record(name, group, variant, device);
      if (variant !== undefined) this.#absences(name, group, variant, device);
    }
  }

  #record(
    name: string,
    group: SplitGroup,
    variant: RebuiltVariant | undefined,
    device: DeviceSpecification | undefined,
  ): void {
    const { abis, densities, languages } = configurationsOf(group);
    this.#deliveries.push({
      name,
      files: [...group.splits.values()].map((member) => this.#named(name, member.name)),
      ...(variant === undefined
        ? {}
        : {
            variant: {
              minSdk: variant.minSdk,
              ...(variant.number === undefined ? {} : { number: variant.number }),
            },
          }),
      device: { derived: device === undefined, sdk: device?.sdk ?? 0, abis, densities, languages },
    });
  }

  #absences(
    delivery: string,
    group: SplitGroup,
    variant: RebuiltVariant,
    device: DeviceSpecification | undefined,
  ): void {
    for (const member of variant.splits.values()) {
      if (group.splits.has(member.facts.split)) continue;
      const absence = absenceOf(member, variant, group, device);
      if (absence.kind === 'not-delivered') this.#absent.set(member, absence.why);
      // of several devices the first
      else if (!this.#missing.has(member.name))
        this.#missing.set(member.name, { name: member.name, delivery, why: absence.why });
    }
  }

  /** What base manifest and device leave open is decided by the bytes of the base. */
  async #variantFor(
    group: SplitGroup,
    device: DeviceSpecification | undefined,
  ): Promise<RebuiltVariant | undefined> {
    const possible = candidates(group, this.#variants, device);
    const base = group.splits.get('');
    let best = possible[0];
    let worst: PairComparison['worst'] | undefined;
    if (possible.length < 2 || base === undefined) return best;
    for (const variant of possible) {
      const twin = variant.splits.get('');
      if (twin === undefined) continue;
      const pair = await compareSources(base.source, twin.source, this.#pairOptions(base.name, twin.name));
      if (worst !== undefined && !isWorse(worst, pair.worst)) continue;
      [best, worst] = [variant, pair.worst];
    }
    return best;
  }

  #unpair(delivery: string, member: SetMember): void {
    this.#unpaired.push({ ...member, name: this.#named(delivery, member.name) });
  }

  async #compare(delivery: string, published: SetMember, rebuilt: SetMember): Promise<void> {
    this.#used.add(rebuilt);
    const name = this.#named(delivery, published.name);
    if (this.#comparedBefore(published, rebuilt)) return;
    const at = this.#pairs.length;
    const started = performance.now();
    this.#options.onProgress?.({ kind: 'phase-started', phase: `compare-${at}`, title: `compare ${name}` });
    const pair = await compareSources(
      published.source,
      rebuilt.source,
      this.#pairOptions(name, rebuilt.name),
    );
    this.#pairs.push({ published, rebuilt, pair });
    this.#options.onProgress?.({
      kind: 'phase-finished',
      phase: `compare-${at}`,
      seconds: (performance.now() - started) / 1000,
      outcome: pair.worst,
    });
  }

  /** Another device got the very same file. */
  #comparedBefore(published: SetMember, rebuilt: SetMember): boolean {
    const before = this.#pairs.filter(
      (one) => one.rebuilt === rebuilt && one.published.source.size === published.source.size,
    );
    if (before.length === 0) return false;
    const digest = sha256(published.source);
    return before.some(({ pair }) => pair.published.sha256 === digest);
  }

  #pairOptions(publishedName: string, rebuiltName: string): Parameters<typeof compareSources>[2] {
    return { ...this.#options, publishedName, rebuiltName };
  }

  #named(delivery: string, file: string): string {
    return this.#request.deliveries.length === 1 ? file : `${delivery}/${file}`;
  }

  // ---------------------------------------------------------------- beside the splits

  /** OBB, `.dm` and whatever else: by their own name. Rebuilt ones without a twin are returned. */
  async #others(): Promise<SetMember[]> {
    const rebuilt = othersOf(this.#request.rebuilt);
    const read = readIdsigs(this.#request.rebuilt);
    const base = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
    const taken = new Set<SetMember>();
    for (const { name, set } of this.#request.deliveries) {
      const here = new Set<SetMember>();
      const verified = this.#verifiedIdsigs(name, set);
      for (const member of othersOf(set)) {
        if (verified.has(member)) continue;
        const twin =
          member.ambiguous === undefined
            ? rebuilt.find((one) => base(one.entry) === base(member.entry) && !here.has(one))
            : undefined;
        if (member.ambiguous !== undefined)
          this.#issues.push({
            code: 'ambiguous-archive',
            detail: `an installer that reads the archive from its beginning may find another app than its directory names: ${this.#named(name, member.name)}, ${member.ambiguous}`,
          });
        if (member.unread !== undefined)
          this.#issues.push({
            code: 'unread-member',
            detail: `${this.#named(name, member.name)} does not decode: ${member.unread}`,
          });
        if (twin === undefined) this.#unpair(name, member);
        else {
          here.add(twin);
          taken.add(twin);
          await this.#compare(name, member, twin);
        }
      }
    }
    return rebuilt.filter((member) => !taken.has(member) && !read.has(member));
  }

  /** v4 signatures that are part of the signature of a split beside them. */
  #verifiedIdsigs(delivery: string, { members }: OpenedSet): ReadonlySet<SetMember> {
    const verified = new Set<SetMember>();
    for (const { idsig, apk } of idsigsAmong(members.filter(isPlain))) {
      const [name, of] = [this.#named(delivery, idsig.name), this.#named(delivery, apk.name)];
      const found = checkedBeside({ ...idsig, name }, { ...apk, name: of });
      if (found !== undefined) this.#idsigs.push(found);
      if (found?.status === 'verified') verified.add(idsig);
    }
    return verified;
  }

  // ---------------------------------------------------------------- one app, one version, one signer

  /** Of the package that most of them have. */
  #otherPackages(members: readonly SplitMember[]): Reason<AuthenticityReason>[] {
    const counts = new Map<string, number>();
    for (const { facts } of members) counts.set(facts.package, (counts.get(facts.package) ?? 0) + 1);
    const [most, ...others] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return others.map(([name, count]) => ({
      code: 'other-package' as const,
      detail: `splits of two apps: ${count} of package ${printable(name)} beside ${most?.[1] ?? 0} of ${printable(most?.[0] ?? '')}`,
    }));
  }

  /** Android installs splits together only if one signer signed all of them. */
  async #mixedSigners(): Promise<Reason<AuthenticityReason>[]> {
    const signed = new Map<string, string>();
    const note = async (name: string, member: SetMember, known?: SignatureRecord): Promise<void> => {
      if (member.facts === undefined) return;
      const needed = known === undefined || known.issues.some(({ code }) => code === 'not-needed');
      const limits = { ...DEFAULT_LIMITS, ...this.#options.limits };
      const signature = needed ? (await signatureOf(member.source, limits)).record : known;
      // what is invalid or was not checked has a reason of its own
      if (signature.status !== 'verified' && signature.status !== 'unsigned') return;
      const digests = signature.signers.map(({ certificateSha256 }) => certificateSha256);
      const key = [...new Set(digests)].sort().join(' and ') || 'nobody';
      if (!signed.has(key)) signed.set(key, name);
    };
    for (const { published, pair } of this.#pairs) await note(pair.published.name, published, pair.signature);
    for (const member of this.#unpaired) await note(member.name, member);
    if (signed.size < 2) return [];
    const parts = [...signed].map(([key, name]) => `${name} by ${key}`);
    return [{ code: 'mixed-signers', detail: `signed differently: ${parts.join(', ')}` }];
  }
}

/** Its content is what everybody gets. */
const isPlain = ({ unread, ambiguous }: SetMember): boolean =>
  unread === undefined && ambiguous === undefined;

function readIdsigs({ members }: OpenedSet): ReadonlySet<SetMember> {
  const beside = idsigsAmong(members.filter(isPlain));
  return new Set(
    beside.filter(({ idsig, apk }) => isReadIdsig(idsig.source, apk.source)).map(({ idsig }) => idsig),
  );
}

const shown = ({ facts }: SplitMember): string =>
  facts.split === '' ? 'of the base' : printable(facts.split);

function identityOfMember({ name, source }: SetMember): FileIdentity {
  return { name, size: source.size, sha256: sha256(source) };
}

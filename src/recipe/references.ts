// SPDX-License-Identifier: Apache-2.0
/** Image references of a plan: which it needs, and the digest that each stands for. */
import type { Fact, ImagePlan, ResolvedReference, VersionLock } from '../model.js';
import type { ReadToolchain } from './toolchain.js';
import type { RecipeBuild } from './schema.js';

const DIGEST = /^(.+)@(sha256:[0-9a-f]{64})$/;

/** The reference as the recipe or the source states it; `undefined` while nobody has read it. */
export function statedReference(build: RecipeBuild, read: ReadToolchain): string | undefined {
  const { image } = build.environment;
  switch (image.kind) {
    case 'floating':
      return image.reference;
    case 'extracted':
      return read.facts.find(({ name }) => name === image.from)?.value;
    case 'registry':
    case 'lock':
    case 'none':
    case 'host':
      return undefined;
  }
}

/** The reference whose digest a registry must be asked for. */
export function unknownReference(
  build: RecipeBuild,
  read: ReadToolchain,
  lock: VersionLock | undefined,
): string | undefined {
  const reference = statedReference(build, read);
  if (reference === undefined || DIGEST.test(reference)) return undefined;
  return lock?.references.some((known) => known.reference === reference) === true ? undefined : reference;
}

export type ResolvedImage =
  | {
      readonly kind: 'resolved';
      readonly image: Extract<ImagePlan, { kind: 'registry' }>;
      readonly reference?: ResolvedReference;
    }
  | { readonly kind: 'unresolved'; readonly reference: string };

/** An image without a digest of the recipe's own: from the source itself, the lock, or what a registry said. */
export function resolveImage(
  build: RecipeBuild,
  read: ReadToolchain,
  lock: VersionLock | undefined,
  facts: readonly Fact[],
): ResolvedImage {
  const stated = statedReference(build, read);
  if (stated === undefined) return { kind: 'unresolved', reference: assumed(build) };
  const [, reference, own] = DIGEST.exec(stated) ?? [];
  if (reference !== undefined && own !== undefined)
    return { kind: 'resolved', image: { kind: 'registry', reference, digest: own } };
  const digest =
    lock?.references.find((known) => known.reference === stated)?.digest ??
    facts.flatMap((fact) =>
      fact.kind === 'image-digest' && fact.reference === stated ? [fact.digest] : [],
    )[0];
  if (digest === undefined) return { kind: 'unresolved', reference: stated };
  return {
    kind: 'resolved',
    image: { kind: 'registry', reference: stated, digest },
    reference: { reference: stated, digest },
  };
}

function assumed({ environment: { image }, toolchain }: RecipeBuild): string {
  if (image.kind !== 'extracted') return 'none';
  const file = toolchain.find(({ name }) => name === image.from)?.file ?? 'the source';
  return image.assumed ?? `the base that ${file} of the commit names`;
}

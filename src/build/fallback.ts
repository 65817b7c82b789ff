// SPDX-License-Identifier: Apache-2.0
/**
 * What a plan takes in the place of something whose server says that it is gone (404, 410). In the plan's order, and only
 * then: a server that does not answer, or answers with a problem of its own, says nothing about what it has. Pure.
 */
import type { Deviation, FallbackPlan } from '../model.js';

export type ImageFallback = Extract<FallbackPlan, { kind: 'image' }>;
type AddressFallback = Extract<FallbackPlan, { kind: 'address' }>;

export const imageFallbacks = (fallbacks: readonly FallbackPlan[] = []): readonly ImageFallback[] =>
  fallbacks.filter((one) => one.kind === 'image');

/** Of one text with addresses in it: a script, or a Dockerfile. */
export class AddressFallbacks {
  readonly #left: AddressFallback[];
  readonly #used: Deviation[] = [];

  constructor(fallbacks: readonly FallbackPlan[] = []) {
    this.#left = fallbacks.filter((one) => one.kind === 'address');
  }

  /** Those that were needed, as departures from the plan. */
  get used(): readonly Deviation[] {
    return this.#used;
  }

  /** The text with another address in the place of the one that is gone; nothing where the plan has none for it. */
  next(text: string, gone: { readonly url: string; readonly status: number }): string | undefined {
    const at = this.#left.findIndex(({ of }) => isBelow(gone.url, of) && occurs(text, of));
    const [fallback] = at === -1 ? [] : this.#left.splice(at, 1);
    if (fallback === undefined) return undefined;
    const { of, by, reason, canChangeOutput } = fallback;
    this.#used.push({
      code: 'fallback-address',
      what: `${by} was asked in the place of ${of}, which answered with ${gone.status} for ${gone.url}`,
      reason,
      canChangeOutput,
    });
    return replaced(text, of, by);
  }
}

/** `https://example.org/debian` is not the beginning of `https://example.org/debian-security`. */
const isBelow = (url: string, of: string): boolean =>
  url === of || url.startsWith(of.endsWith('/') ? of : `${of}/`) || url.startsWith(`${of}?`);

const END = /^(?:$|[/?#\s"'`;|&()<>\\])/;

const occurs = (text: string, of: string): boolean => replaced(text, of, '') !== text;

/** Whole addresses and what is below them alone. */
function replaced(text: string, of: string, by: string): string {
  const parts = text.split(of);
  const [first = '', ...rest] = parts;
  return rest.reduce((done, part) => `${done}${of.endsWith('/') || END.test(part) ? by : of}${part}`, first);
}

export function imageDeviation(
  { reason, canChangeOutput, image }: ImageFallback,
  gone: { readonly url: string; readonly status: number },
): Deviation {
  const taken = image.kind === 'registry' ? `${image.reference}@${image.digest}` : `the lock ${image.name}`;
  return {
    code: 'fallback-image',
    what: `${taken} was taken in the place of the image of the plan, which is gone (${gone.url} answers with status ${gone.status})`,
    reason,
    canChangeOutput,
  };
}

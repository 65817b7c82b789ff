// SPDX-License-Identifier: Apache-2.0
/** Whether v4 signatures of a report are those of files that it is about, and none that did not hold is left out. */
import type { SetComparison } from '../compare/types.js';
import type { Found } from './check.js';

export function checkIdsigs(
  { idsigs = [], pairs, unpairedPublished, splits }: SetComparison,
  found: Found,
): void {
  const withoutTwin = new Set(unpairedPublished.map(({ name }) => name));
  const compared = new Map(pairs.map((pair) => [pair.published.name, pair]));
  // what several devices got was compared once
  const delivered = new Set(splits?.deliveries.flatMap(({ files }) => files));
  const seen = new Set<string>();
  for (const [at, { name, apk, status, signers, issues }] of idsigs.entries()) {
    const place = `/statement/comparison/idsigs/${at}`;
    const says = (detail: string): void => found('signature', place, detail);
    if (seen.has(name)) says(`${name} is there twice`);
    seen.add(name);
    if (name !== `${apk}.idsig`) says(`${name} is no name of a v4 signature of ${apk}`);
    if (!compared.has(apk) && !withoutTwin.has(apk) && !delivered.has(apk))
      says(`${apk} is no published file`);
    if ((status === 'verified') !== (issues.length === 0))
      says(`${status}, with ${issues.length} reasons why it would not be`);
    const accounted = withoutTwin.has(name) || compared.has(name);
    if ((status === 'verified') === accounted)
      says(`${status}, and ${accounted ? 'a published file that needs a twin' : 'no published file beside'}`);
    if (status !== 'verified') continue;
    if (signers.length === 0) says('verified, and signed by nobody');
    const signature = compared.get(apk)?.signature;
    if (signature?.status !== 'verified') continue;
    const other = signers.find(
      (one) =>
        !signature.signers.some(({ certificateSha256 }) => certificateSha256 === one.certificateSha256),
    );
    if (other !== undefined) says(`by ${other.certificateSha256}, which did not sign ${apk}`);
  }
}

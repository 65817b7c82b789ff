// SPDX-License-Identifier: Apache-2.0
/** Every pair of files with the sums of both ledgers as bars. */
import { OWNERS, type Owner, type PairComparison, type SideLedger } from '../compare/types.js';
import type { FileIdentity } from '../model.js';
import { html, joined, type Html } from './html-template.js';
import { clipped } from './inert.js';
import type { Report } from './types.js';

const NAME = 1_000;

export function fileRows({ statement }: Report): readonly Html[] {
  const { comparison, subject } = statement;
  const paired = new Set(comparison?.pairs.map((pair) => pair.published.name));
  return [
    ...(comparison?.pairs.map(pairRow) ?? []),
    ...subject.published.filter((file) => !paired.has(file.name)).map((file) => singleRow(file, 'published')),
    ...(comparison?.unpairedRebuilt ?? []).map((file) => singleRow(file, 'rebuilt')),
  ];
}

export const fileTable = (rows: Html): Html =>
  html`<table>
    <thead>
      <tr>
        <th>published</th>
        <th>rebuilt</th>
        <th>ledgers</th>
        <th>worst</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;

function pairRow({ published, rebuilt, worst, nodes }: PairComparison): Html {
  const [root] = nodes;
  return html`<tr>
    <td>${identity(published)}</td>
    <td>${identity(rebuilt)}</td>
    <td>
      ${root === undefined ? '' : html`${bar(root.published)}${bar(root.rebuilt)}${legend(root.published, root.rebuilt)}`}
    </td>
    <td class="o-${worst}">${worst}</td>
  </tr> `;
}

function singleRow(file: FileIdentity, what: string): Html {
  const published = what === 'published';
  return html`<tr>
    <td>${published ? identity(file) : ''}</td>
    <td>${published ? '' : identity(file)}</td>
    <td class="soft">${published ? 'no rebuilt twin here' : what}</td>
    <td></td>
  </tr> `;
}

function identity({ name, size, sha256 }: FileIdentity): Html {
  return html`<bdi>${clipped(name, NAME)}</bdi><br /><span class="soft"
      >${size.toLocaleString('en-US')} bytes</span
    ><br /><code>${sha256}</code>`;
}

/** Every owner that has a byte is seen, however few. */
function bar({ size, sums }: SideLedger): Html {
  const parts = OWNERS.filter((owner) => sums[owner] > 0).map(
    (owner) => html`<i class="b-${owner} w${Math.floor((sums[owner] / Math.max(1, size)) * 100)}"></i>`,
  );
  return html`<span class="stack">${joined(parts)}</span>`;
}

function legend(published: SideLedger, rebuilt: SideLedger): Html {
  const numbers = (owner: Owner): string => {
    const [p, r] = [published.sums[owner], rebuilt.sums[owner]].map((n) => n.toLocaleString('en-US'));
    return p === r ? `${owner} ${p}` : `${owner} ${p} / ${r}`;
  };
  const owners = OWNERS.filter((owner) => published.sums[owner] + rebuilt.sums[owner] > 0);
  return html`<span class="legend">${owners.map(numbers).join(' · ')}</span>`;
}

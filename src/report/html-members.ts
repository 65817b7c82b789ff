// SPDX-License-Identifier: Apache-2.0
/** Members and findings by group: what differs in sight, what is identical folded, the rest on pages beside. */
import type { MemberSide } from '../compare/types.js';
import { GROUP_TITLES, type FindingEntry, type Group, type MemberEntry } from './groups.js';
import { findingRow } from './html-finding.js';
import { pagedList, type ListShape, type PagedList } from './html-list.js';
import { html, type Html } from './html-template.js';
import { clipped } from './inert.js';
import type { ReportFile } from './publish.js';
import { count } from './say.js';

const NAME = 1_000;
const TYPE_NAME = 100;
/** Types of one group on the first screen. */
const TYPES = 6;
/** Findings of one group that are unfolded. */
const OPEN = 3;

const INLINE = {
  findings: { rows: 50, bytes: 150_000 },
  members: { rows: 200, bytes: 100_000 },
  identical: { rows: 1_000, bytes: 200_000 },
} as const;

// ---------------------------------------------------------------- first screen

export function cardsOf(groups: readonly Group[]): Html {
  const filled = groups.filter(({ members, findings }) => members.length + findings.length > 0);
  if (filled.length === 0) return html``;
  return html`<div class="cards" id="overview">${filled.map(card)}</div>`;
}

function card(group: Group): Html {
  const types = [...countTypes(group)].sort(([, a], [, b]) => b.unequal - a.unequal || b.all - a.all);
  const unequal = types.reduce((sum, [, counted]) => sum + counted.unequal, 0);
  const rows = types.slice(0, TYPES).map(
    ([type, counted]) =>
      html`<tr>
        <td>${clipped(type, TYPE_NAME)}</td>
        <td class="n">${counted.all.toLocaleString('en-US')}</td>
        <td class="n ${counted.unequal === 0 ? 'o-identical' : 'o-different'}">
          ${counted.unequal.toLocaleString('en-US')}
        </td>
      </tr>`,
  );
  const left = types.length - rows.length;
  return html`<div class="card">
    <h2><a href="#group-${group.name}">${GROUP_TITLES[group.name]}</a></h2>
    <p>
      ${count(group.members.length, 'member')}, ${unequal.toLocaleString('en-US')} not identical,
      ${
        group.findings.length === 0
          ? 'no finding'
          : html`<a href="#findings-${group.name}">${count(group.findings.length, 'finding')}</a>`
      }
    </p>
    ${
      rows.length === 0
        ? ''
        : html`<table>
            <thead>
              <tr>
                <th>type</th>
                <th class="n">members</th>
                <th class="n">not identical</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>`
    }${left === 0 ? '' : html`<p>and ${count(left, 'other type')}</p>`}
  </div>`;
}

function countTypes({ members }: Group): ReadonlyMap<string, { all: number; unequal: number }> {
  const types = new Map<string, { all: number; unequal: number }>();
  for (const { member } of members) {
    const counted = types.get(member.type) ?? { all: 0, unequal: 0 };
    counted.all++;
    if (member.owner !== 'identical') counted.unequal++;
    types.set(member.type, counted);
  }
  return types;
}

// ---------------------------------------------------------------- one group

export interface GroupHtml {
  readonly section: Html;
  readonly pages: readonly ReportFile[];
}

export function groupHtml({ name, members, findings }: Group, pairs: number): GroupHtml {
  if (members.length === 0 && findings.length === 0) return { section: html``, pages: [] };
  const title = GROUP_TITLES[name];
  const found = pagedList(
    findings.map((entry, at) => findingRow(entry, findingId(name, at), at < OPEN)),
    { stem: `${name}-findings`, title: `${title}: findings`, wrap: (all) => all, inline: INLINE.findings },
  );
  const unequal = members.filter(({ member }) => member.owner !== 'identical');
  const identical = members.filter(({ member }) => member.owner === 'identical');
  const list = (entries: readonly MemberEntry[], kind: 'members' | 'identical'): PagedList => {
    const shape: ListShape = {
      stem: `${name}-${kind}`,
      title: `${title}: ${kind === 'members' ? 'members that are not identical' : 'identical members'}`,
      wrap: memberTable,
      inline: INLINE[kind],
    };
    const rows = (up: string): readonly Html[] => {
      const links = linksOf(findings, found.pageOf, name, up);
      return entries.map((entry) => memberRow(entry, links.get(entry.key), pairs > 1));
    };
    return pagedList(rows(''), shape, rows('../'));
  };
  const [shown, folded] = [list(unequal, 'members'), list(identical, 'identical')];
  const section = html`<section id="group-${name}">
    <h2>${title}</h2>
    ${unequal.length === 0 ? '' : html`<h3>${count(unequal.length, 'member')} not identical</h3>`}
    ${shown.inline}
    ${
      findings.length === 0
        ? ''
        : html`<h3 id="findings-${name}">${count(findings.length, 'finding')}</h3>
            <p class="how">in patches: − published, + rebuilt</p>`
    }
    ${found.inline}
    ${
      identical.length === 0
        ? ''
        : html`<details class="finding">
            <summary class="fold">${count(identical.length, 'identical member')}</summary>
            ${folded.inline}
          </details>`
    }
  </section>`;
  return { section, pages: [...found.pages, ...shown.pages, ...folded.pages] };
}

const memberTable = (rows: Html): Html =>
  html`<table>
    <thead>
      <tr>
        <th>member</th>
        <th>type</th>
        <th>owner</th>
        <th class="n">published</th>
        <th class="n">rebuilt</th>
        <th></th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;

const findingId = (group: string, at: number): string => `${group}-${at}`;

/** From a member to its first finding. */
function linksOf(
  findings: readonly FindingEntry[],
  pageOf: readonly (string | undefined)[],
  group: string,
  up: string,
): ReadonlyMap<string, Html> {
  const links = new Map<string, Html>();
  for (const [at, { key }] of findings.entries())
    if (!links.has(key)) {
      const file = pageOf[at] ?? (up === '' ? '' : 'index.html');
      links.set(key, html`<a href="${file === '' ? '' : up}${file}#${findingId(group, at)}">why</a>`);
    }
  return links;
}

function memberRow({ place, member }: MemberEntry, link: Html | undefined, withFile: boolean): Html {
  const size = (side: MemberSide | undefined): string =>
    side === undefined ? '–' : side.size.toLocaleString('en-US');
  const again = member.occurrence === 0 ? '' : ` (${member.occurrence + 1})`;
  return html`<tr>
    <td><bdi>${clipped((withFile ? place : place.slice(1)).join(' > '), NAME)}</bdi>${again}</td>
    <td>${clipped(member.type, TYPE_NAME)}</td>
    <td class="o-${member.owner}">${member.owner}</td>
    <td class="n">${size(member.published)}</td>
    <td class="n">${size(member.rebuilt)}</td>
    <td>${link ?? ''}</td>
  </tr> `;
}

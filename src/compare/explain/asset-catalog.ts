// SPDX-License-Identifier: Apache-2.0
/** Compiled asset catalogs that differ: what made them, and which renditions are others. */
import {
  isAssetCatalog,
  readAssetCatalog,
  type AssetCatalog,
  type Rendition,
} from '../../formats/asset-catalog.js';
import { FormatError } from '../../errors.js';
import { printable } from '../../printable.js';
import type { ByteSource } from '../../bytes.js';
import type { Cause, Difference } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const MAX_BYTES = 512 << 20;
/** Renditions of one catalog that are told; what is more is counted. */
const MAX_RENDITIONS = 200;
const MAX_TEXT = 400;

export const explainAssetCatalog: Explainer = async ({ path, published, rebuilt }) => {
  const [p, r] = [open(published), open(rebuilt)];
  if (p === undefined || r === undefined) return undefined;
  const found: Difference[] = [];
  let cut = 0;
  const field = (name: string, a: string, b: string, cause?: Cause): void => {
    if (a === b) return;
    if (found.length >= MAX_RENDITIONS) return void cut++;
    const shown = { published: shownText(a), rebuilt: shownText(b) };
    found.push({
      kind: 'field',
      path,
      field: `car/${shownText(name)}`,
      ...shown,
      owner: 'different',
      ...(cause && { cause }),
    });
  };
  header(p, r, field);
  const [left, right] = [byName(p), byName(r)];
  for (const [name, rendition] of left) {
    const other = right.get(name);
    field(`rendition ${name}`, describe(rendition), other === undefined ? 'absent' : describe(other));
  }
  for (const [name, rendition] of right)
    if (!left.has(name)) field(`rendition ${name}`, 'absent', describe(rendition));
  for (const name of new Set([...p.others.keys(), ...r.others.keys()]))
    field(name, digest(p.others.get(name)), digest(r.others.get(name)));
  for (const [side, source, catalog] of [
    ['published', published, p],
    ['rebuilt', rebuilt, r],
  ] as const)
    for (const { code, offset, length } of catalog.findings.slice(0, 20))
      found.push({
        kind: 'hidden',
        path,
        side,
        region: `car/${code}`,
        offset,
        length,
        hex: source.read(offset, Math.min(64, length)).toString('hex'),
      });
  if (cut > 0)
    found.push({
      kind: 'field',
      path,
      field: 'car/more',
      published: `${cut} more differ`,
      rebuilt: '',
      owner: 'different',
    });
  // nothing that is told apart here: where the bytes lie is what differs
  return found.length === 0 ? undefined : found;
};

function open(source: ByteSource): AssetCatalog | undefined {
  if (source.size < 32 || source.size > MAX_BYTES || source.read(0, 8).toString('latin1') !== 'BOMStore')
    return undefined;
  try {
    return isAssetCatalog(source) ? readAssetCatalog(source) : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function header(
  { header: p, keyFormat: a }: AssetCatalog,
  { header: r, keyFormat: b }: AssetCatalog,
  field: (name: string, published: string, rebuilt: string, cause?: Cause) => void,
): void {
  const times = [time(p.storageTimestamp), time(r.storageTimestamp)] as const;
  field('time', ...times, { kind: 'timestamp', evidence: `made ${times[0]}, rebuilt ${times[1]}` });
  for (const [name, x, y] of [
    ['program', p.mainVersion, r.mainVersion],
    ['compiler', p.version, r.version],
    ['CoreUI version', String(p.coreUiVersion), String(r.coreUiVersion)],
    ['storage version', String(p.storageVersion), String(r.storageVersion)],
    ['schema version', String(p.schemaVersion), String(r.schemaVersion)],
  ] as const)
    field(name, x.trim(), y.trim(), {
      kind: 'toolchain-version',
      evidence: shownText(`${name} ${x.trim()}, rebuilt ${y.trim()}`),
    });
  field('UUID', p.uuid, r.uuid);
  field('number of renditions', String(p.renditionCount), String(r.renditionCount));
  field('key format', a.join(' '), b.join(' '));
}

/** Two of one name and key are told apart by their place. */
function byName({ renditions }: AssetCatalog): ReadonlyMap<string, Rendition> {
  const named = new Map<string, Rendition>();
  for (const rendition of renditions) {
    const name = `${rendition.facet ?? rendition.name} [${rendition.key.join(' ')}]`;
    let own = name;
    for (let place = 2; named.has(own); place++) own = `${name} (${place})`;
    named.set(own, rendition);
  }
  return named;
}

function describe({ name, width, height, scale, pixelFormat, layout, size, sha256 }: Rendition): string {
  return `${name}, ${width} x ${height} at ${scale / 100}, ${pixelFormat || 'no pixels'}, layout ${layout}, ${size} bytes, SHA-256 ${sha256}`;
}

function digest(other: { readonly size: number; readonly sha256: string } | undefined): string {
  return other === undefined ? 'absent' : `${other.size} bytes, SHA-256 ${other.sha256}`;
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function shownText(text: string): string {
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}

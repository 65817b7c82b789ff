// SPDX-License-Identifier: Apache-2.0
/** The publisher's own word on its newest version: a JSON file with version, address and digest. All of it is theirs. */
import { FailedHere } from '../../errors.js';
import type { AcquisitionPlan } from '../../model.js';
import { printable } from '../../printable.js';
import type { DownloadRequest } from '../http/download.js';
import { fetchJson, fieldOf } from '../http/http-json.js';
import { BY_HAND, type Located, type NotThere } from './located.js';

type LatestJson = Extract<AcquisitionPlan, { kind: 'latest-json' }>;
export type LocateOptions = Pick<DownloadRequest, 'signal' | 'onProgress'> & { readonly cache: string };

/** @throws FailedHere `unreadable-input` for an index that does not say what it should, and what `download` throws */
export async function locateByLatestJson(
  acquisition: LatestJson,
  version: string,
  options: LocateOptions,
): Promise<Located | NotThere> {
  const { index, versionField, urlField, sha256Field, url: template } = acquisition;
  const { cache, ...rest } = options;
  const outcome = await fetchJson(cache, { url: index, what: 'the index of the newest version', ...rest });
  if (outcome.kind === 'gone') {
    const detail = `${index} answers with status ${outcome.status}`;
    return template === undefined
      ? { kind: 'not-there', code: 'index-gone', detail, hint: BY_HAND }
      : {
          kind: 'located',
          url: template,
          notes: [`${detail}: fetched from ${template}, without a digest of the publisher's`],
        };
  }
  const field = (name: string): string => textOf(outcome.value, name, index);
  const named = field(versionField);
  if (named !== version) {
    const detail = `${index} names version ${printable(named)}, expected ${version}`;
    return template === undefined
      ? {
          kind: 'not-there',
          code: 'other-version',
          detail,
          hint: `this index only knows the latest version: hand the file of ${version} over with --published FILE`,
        }
      : {
          kind: 'located',
          url: template,
          notes: [`${detail}: fetched from ${template}, without a digest of the publisher's`],
        };
  }
  const url = addressOf(field(urlField), index);
  if (sha256Field === undefined) return { kind: 'located', url, notes: [] };
  const sha256 = field(sha256Field).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw unreadable(index, `its field ${sha256Field} is ${shown(sha256)}, expected a SHA-256`);
  return { kind: 'located', url, expected: { sha256 }, digestFrom: index, notes: [] };
}

const shown = (value: unknown): string => printable(JSON.stringify(value) ?? 'nothing').slice(0, 100);

function unreadable(index: string, why: string): FailedHere {
  return new FailedHere('unreadable-input', `cannot use ${index}: ${why}`, {
    hint: 'the publisher may have changed its form: correct the recipe, or hand the file over with --published FILE',
  });
}

function textOf(value: unknown, name: string, index: string): string {
  const found = fieldOf(value, name);
  if (typeof found === 'string' && found !== '' && found.length <= 2000) return found;
  if (typeof found === 'number' && Number.isSafeInteger(found)) return String(found);
  throw unreadable(index, `its field ${name} is ${shown(found)}, expected a text`);
}

function addressOf(text: string, index: string): string {
  const url = URL.canParse(text, index) ? new URL(text, index) : undefined;
  const secure = index.startsWith('https:');
  if (url === undefined || !['https:', ...(secure ? [] : ['http:'])].includes(url.protocol))
    throw unreadable(
      index,
      `it names the address ${shown(text)}, expected one with http${secure ? 's' : ''}`,
    );
  if (url.username !== '' || url.password !== '')
    throw unreadable(index, 'it names an address with a user name or password');
  return url.href;
}

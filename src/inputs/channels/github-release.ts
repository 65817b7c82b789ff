// SPDX-License-Identifier: Apache-2.0
/**
 * An asset of a release on GitHub, with the digest that GitHub computed when it was uploaded.
 * https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name and …/assets#list-release-assets
 */
import { FailedHere, UsageError } from '../../errors.js';
import type { AcquisitionPlan } from '../../model.js';
import { nearestWord } from '../../nearest-word.js';
import { printable } from '../../printable.js';
import { fetchJson, fieldOf, type JsonOutcome } from '../http/http-json.js';
import { BY_HAND, type Located, type NotThere } from './located.js';
import type { LocateOptions } from './latest-json.js';

type GithubRelease = Extract<AcquisitionPlan, { kind: 'github-release' }>;

const API = 'https://api.github.com';
const PER_PAGE = 100;
/** GitHub lets a release have 1,000 assets. */
const MAX_PAGES = 11;
const SHOWN = 20;

interface Asset {
  readonly name: string;
  readonly url: string;
  readonly size?: number;
  readonly digest?: string;
}

/** @throws FailedHere `rate-limited`, `unreadable-input`, and what `download` throws; UsageError `bad-token` */
export async function locateOnGithub(
  { repository, tag, asset: wanted }: GithubRelease,
  options: LocateOptions,
): Promise<Located | NotThere> {
  const api = (process.env['SAMESOURCE_GITHUB_API'] ?? API).replace(/\/+$/, '');
  const release = `release ${tag} of ${repository}`;
  const path = `${api}/repos/${repository}/releases`;
  const found = await ask(`${path}/tags/${encodeURIComponent(tag)}`, release, options);
  if (found.kind === 'gone')
    return {
      kind: 'not-there',
      code: 'release-missing',
      detail: `GitHub has no ${release} (status ${found.status})`,
      hint: `look at https://github.com/${repository}/releases; ${BY_HAND}`,
    };
  const first = assetsOf(fieldOf(found.value, 'assets'), release);
  const id = fieldOf(found.value, 'id');
  const known = new Map(first.map((asset) => [asset.name, asset]));
  // the release itself need not tell all of them
  for (let page = 1, full = true; full && !known.has(wanted); page++) {
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw unreadable(release, 'it has no number');
    if (page > MAX_PAGES) throw unreadable(release, `it has more than ${(page - 1) * PER_PAGE} assets`);
    const more = await ask(`${path}/${id}/assets?per_page=${PER_PAGE}&page=${page}`, release, options);
    const assets = more.kind === 'gone' ? [] : assetsOf(more.value, release);
    for (const asset of assets) known.set(asset.name, asset);
    full = assets.length === PER_PAGE;
  }
  const asset = known.get(wanted);
  return asset === undefined
    ? missing(wanted, [...known.keys()], release, repository)
    : located(asset, release, api);
}

function missing(wanted: string, names: readonly string[], release: string, repository: string): NotThere {
  const near = nearestWord(wanted, names);
  const list = names
    .slice(0, SHOWN)
    .map((name) => printable(name).slice(0, 200))
    .join(', ');
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return {
    kind: 'not-there',
    code: 'asset-missing',
    detail: `${release} has no asset ${wanted}; it has ${names.length === 0 ? 'none' : `${list}${more}`}`,
    hint: `${near === undefined ? '' : `the nearest name is ${printable(near)}; `}if it was renamed, correct the recipe; look at https://github.com/${repository}/releases; ${BY_HAND}`,
  };
}

function located({ url, size, digest }: Asset, release: string, api: string): Located {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const allowed = api.startsWith('https:') ? ['https:'] : ['https:', 'http:'];
  if (address === undefined || !allowed.includes(address.protocol))
    throw unreadable(release, `it names the address ${printable(JSON.stringify(url)).slice(0, 100)}`);
  const sha256 = /^sha256:([0-9a-f]{64})$/i.exec(digest ?? '')?.[1]?.toLowerCase();
  const expected = { ...(size === undefined ? {} : { size }), ...(sha256 === undefined ? {} : { sha256 }) };
  return {
    kind: 'located',
    url,
    ...(Object.keys(expected).length === 0 ? {} : { expected }),
    ...(sha256 === undefined ? {} : { digestFrom: 'the API of GitHub' }),
    notes: sha256 === undefined ? [`GitHub states no digest for this asset of ${release}`] : [],
  };
}

/** Assets that were never uploaded whole are none. */
function assetsOf(value: unknown, release: string): readonly Asset[] {
  if (!Array.isArray(value)) throw unreadable(release, 'its assets are no list');
  return value.flatMap((asset: unknown): Asset[] => {
    const [name, url, state, size, digest] = ['name', 'browser_download_url', 'state', 'size', 'digest'].map(
      (field) => fieldOf(asset, field),
    );
    if (typeof name !== 'string' || typeof url !== 'string')
      throw unreadable(release, 'an asset has no name or no address');
    if (state !== undefined && state !== 'uploaded') return [];
    return [
      {
        name,
        url,
        ...(typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? { size } : {}),
        ...(typeof digest === 'string' ? { digest } : {}),
      },
    ];
  });
}

function unreadable(release: string, why: string): FailedHere {
  return new FailedHere('unreadable-input', `cannot use what GitHub says of ${release}: ${why}`, {
    hint: BY_HAND,
  });
}

/** The token goes to the API alone: assets are fetched from where everybody gets them. */
async function ask(url: string, release: string, { cache, ...rest }: LocateOptions): Promise<JsonOutcome> {
  const token = process.env['GITHUB_TOKEN'] ?? '';
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new UsageError(
      'bad-token',
      'GITHUB_TOKEN holds spaces, line ends or other characters that no token has',
    );
  try {
    return await fetchJson(cache, {
      ...rest,
      url,
      what: release,
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    });
  } catch (error) {
    if (!(error instanceof FailedHere)) throw error;
    const hint =
      error.code === 'rate-limited' && token === ''
        ? `${error.hint ?? ''}; with GITHUB_TOKEN set to a token without any rights GitHub answers more often`
        : token !== '' && error.message.endsWith('status 401')
          ? 'GITHUB_TOKEN is not accepted: correct it, or unset it'
          : error.hint;
    throw new FailedHere(error.code, error.message, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The digest that a registry has for an image reference now. OCI Distribution Specification 1.1, "Pulling manifests"
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests); tokens as in
 * https://distribution.github.io/distribution/spec/auth/token/.
 */
import { createHash } from 'node:crypto';
import { FailedHere, UsageError } from '../errors.js';
import { AttemptFailed, exchange, type Answer } from './http/http-exchange.js';
import { statusFailure } from './http/http-failure.js';

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const MAX_BODY = 4 << 20;
const LONGEST_MS = 30_000;
const REFERENCE =
  /^(?:([a-zA-Z0-9.-]+(?::\d+)?)\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?$/;

export interface RegistryAddress {
  readonly host: string;
  readonly path: string;
  readonly tag: string;
}

/** As engines read it: no registry is Docker Hub, no tag is `latest`. @throws UsageError `bad-image` */
export function registryAddress(reference: string): RegistryAddress {
  const [, first, rest = '', tag = 'latest'] = REFERENCE.exec(reference) ?? [];
  const isHost = first !== undefined && (/[.:]/.test(first) || first === 'localhost');
  const path = isHost ? rest : first === undefined ? rest : `${first}/${rest}`;
  if (path === '') throw new UsageError('bad-image', `${JSON.stringify(reference)} is no image reference`);
  const hub = !isHost || first === 'docker.io';
  return hub
    ? { host: 'registry-1.docker.io', path: path.includes('/') ? path : `library/${path}`, tag }
    : { host: first, path, tag };
}

/**
 * @throws FailedHere `network`, `rate-limited`; also where the registry has no such image
 * @throws UsageError `bad-image`
 */
export async function imageDigest(reference: string, signal?: AbortSignal): Promise<string> {
  const { host, path, tag } = registryAddress(reference);
  // as engines do: only this machine is asked without TLS
  const scheme = /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host) ? 'http' : 'https';
  const url = `${scheme}://${host}/v2/${path}/manifests/${tag}`;
  const what = `the digest of ${reference}`;
  let answer = await ask({ url, what, accept: ACCEPT }, signal);
  if (answer.status === 401) {
    answer.discard();
    const authorization = `Bearer ${await tokenFor(answer, url, what, signal)}`;
    answer = await ask({ url, what, accept: ACCEPT, authorization }, signal);
  }
  const digest = `sha256:${createHash('sha256')
    .update(await bodyOf(answer, url, what))
    .digest('hex')}`;
  const stated = answer.header('docker-content-digest');
  if (stated !== undefined && stated !== digest)
    throw new FailedHere('network', `${url} says that the manifest is ${stated}, and sends ${digest}`, {
      hint: 'run it again; if it stays, the registry or a proxy before it is not to be trusted',
    });
  return digest;
}

interface Asked {
  readonly url: string;
  readonly what: string;
  readonly accept: string;
  readonly authorization?: string;
}

async function ask(
  { url, what, accept, authorization }: Asked,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const limit = AbortSignal.timeout(LONGEST_MS);
  try {
    return await exchange({
      url,
      what,
      headers: { accept },
      authorization,
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
  } catch (error) {
    if (signal?.aborted === true) throw new FailedHere('interrupted', `interrupted while asking for ${what}`);
    throw error instanceof AttemptFailed ? error.failure.error : error;
  }
}

/** `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`: anyone gets a token to read what is public. */
async function tokenFor(
  refusal: Answer,
  url: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const challenge = refusal.header('www-authenticate') ?? '';
  const parts = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  const realm = parts.get('realm');
  if (!/^Bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm))
    throw new FailedHere('network', `${url} wants to know who asks for ${what}: the image is not public`);
  const address = new URL(realm);
  if (address.protocol !== 'https:' && new URL(url).protocol === 'https:')
    throw new FailedHere('network', `${url} sends to ${realm} for a token, without TLS`);
  for (const key of ['service', 'scope']) {
    const value = parts.get(key);
    if (value !== undefined) address.searchParams.set(key, value);
  }
  const token = `a token for ${what}`;
  const answer = await ask({ url: address.href, what: token, accept: 'application/json' }, signal);
  const text = (await bodyOf(answer, address.href, token)).toString('utf8');
  const found = /"(?:access_)?token"\s*:\s*"([\w.~+/=-]+)"/.exec(text)?.[1];
  if (found === undefined) throw new FailedHere('network', `${address.href} gave no token for ${what}`);
  return found;
}

async function bodyOf(answer: Answer, url: string, what: string): Promise<Buffer> {
  if (answer.status !== 200) {
    answer.discard();
    throw statusFailure(what, url, answer).error;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      size += chunk.byteLength;
      if (size > MAX_BODY)
        throw new FailedHere('unreadable-input', `${what}: ${url} sends more than ${MAX_BODY} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof AttemptFailed ? error.failure.error : error;
  }
  return Buffer.concat(chunks);
}

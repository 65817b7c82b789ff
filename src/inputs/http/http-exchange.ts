// SPDX-License-Identifier: Apache-2.0
/** One question to a web server and its answer, redirects followed by ourselves: each is bounded, checked and told. RFC 9110. */
import { FailedHere } from '../../errors.js';
import type { Hop } from '../../model.js';
import { transportFailure, type HttpFailure } from './http-failure.js';
import { dispatcher } from './http-proxy.js';

export interface Answer {
  readonly status: number;
  /** In order; none when the address itself answered. */
  readonly hops: readonly Hop[];
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** The bytes as they were sent. Reading throws what the connection threw. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection of a body that nobody reads. */
  discard(): void;
}

export interface Question {
  readonly url: string;
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to `url` and to nowhere else, whatever it redirects to. */
  readonly authorization?: string | undefined;
  readonly signal: AbortSignal;
}

/** One attempt failed. */
export class AttemptFailed extends Error {
  readonly failure: HttpFailure;
  constructor(failure: HttpFailure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * @throws AttemptFailed for what the network did
 * @throws FailedHere `network` for a redirect that is not followed
 * @throws UsageError `bad-proxy`
 */
export async function exchange(question: Question): Promise<Answer> {
  const hops: Hop[] = [];
  let at = new URL(question.url);
  for (;;) {
    const answer = await ask(at, question, hops);
    if (!REDIRECTS.has(answer.status)) return answer;
    answer.discard();
    const location = answer.header('location');
    const next =
      location !== undefined && URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    const refused = refusal(at, next, hops.length);
    if (refused !== undefined || next === undefined)
      throw new FailedHere(
        'network',
        `could not fetch ${question.what} from ${question.url}: ${refused ?? 'it redirects nowhere'}`,
        { hint: 'look where the address leads with a browser, and correct it where it stands' },
      );
    hops.push({ to: shownAddress(next), status: answer.status });
    at = next;
  }
}

function refusal(from: URL, to: URL | undefined, before: number): string | undefined {
  if (to === undefined) return `it redirects nowhere`;
  if (before >= MAX_REDIRECTS) return `it redirects more than ${MAX_REDIRECTS} times`;
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    return `it redirects to ${to.protocol}, which is neither http nor https`;
  if (from.protocol === 'https:' && to.protocol === 'http:')
    return `it redirects to an address without TLS (${shownAddress(to)})`;
  if (to.username !== '' || to.password !== '')
    return 'it redirects to an address with a user name or password';
  return undefined;
}

/** Without what may let somebody in. */
export function shownAddress(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

async function ask(at: URL, question: Question, hops: readonly Hop[]): Promise<Answer> {
  const { what, url, signal, headers, authorization } = question;
  const { request } = await import('undici');
  const through = await dispatcher();
  const response = await request(at, {
    dispatcher: through,
    signal,
    headers: {
      'user-agent': 'samesource',
      accept: '*/*',
      // identity: the bytes of a .xz or .apk as they lie there, not as a server would like to pack them
      'accept-encoding': 'identity',
      ...headers,
      ...(authorization === undefined || hops.length > 0 ? {} : { authorization }),
    },
  }).catch((error: unknown) => {
    throw new AttemptFailed(transportFailure(what, url, error, at));
  });
  // an error of a body that is given up has no reader
  response.body.on('error', () => undefined);
  return {
    status: response.statusCode,
    hops: [...hops],
    header: (name) => {
      const value = response.headers[name];
      return typeof value === 'object' ? value[0] : value;
    },
    body: told(response.body, what, url, at),
    discard: () => void response.body.destroy(),
  };
}

/** Tells a broken connection from a failure of our own disk. */
async function* told(
  body: AsyncIterable<Uint8Array>,
  what: string,
  url: string,
  at: URL,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await chunks.next().catch((error: unknown) => {
        throw new AttemptFailed(transportFailure(what, url, error, at));
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return?.().catch(() => undefined);
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A certificate authority of one run, which is trusted in one container and nowhere else: openssl makes its certificates. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { runChecked } from '../../process.js';
import { plainHost } from './hosts.js';
import { keyStore } from './key-store.js';

const CONFIGURATION = 'openssl.cnf';
const DAYS = '30';
const MAX_HOSTS = 2000;
const NAME = '/CN=samesource recording proxy of one build';

export class Authority {
  /** What the container is to trust. */
  readonly pem: string;
  readonly #directory: string;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  private constructor(directory: string, pem: string) {
    this.#directory = directory;
    this.pem = pem;
  }

  /** `directory`: of the run; the keys are gone with it. */
  static async make(directory: string, signal?: AbortSignal): Promise<Authority> {
    await fs.mkdir(directory, { recursive: true, mode: 0o700 });
    // without a file of its own openssl adds what its installation says
    await fs.writeFile(path.join(directory, CONFIGURATION), '[req]\ndistinguished_name = name\n[name]\n');
    const stop = signal === undefined ? {} : { signal };
    for (const name of ['authority', 'host'])
      await runChecked(
        'openssl',
        [
          'genpkey',
          '-algorithm',
          'EC',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-out',
          path.join(directory, `${name}.key`),
        ],
        stop,
      );
    const file = path.join(directory, 'authority.pem');
    await request(
      directory,
      ['-key', path.join(directory, 'authority.key'), '-subj', NAME, '-out', file],
      ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'],
      stop,
    );
    return new Authority(directory, await fs.readFile(file, 'utf8'));
  }

  get keyStore(): Buffer {
    return keyStore(new X509Certificate(this.pem).raw, 'samesource');
  }

  /** `host`: as the container called it, whatever that is. */
  async contextFor(host: string): Promise<SecureContext> {
    const name = plainHost(host);
    if (!/^[\w.:-]{1,253}$/.test(name)) throw new Error(`no name of a host: ${JSON.stringify(host)}`);
    const known = this.#contexts.get(name);
    if (known !== undefined) return await known;
    if (this.#contexts.size >= MAX_HOSTS) throw new Error(`more than ${MAX_HOSTS} hosts`);
    const made = this.#make(name);
    this.#contexts.set(name, made);
    return await made;
  }

  async #make(name: string): Promise<SecureContext> {
    const file = path.join(this.#directory, `${randomBytes(6).toString('hex')}.pem`);
    const key = path.join(this.#directory, 'host.key');
    await request(
      this.#directory,
      [
        '-CA',
        path.join(this.#directory, 'authority.pem'),
        '-CAkey',
        path.join(this.#directory, 'authority.key'),
        '-key',
        key,
        '-subj',
        '/O=samesource recording proxy',
        '-out',
        file,
      ],
      [
        `subjectAltName=critical,${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`,
        'basicConstraints=critical,CA:FALSE',
        'extendedKeyUsage=serverAuth',
      ],
      {},
    );
    return createSecureContext({ cert: await fs.readFile(file), key: await fs.readFile(key) });
  }
}

async function request(
  directory: string,
  args: readonly string[],
  extensions: readonly string[],
  stop: { readonly signal?: AbortSignal },
): Promise<void> {
  await runChecked(
    'openssl',
    [
      'req',
      '-x509',
      '-new',
      '-sha256',
      '-days',
      DAYS,
      '-config',
      path.join(directory, CONFIGURATION),
      ...args,
      ...extensions.flatMap((extension) => ['-addext', extension]),
    ],
    { ...stop, timeoutMs: 60_000 },
  );
}

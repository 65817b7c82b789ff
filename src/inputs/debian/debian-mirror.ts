// SPDX-License-Identifier: Apache-2.0
/** The address of a Debian archive that this machine can reach. It is not trusted and enters no report. */
import { FailedHere } from '../../errors.js';
import { run } from '../../process.js';

/** Without TLS: a minimal image has no certificates, and what comes is checked against a signed index. */
const DEFAULT = 'http://ftp.debian.org/debian';

let asked: Promise<string> | undefined;

/** `SAMESOURCE_DEBIAN_MIRROR`, else what the machine's package manager uses for Debian's main archive, else Debian's own. */
export async function debianMirror(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = environment['SAMESOURCE_DEBIAN_MIRROR'];
  if (own !== undefined && own !== '') return own;
  return await (asked ??= aptMirror());
}

async function aptMirror(): Promise<string> {
  const addresses = await aptAddresses();
  const sites = addresses.map((address) => address.replace(/\/dists\/.*$/, ''));
  return sites.find((site) => /\/debian\/?$/.test(site)) ?? DEFAULT;
}

/** Of all indexes, as of a machine that has none yet: reading those takes a second. Nothing is fetched. */
async function aptAddresses(): Promise<readonly string[]> {
  const lists = 'Dir::State::lists=/nonexistent/';
  try {
    const { stdout } = await run('apt-get', ['update', '--print-uris', '-o', lists], { timeoutMs: 60_000 });
    return Array.from(
      stdout.toString('utf8').matchAll(/^'(https?:\/\/[^']+)'/gm),
      ([, address = '']) => address,
    );
  } catch (error) {
    if (error instanceof FailedHere) return [];
    throw error;
  }
}

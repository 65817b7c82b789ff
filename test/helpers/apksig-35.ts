// SPDX-License-Identifier: Apache-2.0
/**
 * apksig 35 of Debian 13, beside the 31 of Debian 12 that is installed: the first one with v3.1. Fetched once, by apt with a
 * configuration of its own, from the archive that this machine uses; apt checks its signature.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { cacheDirectory } from '../../src/inputs/cache.js';
import { debianMirror } from '../../src/inputs/debian/debian-mirror.js';
import { need, without } from './need.js';

const SUITE = 'trixie';
const PACKAGE = 'libapksig-java';
const JAR = 'usr/share/java/apksig.jar';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Path of the library; without it the test is skipped, or fails under CI=true. */
export async function apksig35(t: ExecutionContext): Promise<string | undefined> {
  if (!need(t, 'java', 'apt-get', 'dpkg-deb')) return undefined;
  const kept = path.join(cacheDirectory(), 'tools', `${PACKAGE}-${SUITE}`);
  if (existsSync(path.join(kept, JAR))) return path.join(kept, JAR);
  mkdirSync(path.dirname(kept), { recursive: true });
  const scratch = mkdtempSync(`${kept}-`);
  try {
    download(realpathSync(scratch), await debianMirror());
    // another test may have been faster
    if (!existsSync(kept)) renameSync(path.join(scratch, 'root'), kept);
    return path.join(kept, JAR);
  } catch (error) {
    if (existsSync(path.join(kept, JAR))) return path.join(kept, JAR);
    t.log(error);
    without(t, `${PACKAGE} of Debian ${SUITE}`);
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function download(scratch: string, mirror: string): void {
  for (const directory of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(path.join(scratch, directory), { recursive: true });
  writeFileSync(path.join(scratch, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main\n`);
  const options = {
    'Dir::Etc::sourcelist': path.join(scratch, 'sources.list'),
    'Dir::Etc::sourceparts': path.join(scratch, 'parts'),
    'Dir::State::lists': path.join(scratch, 'lists'),
    'Dir::Cache': path.join(scratch, 'cache'),
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
  };
  const apt = (...args: readonly string[]): void => {
    const set = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
    execFileSync('apt-get', [...set, '-qq', ...args], { cwd: scratch, stdio: 'pipe', timeout: 120_000 });
  };
  apt('update');
  apt('download', PACKAGE);
  execFileSync('sh', ['-c', 'dpkg-deb -x ./*.deb root'], { cwd: scratch, stdio: 'pipe' });
}

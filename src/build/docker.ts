// SPDX-License-Identifier: Apache-2.0
/** Docker: its client speaks to a daemon. */
import type { EngineDescription } from './engine.js';

export const DOCKER: EngineDescription = {
  kind: 'docker',
  command: 'docker',
  versionArguments: ['version', '--format', '{{.Server.Version}}'],
  runtimes: [[]],
  // Docker writes /etc/hosts itself and would leave the own name out where there is no network
  createArguments: (hostName) => ['--add-host', `${hostName}:127.0.0.1`],
  reach: 'gateway',
  copyInArguments: [],
  copyOutArguments: ['--follow-link'],
  followsAcrossVolumes: true,
  copyOutOwners: true,
  buildArguments: ['--force-rm', '--no-cache'],
  exportsToFile: false,
  installHint: 'apt-get install docker.io',
  startHint: 'systemctl start docker (without systemd, as root: dockerd &)',
};

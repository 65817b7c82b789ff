// SPDX-License-Identifier: Apache-2.0
/** Provisioning profiles as Apple hands them out, signed by anybody. */
import { xmlPlist, type Plain } from './build-plist.js';
import { jarIdentity, signatureBlock, type BlockOptions } from './sign-jar.js';

export const profileIdentity = jarIdentity();

export const PROFILE_VALUES: Record<string, Plain> = {
  AppIDName: 'App',
  CreationDate: new Date('2026-01-01T00:00:00Z'),
  ExpirationDate: new Date('2027-01-01T00:00:00Z'),
  Name: 'iOS Team Provisioning Profile',
  UUID: '01234567-89ab-cdef-0123-456789abcdef',
  TeamIdentifier: ['ABCDE12345'],
  TeamName: 'Example',
  Platform: ['iOS'],
  ProvisionedDevices: ['00008110-000A10123AF9801E', '00008110-000A10123AF9801F'],
  DeveloperCertificates: [profileIdentity.certificate],
  Entitlements: { 'application-identifier': 'ABCDE12345.org.example.app', 'get-task-allow': true },
  Version: 1,
};

/** Signed over its content unless `options` say otherwise. */
export function buildProfile(values: Plain = PROFILE_VALUES, options: BlockOptions = {}): Buffer {
  const content = xmlPlist(values);
  return signatureBlock(content, profileIdentity, { content, signedAttributes: [], ...options });
}

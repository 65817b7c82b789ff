// SPDX-License-Identifier: Apache-2.0
/** Apps as stores deliver them, by code: programs, an extension, a framework, a library, files beside them. */
import { buildMachO, type MachOSpec } from './build-macho.js';
import { buildZip, type ZipLayout, type ZipMember } from './build-zip.js';
import { signMachO, type MachOSignOptions } from './sign-macho.js';

export const APP = 'Payload/Example.app';

export interface Program {
  /** Directory of the bundle; for a library the directory it is in. */
  readonly directory: string;
  readonly executable: string;
  readonly spec?: MachOSpec;
  /** None: unsigned. */
  readonly sign?: MachOSignOptions;
  /** In place of what `spec` gives. */
  readonly file?: Buffer;
  readonly bundle?: Readonly<Record<string, string>>;
}

export interface IpaSpec {
  readonly programs?: readonly Program[];
  /** Beside them, by name. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly member?: Partial<ZipMember>;
  readonly layout?: ZipLayout;
}

export function infoPlist(values: Readonly<Record<string, string>>): string {
  const entries = Object.entries(values).map(([key, value]) => `<key>${key}</key><string>${value}</string>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict>${entries.join('')}</dict></plist>\n`;
}

const text = (content: string): Buffer => Buffer.alloc(0x2800, content);

/** The app itself, an extension, a framework, a library of Swift. */
export function programsOf(sign?: MachOSignOptions): Program[] {
  const own = sign === undefined ? {} : { sign };
  const bundle = (id: string): Readonly<Record<string, string>> => ({
    CFBundleIdentifier: id,
    CFBundleShortVersionString: '1.2.3',
    CFBundleVersion: '45',
    MinimumOSVersion: '15.0',
  });
  return [
    {
      directory: APP,
      executable: 'Example',
      spec: { text: text('main'), uuid: Buffer.alloc(16, 1), encryption: {} },
      bundle: bundle('org.example'),
      ...own,
    },
    {
      directory: `${APP}/PlugIns/Share.appex`,
      executable: 'Share',
      spec: { text: text('share'), uuid: Buffer.alloc(16, 2), encryption: {} },
      bundle: bundle('org.example.share'),
      ...own,
    },
    {
      directory: `${APP}/Frameworks/Kit.framework`,
      executable: 'Kit',
      spec: { text: text('kit'), uuid: Buffer.alloc(16, 3), fileType: 6, encryption: {} },
      bundle: bundle('org.example.kit'),
      ...own,
    },
    {
      directory: `${APP}/Frameworks`,
      executable: 'libswiftCore.dylib',
      spec: { text: text('swift'), uuid: Buffer.alloc(16, 4), fileType: 6 },
      ...own,
    },
  ];
}

export function buildIpa(spec: IpaSpec = {}): Buffer {
  const members: ZipMember[] = [];
  const add = (name: string, data: string | Buffer): void => {
    members.push({ name, data, ...spec.member });
  };
  for (const { directory, executable, spec: own, sign, bundle, file } of spec.programs ?? programsOf()) {
    const info =
      bundle === undefined
        ? undefined
        : Buffer.from(infoPlist({ CFBundleExecutable: executable, ...bundle }));
    if (info !== undefined) add(`${directory}/Info.plist`, info);
    const plain = file ?? buildMachO(own);
    const files = info === undefined ? {} : { files: { 1: info } };
    add(`${directory}/${executable}`, sign === undefined ? plain : signMachO(plain, { ...files, ...sign }));
  }
  for (const [name, data] of Object.entries(spec.files ?? {})) add(name, data);
  return buildZip(members, spec.layout);
}

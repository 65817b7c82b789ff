// SPDX-License-Identifier: Apache-2.0
/** What one program of Apple's platforms says by itself: slices, versions, encryption, signature. Texts are printable. */
import { BufferSource, SliceSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import {
  checkCodeSignature,
  type CodeSignatureCheck,
  type SlotContent,
} from '../../formats/code-signature-check.js';
import { isFat, readFat } from '../../formats/macho-fat.js';
import { layOutMachO } from '../../formats/macho-layout.js';
import { isThin, readMachO, type MachOFile } from '../../formats/macho.js';
import { readPlist } from '../../formats/plist.js';
import { printable } from '../../printable.js';
import type { ProgramInspection, ProgramSignature, SliceInspection } from './types.js';

const MAX_KEYS = 200;
const MAX_LIBRARIES = 500;
const BLOB_HEADER = 8;

export function isProgram(source: ByteSource): boolean {
  const head = source.read(0, Math.min(16, source.size));
  return isThin(head) || isFat(head);
}

/** `path` as it is to be shown. Never throws for what the file holds. */
export function inspectProgram(source: ByteSource, path: string, content?: SlotContent): ProgramInspection {
  const base = { path, size: source.size };
  try {
    if (!isFat(source.read(0, Math.min(16, source.size))))
      return { ...base, slices: [inspectSlice(source, content)] };
    const { slices } = readFat(source);
    return {
      ...base,
      slices: slices.map(({ offset, size, architecture }) => {
        const own = new SliceSource(source, offset, size);
        try {
          return inspectSlice(own, content);
        } catch (error) {
          if (error instanceof FormatError) return { architecture, size, type: 'unread', unread: error.code };
          throw error;
        }
      }),
    };
  } catch (error) {
    if (error instanceof FormatError) return { ...base, slices: [], unread: error.code };
    throw error;
  }
}

function inspectSlice(source: ByteSource, content: SlotContent | undefined): SliceInspection {
  const file = readMachO(source);
  const { issues } = layOutMachO(source, file);
  const [build] = file.builds;
  const { encryption } = file;
  const signature = signatureOf(source, file, content);
  return {
    architecture: file.architecture,
    size: source.size,
    type: file.fileType,
    ...(build === undefined
      ? {}
      : {
          platform: build.platform,
          minimum: build.minimum,
          sdk: build.sdk,
          tools: build.tools.map(({ name, version }) => `${name} ${version}`),
        }),
    ...(file.uuid === undefined ? {} : { uuid: file.uuid }),
    ...(encryption === undefined
      ? {}
      : { encryption: { offset: encryption.offset, size: encryption.size, id: encryption.id } }),
    libraries: file.libraries.slice(0, MAX_LIBRARIES).map((library) => printable(library.path)),
    signature,
    issues: issues.map(({ code, offset, size, detail }) => ({
      code,
      message: `${size} bytes at ${offset}, ${printable(detail)}`,
    })),
  };
}

function signatureOf(
  source: ByteSource,
  file: MachOFile,
  content: SlotContent | undefined,
): ProgramSignature {
  let check: CodeSignatureCheck | undefined;
  try {
    check = checkCodeSignature(source, file, content);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { status: 'unread', issues: [{ code: error.code, message: printable(error.detail) }] };
  }
  if (check === undefined) return { status: 'unsigned', issues: [] };
  const { signature, cms, issues, pages } = check;
  const directory = signature.directories[0]?.directory;
  const [signer] = cms.chain;
  const fails = issues.some(({ effect }) => effect === 'fails');
  return {
    status: fails ? 'invalid' : cms.status,
    ...(directory === undefined
      ? {}
      : {
          identifier: printable(directory.identifier),
          ...(directory.teamId === undefined ? {} : { team: printable(directory.teamId) }),
          flags: `0x${directory.flags.toString(16)}`,
          hashes: signature.directories.map(({ directory: { hash } }) => hash),
          preEncryptionHashes: directory.preEncryptPages === undefined ? 0 : directory.pageCount,
        }),
    ...(signer === undefined ? {} : { signer: printable(signer.subject), certificateSha256: signer.sha256 }),
    ...(cms.root === undefined ? {} : { root: cms.root }),
    pages,
    entitlements: entitlementsOf(check),
    issues: [
      ...issues.map(({ code, message }) => ({ code, message: printable(message) })),
      ...cms.issues.map(({ code, message }) => ({ code, message: printable(message) })),
    ],
  };
}

/** Their names; what is not understood is said by its size. */
function entitlementsOf({ signature }: CodeSignatureCheck): string[] {
  const blob = signature.blobs.find(({ kind }) => kind === 'entitlements');
  if (blob === undefined) return [];
  try {
    const { root } = readPlist(new BufferSource(blob.bytes.subarray(BLOB_HEADER)));
    if (root.kind !== 'dict') return [];
    return root.entries.slice(0, MAX_KEYS).map(({ key }) => printable(key));
  } catch (error) {
    if (error instanceof FormatError) return [`unread, ${blob.size} bytes: ${error.code}`];
    throw error;
  }
}

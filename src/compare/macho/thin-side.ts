// SPDX-License-Identifier: Apache-2.0
/** One side of a Mach-O comparison, one architecture: what it says, where its bytes lie, what its signature is worth. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import {
  checkCodeSignature,
  type CodeSignatureCheck,
  type SlotContent,
} from '../../formats/code-signature-check.js';
import { layOutMachO, type MachOLayout } from '../../formats/macho-layout.js';
import type { MachOSegment } from '../../formats/macho-commands.js';
import { readMachO, type MachOFile } from '../../formats/macho.js';
import type { Side } from '../types.js';

export interface ThinSide {
  readonly side: Side;
  readonly source: ByteSource;
  readonly file: MachOFile;
  readonly layout: MachOLayout;
  readonly linkEdit: MachOSegment | undefined;
  /** Where the tables end that are no signature. */
  readonly contentEnd: number;
  readonly check: CodeSignatureCheck | undefined;
  /** Why the signature is not one. */
  readonly damage: { readonly code: string; readonly offset: number; readonly detail: string } | undefined;
}

/** `content`: files of the bundle; only where the signature is to be judged. @throws FormatError `macho/…` */
export function openThinSide(side: Side, source: ByteSource, content: SlotContent): ThinSide {
  const file = readMachO(source);
  const layout = layOutMachO(source, file);
  const linkEdit = file.segments.find(({ name }) => name === '__LINKEDIT');
  const ends = file.ranges
    .filter((range) => range !== file.signature)
    .map(({ offset, size }) => offset + size);
  const opened = {
    side,
    source,
    file,
    layout,
    linkEdit,
    contentEnd: Math.max(linkEdit?.offset ?? 0, ...ends),
  };
  try {
    return { ...opened, check: checkCodeSignature(source, file, content), damage: undefined };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, offset, detail } = error;
    return { ...opened, check: undefined, damage: { code, offset, detail } };
  }
}

const ALIGNMENT = 16;
const PAGES = [0x1000, 0x4000] as const;

/** Whether __LINKEDIT ends where it must with the signature that this side has, or without one. */
export function endsAsSigned({ source, file, linkEdit, contentEnd }: ThinSide): boolean {
  if (linkEdit === undefined || linkEdit.sections.length > 0) return false;
  const { signature } = file;
  const end = signature === undefined ? contentEnd : signature.offset + signature.size;
  const signedAt = Math.ceil(contentEnd / ALIGNMENT) * ALIGNMENT;
  return (
    end === source.size &&
    linkEdit.offset + linkEdit.fileSize === end &&
    (signature === undefined || signature.offset === signedAt) &&
    PAGES.some((page) => Math.ceil(linkEdit.fileSize / page) * page === linkEdit.memorySize)
  );
}

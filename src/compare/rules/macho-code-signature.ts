// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const machoCodeSignature: Rule = {
  class: 'signature',
  excludes: 'partly',
  title: 'Code signature of a Mach-O file',
  reason:
    'signing adds or replaces this range at the end of the file, and the sizes that follow from it; every byte was read as part of the signature, its page hashes are those of the file, and what the signer chose is bounded',
  reference: 'https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/kern/cs_blobs.h',
};

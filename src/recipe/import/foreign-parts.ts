// SPDX-License-Identifier: Apache-2.0
/** Words of the schemas of others: every scalar is text as it stands in the file, a list may be a single text. */
import { z } from 'zod';

const formed = (pattern: RegExp, expected: string) =>
  z.string().regex(pattern, { error: (issue) => `expected ${expected}, got ${JSON.stringify(issue.input)}` });

export const text = z.string();
export const digits = formed(/^\d{1,15}$/, 'a number');
export const flag = formed(/^(?:true|false|yes|no|)$/i, 'true or false').transform((value) =>
  /^(?:true|yes)$/i.test(value),
);
export const httpsAddress = formed(
  /^https:\/\/[^\s"<>]+$/,
  'an https address: what comes without TLS is not taken over',
);
export const webAddress = formed(/^https?:\/\/[^\s"<>]+$/, 'a web address');
/** Between the file's own parts nothing else can stand in a script line. */
export const list = z.union([z.string().transform((one) => (one === '' ? [] : [one])), z.array(z.string())], {
  error: 'expected a text or a list of texts',
});

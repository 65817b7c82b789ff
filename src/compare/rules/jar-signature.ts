// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const jarSignature: Rule = {
  class: 'signature',
  excludes: 'partly',
  title: 'JAR signature (APK v1)',
  reason:
    'signing adds these entries beside a newer signature; both were verified, and a known signing tool writes every byte of them so, but for times that it takes from the clock',
  reference: 'https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#signed-jar-file',
};

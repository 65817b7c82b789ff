// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const apkDependencyInfo: Rule = {
  class: 'signature',
  excludes: 'always',
  title: 'Dependency information in the signing block',
  reason:
    'the Android Gradle plugin adds this pair to the signing block: a list of libraries, encrypted anew each time so that only Google Play can read it; nobody else can say what is in it',
  reference: 'https://developer.android.com/build/dependencies#dependency-info-play',
};

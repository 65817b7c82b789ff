// SPDX-License-Identifier: Apache-2.0
/** A program: brings the clone of a repository up to date so many times, as runs do. */
import { bareClone } from '../../src/inputs/source/git-cache.js';

const [, , repository = '', cache = '', times = '0'] = process.argv;
for (let n = 0; n < Number(times); n++) await bareClone(repository, { cache });

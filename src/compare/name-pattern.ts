// SPDX-License-Identifier: Apache-2.0
/** Patterns of a recipe for names of files. */

/** Full match; `*` stands for anything but `/`. */
export function matches(pattern: string, name: string): boolean {
  const expression = pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(`^${expression}$`, 's').test(name);
}

// SPDX-License-Identifier: Apache-2.0
/** Patterns of a recipe for names of files. */

/** Full match; `*` stands for anything but `/`. A pattern without `/` is about the last part of a name. */
export function matches(pattern: string, name: string): boolean {
  const named = pattern.includes('/') ? name : name.slice(name.lastIndexOf('/') + 1);
  const expression = pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(`^${expression}$`, 's').test(named);
}

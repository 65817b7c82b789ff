// SPDX-License-Identifier: Apache-2.0
/** In which order Java programs write names: sorted, or as a hash map happens to hold them, which follows from the names. */

/** java.lang.String.compareTo: by UTF-16 code units, as JavaScript sorts. */
export function sortedByJava(names: readonly string[]): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** java.lang.String.hashCode */
function hashCode(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/**
 * The order in which a java.util.HashMap of Java 8 or later gives keys that were put in one by one: by bucket, within one
 * by time. (Buckets with eight keys or more are trees; then this may be another order.)
 */
export function hashOrder(
  names: readonly string[],
  keyOf: (name: string) => string = (name) => name,
): string[] {
  let capacity = 16;
  while (names.length > capacity * 0.75) capacity *= 2;
  const bucket = (name: string): number => {
    const hash = hashCode(keyOf(name));
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return names
    .map((name, index) => ({ name, index, bucket: bucket(name) }))
    .sort((a, b) => a.bucket - b.bucket || a.index - b.index)
    .map(({ name }) => name);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A Dockerfile whose base is the plan's: the first FROM, and every later one of the same image.
 * https://docs.docker.com/reference/dockerfile/#from
 */

const FROM = /^(\s*FROM\s+(?:--platform=\S+\s+)?)(\S+)(.*)$/i;

export interface PinnedDockerfile {
  readonly text: string;
  /** As the file names them; nothing pins those. */
  readonly otherBases: readonly string[];
}

/** `undefined`: there is no FROM in it. */
export function pinDockerfile(text: string, base: string): PinnedDockerfile | undefined {
  let first: string | undefined;
  const stages = new Set<string>();
  const otherBases = new Set<string>();
  const lines = text.split('\n').map((line) => {
    const match = FROM.exec(line);
    if (match === null) return line;
    const [, keyword = '', image = '', rest = ''] = match;
    const isStage = stages.has(image.toLowerCase()) || image.toLowerCase() === 'scratch';
    const stage = /^\s+AS\s+(\S+)/i.exec(rest)?.[1];
    if (stage !== undefined) stages.add(stage.toLowerCase());
    if (isStage) return line;
    first ??= image;
    if (image === first) return `${keyword}${base}${rest}`;
    otherBases.add(image);
    return line;
  });
  if (first === undefined) return undefined;
  return { text: lines.join('\n'), otherBases: [...otherBases] };
}

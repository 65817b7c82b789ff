// SPDX-License-Identifier: Apache-2.0
/** The file in which an APK names its commit: two different ones are the cause of more than this difference. */
import type { ByteSource } from '../../bytes.js';
import { readVersionControlInfo, VERSION_CONTROL_INFO } from '../../formats/version-control-info.js';
import type { Explainer } from './explain-leaf.js';
import { explainText } from './text.js';

const MAX_BYTES = 256 << 10;

export const explainCommit: Explainer = async (leaf) => {
  if (leaf.path.at(-1) !== VERSION_CONTROL_INFO) return undefined;
  const [published, rebuilt] = [commitOf(leaf.published), commitOf(leaf.rebuilt)];
  if (published === undefined || rebuilt === undefined || published === rebuilt) return undefined;
  const findings = await explainText(leaf);
  const evidence = `published from commit ${published}, rebuilt from ${rebuilt}`;
  return findings?.map((finding) =>
    finding.kind === 'text' ? { ...finding, cause: { kind: 'built-from-other-commit', evidence } } : finding,
  );
};

/** The one that it names; `undefined` for none or several. */
function commitOf(source: ByteSource): string | undefined {
  if (source.size > MAX_BYTES) return undefined;
  const [commit, other] = readVersionControlInfo(source.read(0, source.size)).revisions;
  return other === undefined ? commit : undefined;
}

// SPDX-License-Identifier: Apache-2.0
/** What is said of v4 signatures that lie beside published APKs. */
import type { IdsigRecord } from '../compare/types.js';
import { clause, count, quoted, say, some, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

const SHOWN = 5;

export function idsigStatements({ comparison }: DecidedFacts): Statement[] {
  return (comparison?.idsigs ?? []).map((idsig, at) =>
    say(
      idsig.status === 'verified' ? 'v4-signature' : 'v4-signature-not-verified',
      sentence(idsig),
      [`/comparison/idsigs/${at}`],
      `apksigner verify --min-sdk-version 30 -v --v4-signature-file ${quoted(idsig.name)} ${quoted(idsig.apk)}`,
    ),
  );
}

function sentence({ name, size, apk, status, signers, tree, issues }: IdsigRecord): string {
  if (status !== 'verified') {
    const what = some(
      issues.map(({ code, message }) => `${code}: ${clause(message)}`),
      SHOWN,
    );
    const text = status === 'invalid' ? 'is not true' : 'was not understood to its last byte';
    return `${name} lies beside ${apk} as its v4 signature and ${text} (${what}): it is not part of the signature of that file.`;
  }
  const by = signers.map(({ scheme, certificateSha256 }) => `${certificateSha256} (${scheme})`).join(', ');
  return `${name} is the v4 signature of ${apk}, and part of its signature: the root hash${tree ? ' and the hash tree are' : ' is'} that of this very file, and it holds for ${by}. Its ${count(size, 'byte')} come of the key alone and have no rebuilt twin.`;
}

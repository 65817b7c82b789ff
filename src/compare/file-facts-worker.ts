// SPDX-License-Identifier: Apache-2.0
/** What runs on the thread of `fact-thread.ts`. */
import { parentPort } from 'node:worker_threads';
import { FileSource, sha256 } from '../bytes.js';
import { checkApkSignature } from '../formats/apk-signature.js';
import type { FactAnswer, FactQuestion } from './fact-thread.js';

const port = parentPort;
port?.on('message', (question: FactQuestion) => port.postMessage(answer(question)));

function answer(question: FactQuestion): FactAnswer {
  try {
    const source = FileSource.borrow(question.file);
    switch (question.kind) {
      case 'sha256':
        return { kind: 'sha256', sha256: sha256(source) };
      case 'signature':
        return { kind: 'signature', check: checkApkSignature(source, question.sections) };
    }
  } catch {
    return { kind: 'failed' };
  }
}

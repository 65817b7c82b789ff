// SPDX-License-Identifier: Apache-2.0
/** A phase that failed with the network, and what it was given there; without an engine. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Engine } from '../../src/build/engine.js';
import type { PrepareRequest } from '../../src/build/executor.js';
import type { PhaseOutcome } from '../../src/build/failure.js';
import { Leftovers } from '../../src/build/leftovers.js';
import { inPhaseNetwork } from '../../src/build/phase-network.js';
import type { RecorderOutcome } from '../../src/build/recorder.js';
import { FailedHere } from '../../src/errors.js';
import { requestFor, smallPlan } from '../helpers/build-request.js';

const CUT = 'GET http://example.org/lib.jar: cut';

async function ended(
  t: ExecutionContext,
  work: () => Promise<{ readonly outcome: PhaseOutcome }>,
  unserved: readonly string[],
): Promise<{ readonly request: PrepareRequest; readonly error: unknown }> {
  const engine = { description: { reach: 'namespace' } } as unknown as Engine;
  const plan = smallPlan({ build: 'true', buildNetwork: true });
  const request = requestFor(t, plan);
  const [phase] = plan.phases.filter(({ name }) => name === 'build');
  if (phase === undefined) throw new Error('no build phase');
  const outcome: RecorderOutcome = {
    world: {
      phase: 'build',
      from: 'network',
      count: 1,
      bytes: 7,
      requests: [
        {
          method: 'GET',
          url: 'http://example.org/lib.jar',
          status: 200,
          size: 7,
          time: '2026-11-01T00:00:00.000Z',
          problem: 'cut',
        },
      ],
      unrecorded: [],
    },
    refused: [],
    missing: [],
    unserved,
  };
  const recorder = { listen: () => Promise.resolve(0), close: () => Promise.resolve(outcome) };
  const error: unknown = await inPhaseNetwork(
    engine,
    () => Promise.resolve(recorder),
    phase,
    'samesource-test-build-1',
    request,
    new Leftovers(engine),
    work,
  ).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return { request, error };
}

const failed = (): Promise<{ readonly outcome: PhaseOutcome }> =>
  Promise.resolve({ outcome: { kind: 'command-failed', exitCode: 1 } });

test('a build that failed of half an answer is no build that fails', async (t) => {
  const { error } = await ended(t, failed, [CUT]);
  t.true(error instanceof FailedHere);
  t.like(error, { code: 'network' });
  t.regex(String(error), /lib\.jar: cut/);
});

test('one that was given all, and one that came through all the same, are what they are', async (t) => {
  t.is((await ended(t, failed, [])).error, undefined);
  t.is((await ended(t, () => Promise.resolve({ outcome: { kind: 'succeeded' } }), [CUT])).error, undefined);
});

test('what was fetched lies beside the log, also when the phase ended by our fault', async (t) => {
  const broken = (): Promise<never> => Promise.reject(new FailedHere('disk-full', 'the disk is full'));
  const { request, error } = await ended(t, broken, []);
  t.like(error, { code: 'disk-full' });
  t.is(
    readFileSync(path.join(request.directory, 'logs/fetched-build.log'), 'utf8'),
    [
      '1 requests, 7 bytes, answered by the network',
      '2026-11-01T00:00:00.000Z GET http://example.org/lib.jar 200 7 - cut',
      '',
    ].join('\n'),
  );
});

// SPDX-License-Identifier: Apache-2.0
/** Real containers of Docker, and a registry of our own: Docker takes one on the loopback address without TLS. */
import test from 'ava';
import { makeExecutor } from '../../src/build/executors.js';
import { FailedHere } from '../../src/errors.js';
import { needEngine, requestFor, smallPlan, TEST_DEPENDENCIES } from '../helpers/build-request.js';
import { containerCases } from '../helpers/container-cases.js';
import { localServer } from '../helpers/http-server.js';

containerCases('docker');

test.serial('docker: an image that its registry does not have any more, or does not give now', async (t) => {
  if (!needEngine(t, 'docker')) return;
  const digest = `sha256:${'1'.repeat(64)}`;
  let status = 404;
  const errors = { 404: 'MANIFEST_UNKNOWN', 429: 'TOOMANYREQUESTS' };
  const { url } = await localServer(t, (request, response) => {
    const asked = request.url === '/v2/' ? 200 : status;
    const code = Object.entries(errors).find(([known]) => Number(known) === asked)?.[1];
    response
      .writeHead(asked, { 'content-type': 'application/json' })
      .end(code === undefined ? '{}' : JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
  });
  const host = new URL(url).host;
  const image = { kind: 'registry', reference: `${host}/gone/image:tag`, digest } as const;
  const executor = makeExecutor('docker', TEST_DEPENDENCIES);
  const prepare = () => executor.prepare(requestFor(t, smallPlan({ environment: { image } })));
  t.deepEqual(await prepare(), {
    kind: 'environment-gone',
    url: `https://${host}/v2/gone/image/manifests/${digest}`,
    status: 404,
  });
  status = 429;
  t.is((await t.throwsAsync(prepare(), { instanceOf: FailedHere }))?.code, 'rate-limited');
  status = 500;
  t.is((await t.throwsAsync(prepare(), { instanceOf: FailedHere }))?.code, 'network');
});

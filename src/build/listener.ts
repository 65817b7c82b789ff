// SPDX-License-Identifier: Apache-2.0
/** A program: listens in the network that it was started in and hands the socket over; see `phase-network.ts`. */
import { createServer } from 'node:net';
import { PROXY_PORT } from './phase-proxy.js';

const server = createServer();
server.listen(PROXY_PORT, '127.0.0.1', () => process.send?.('listening', server));

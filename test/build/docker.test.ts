// SPDX-License-Identifier: Apache-2.0
/** Real containers of Docker. */
import { containerCases } from '../helpers/container-cases.js';

containerCases('docker');
